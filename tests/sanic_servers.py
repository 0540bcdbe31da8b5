"""Sanic servers in the process of the tests, of which there may be many."""

from __future__ import annotations

import socket
from typing import Any

from sanic import Sanic
from sanic.touchup.service import TouchUp


async def created(app: Sanic, listening: socket.socket) -> Any:
    """The server, which serves nobody yet. Sanic rewrites methods of its classes when it starts, and cannot do so twice in a
    process, whoever had it done first."""
    TouchUp._registry -= {each for each in TouchUp._registry if getattr(each[0], "__touched__", False)}
    server = await app.create_server(sock=listening, return_asyncio_server=True, access_log=False)
    await server.startup()
    TouchUp._registry.clear()
    return server
