"""A way to a server that takes time. What Chromium can slow down, a WebSocket is not."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from types import TracebackType

from bench.systems import HERE

ROUND_TRIPS = 2  # before the first byte of a connection: TCP's, and TLS 1.3's


class Far:
    """Before the server at `port`, reached at `here` in its place. latency: of a round trip, in seconds. Long, not narrow."""

    def __init__(self, port: int, latency: float) -> None:
        self._server, self._latency = port, latency
        self._loop = asyncio.new_event_loop()
        self.here = 0

    def __enter__(self) -> Far:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        listening = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._connect, HERE, 0), self._loop).result()
        self.here = int(listening.sockets[0].getsockname()[1])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await asyncio.sleep(ROUND_TRIPS * self._latency)
            from_server, to_server = await asyncio.open_connection(HERE, self._server)
            await asyncio.gather(self._carry(reader, to_server), self._carry(from_server, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self._loop.call_later(self._latency / 2, writer.write, data)
        self._loop.call_later(self._latency / 2, writer.close)
