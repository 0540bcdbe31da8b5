"""What stands in for a server: an aiohttp application on a thread of its own, which a test can stop, start, and act on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

ROOT = Path(__file__).resolve().parents[2]


def until(is_so: Callable[[], Any], patience: float = 10.0) -> Any:
    """What `is_so` returned once it was true. AssertionError when that takes longer than `patience` seconds."""
    end = time.monotonic() + patience
    while not (outcome := is_so()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return outcome


class StandIn:
    """Everything but `_app` and `_end_connections` may be called from the test's thread."""

    def __init__(self) -> None:
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._port = 0

    def _app(self) -> web.Application:
        raise NotImplementedError

    async def _end_connections(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        """Nobody listens at the port any more."""
        self._run(self._stop())

    def start(self) -> None:
        """Listens (again, at the same port) and knows what it knew."""
        self._run(self._start())

    async def _start(self) -> None:
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}/"

    async def _stop(self) -> None:
        await self._end_connections()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def _run(self, work: Awaitable[Any]) -> Any:
        async def done() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(timeout=20)

    def _on_loop(self, work: Callable[[], Any]) -> Any:
        async def done() -> Any:
            return work()

        return self._run(done())


async def write_frames(socket: web.WebSocketResponse, outgoing: asyncio.Queue[dict[str, Any]]) -> None:
    while True:
        frame = await outgoing.get()
        if socket.closed:
            return
        await socket.send_json(frame)


Served = TypeVar("Served", bound=StandIn)


@contextmanager
def served(stand_in: Served) -> Iterator[Served]:
    """On a thread, until the end of the block."""
    thread = threading.Thread(target=stand_in._loop.run_forever, daemon=True)
    thread.start()
    stand_in.start()
    try:
        yield stand_in
    finally:
        stand_in.stop()
        stand_in._loop.call_soon_threadsafe(stand_in._loop.stop)
        thread.join(timeout=10)
        stand_in._loop.close()
