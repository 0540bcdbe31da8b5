"""A WebSocket that costs little while nothing is said: no task waits for it, and no request is kept with it.

Sanic's own waits in three tasks for each connection, and its `recv` does not work with Python 3.11. The protocol itself is the
library `websockets`, without its input and output.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse
from websockets.connection import OPEN, State
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Asked
from websockets.http11 import Response
from websockets.server import ServerConnection

LARGEST = 256 * 1024  # bytes of a message: beyond this the connection is closed (1009), and nothing more of it kept
GOODBYE = 2.0  # seconds for the other side to answer that it closes, too


class WebSocket(asyncio.Protocol):
    """heard: a whole message. ended: the connection is gone. can_go_on: what was not sent yet has gone out."""

    def __init__(self, connection: ServerConnection, accepted: Response, transport: asyncio.Transport) -> None:
        self._connection = connection
        self._accepted: Response | None = accepted
        self._transport = transport
        self._parts: list[bytes] = []
        self.is_full = False
        self.heard: Callable[[bytes], None]
        self.ended: Callable[[], None]
        self.can_go_on: Callable[[], None]

    def begin(self) -> None:
        """From now on the connection is this WebSocket's, and Sanic has nothing more to do with it."""
        assert self._accepted is not None
        head = f"HTTP/1.1 101 {self._accepted.reason_phrase}\r\n{self._accepted.headers}"
        self._accepted = None
        before: Any = self._transport.get_protocol()  # Sanic's
        self._transport.write(head.encode())
        self._transport.set_protocol(self)
        before.connections.discard(before)
        before.transport = None  # so that it does not close it after the request

    @property
    def is_open(self) -> bool:
        return self._connection.state is OPEN

    def send(self, text: str) -> None:
        """Nothing happens where the connection is closing."""
        if self.is_open:
            self._connection.send_text(text.encode("utf-8", "replace"))
            self._write()

    def close(self, code: int = 1000) -> None:
        if self.is_open:
            self._connection.send_close(code)
            self._write()
            asyncio.get_running_loop().call_later(GOODBYE, self._transport.abort)

    def hold(self) -> None:
        """Nothing more is read until `let_go`."""
        self._transport.pause_reading()

    def let_go(self) -> None:
        self._transport.resume_reading()

    # What asyncio calls

    def data_received(self, data: bytes) -> None:
        self._connection.receive_data(data)
        self._write()
        for event in self._connection.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._parts.append(bytes(event.data))
                if event.fin:
                    whole, self._parts = b"".join(self._parts), []
                    self.heard(whole)

    def eof_received(self) -> None:
        self._connection.receive_eof()
        self._write()

    def connection_lost(self, _error: Exception | None) -> None:
        self._connection.state = State.CLOSED
        self.ended()

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        self.can_go_on()

    def _write(self) -> None:
        for data in self._connection.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()  # once all is written
                asyncio.get_running_loop().call_later(GOODBYE, self._transport.abort)


def upgraded(request: Request) -> WebSocket | HTTPResponse:
    """The request's connection as a WebSocket that has not begun yet; or why not.

    The handler has to return None then, and to be marked by `takes_over`.
    """
    connection = ServerConnection(max_size=LARGEST, state=OPEN)
    answer = connection.accept(Asked(request.path, Headers(request.headers.items())))
    if answer.status_code == 101:
        return WebSocket(connection, answer, request.transport)
    return response.raw(answer.body or b"", status=answer.status_code, headers=dict(answer.headers.raw_items()))


def takes_over(handler: Callable[..., object]) -> Callable[..., object]:
    """Marks a handler of Sanic's that may answer nothing."""
    handler.is_websocket = True  # type: ignore[attr-defined]
    return handler
