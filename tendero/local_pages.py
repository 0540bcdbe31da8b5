"""Pages for the person at this machine: served on 127.0.0.1 only, with headers that keep other pages out."""

from __future__ import annotations

import mimetypes
import socket
from pathlib import Path

from sanic import Sanic, response
from sanic.response import HTTPResponse

from tendero.obstacles import Obstacle

HOST = "127.0.0.1"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def listen(port: int | None, instead: str = "Leave --port out, and a free one is found.") -> socket.socket:
    """Whoever connects before the server is ready waits. port: None takes a free one. instead: what to do where it is taken.

    Raises Obstacle: the port is taken.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port or 0))
        listening.listen()
    except OSError as error:
        listening.close()
        raise Obstacle(f"Port {port} cannot be used ({error.strerror}). {instead}") from error
    return listening


async def serve_on(listening: socket.socket, app: Sanic) -> None:
    server = await app.create_server(sock=listening, return_asyncio_server=True, access_log=False)
    await server.startup()
    await server.serve_forever()


def file_of(folder: Path, name: str) -> HTTPResponse:
    """name: checked by the route to be a bare file name."""
    file = folder / name
    if not file.is_file():
        return response.json({"error": "not_found"}, status=404)
    return response.raw(file.read_bytes(), content_type=mimetypes.guess_type(name)[0] or "application/octet-stream")
