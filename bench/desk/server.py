"""A server with the web chat, the desk and the turn engine, and nobody who answers: `python -m bench.desk.server URL PORT`.

As the shop's own but for Rasa, who is not asked where people have the conversations. It prints its port once it serves.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from types import SimpleNamespace
from typing import Any

from sanic import Sanic

from bot.channels.webchat import WebChatInput
from desk.connector import DeskInput
from messaging.turns.engine import Outcome, TurnEngine
from messaging.turns.inbox import Claim
from messaging.turns.outbox import Outgoing
from messaging.turns.own_loop import OwnLoop
from messaging.turns.queues import Queue
from messaging.turns.queues.local import LocalQueue


class Silent:
    """Answers nothing, and takes what is sent to WhatsApp."""

    async def run(self, _claim: Claim) -> Outcome:
        return Outcome([])

    apologise = run

    async def send(self, message: Outgoing) -> str | None:
        return f"wamid.{message.opaque}"


async def main(url: str, port: int) -> None:
    silent, webchat, desk = Silent(), WebChatInput.from_credentials({}), DeskInput.from_credentials({})
    engine = TurnEngine(silent, _queue(url), url, pushes={"webchat": webchat.sender(), "whatsapp": silent})
    turns = OwnLoop()
    turns.begin()
    await turns.run(engine.start())
    app = Sanic("bench-desk", configure_logging=False)
    app.ctx.agent = SimpleNamespace(engine=engine)
    for each in (webchat, desk):
        app.blueprint(each.blueprint(_never), url_prefix=f"/webhooks/{each.name()}")
    sock = socket.create_server(("127.0.0.1", port), backlog=512)
    server = await app.create_server(sock=sock, return_asyncio_server=True, access_log=False)
    await server.startup()
    await server.before_start()
    await server.start_serving()
    if os.environ.get("WITH_ROUNDS"):
        await desk.start()
    print(sock.getsockname()[1], flush=True)
    await asyncio.Event().wait()


def _queue(url: str) -> Queue:
    if not url.startswith("postgresql"):
        return LocalQueue()
    from messaging.turns.queues.postgres import PostgresQueue

    return PostgresQueue(url, lease=3)


async def _never(_message: Any) -> None:
    raise AssertionError("nobody waits for the reply in the request")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
