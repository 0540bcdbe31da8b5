"""The connector on a real Sanic server, with the turn engine's inbox behind it; nothing answers the messages.

`python -m tests.bot.whatsapp.server URL` is one in a process of its own; it prints its port.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
import uuid
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
from sanic import Sanic
from sqlalchemy import select

from bot.channels.whatsapp import WhatsAppInput
from bot.channels.whatsapp.signature import HEADER, signed
from database import transaction
from messaging.models import InboundMessage
from messaging.turns.engine import Limits, TurnEngine
from messaging.turns.queues.local import LocalQueue
from tests.plain_http import NO_TLS
from tests.sanic_servers import created

SECRET, VERIFY_TOKEN, NUMBER = "app-secret-of-the-tests", "verify-token-of-the-tests", "109876543210001"
CREDENTIALS = {"app_secret": SECRET, "verify_token": VERIFY_TOKEN, "access_token": "t", "phone_number_id": NUMBER}


class RecordingEngine(TurnEngine):
    """Keeps what it is told of statuses, too."""

    def __init__(self, url: str, limits: Limits) -> None:
        super().__init__(None, LocalQueue(), url, limits=limits)  # type: ignore[arg-type]
        self.statuses: list[tuple[str, str, str | None, str | None, int | None]] = []

    async def note_status(self, channel: str, provider_id: str, status: str, error: str | None = None, **named: Any) -> bool:
        self.statuses.append((provider_id, status, error, named["key"], named["code"]))
        return await super().note_status(channel, provider_id, status, error, **named)


def app_for(engine: TurnEngine, credentials: dict[str, Any]) -> Sanic:
    app = Sanic(f"test-{uuid.uuid4().hex}", configure_logging=False)
    app.ctx.agent = SimpleNamespace(engine=engine)
    channel = WhatsAppInput.from_credentials(credentials)
    app.blueprint(channel.blueprint(_never), url_prefix="/webhooks/whatsapp")
    return app


async def _never(_message: Any) -> None:
    raise AssertionError("nobody waits for the reply in the webhook's request")


@dataclass
class Served:
    """A running server, and what is in its database."""

    url: str
    database: str
    engine: RecordingEngine
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30, verify=NO_TLS))

    def post(self, content: Any, **headers: str) -> httpx.Response:
        """As Meta does it: non-ASCII signs escaped, and signed."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.client.post(self.url, content=body, headers=headers or {HEADER: signed(body, SECRET)})

    def rows(self) -> list[InboundMessage]:
        with transaction(self.database) as session:
            return list(session.execute(select(InboundMessage).order_by(InboundMessage.id)).scalars())

    def waiting(self) -> list[str]:
        return [row.text for row in self.rows() if row.state == "waiting"]

    def session(self) -> Any:
        return transaction(self.database)


class Thread:
    """A server in a thread with its own event loop."""

    def __init__(self, engine: RecordingEngine, credentials: dict[str, Any]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/webhooks/whatsapp/webhook"
        self._app = app_for(engine, credentials)
        self._loop = asyncio.new_event_loop()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._is_up.wait(30)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(serving(self._app, self._socket))
        self._loop.call_soon(self._is_up.set)
        self._loop.run_forever()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._socket.close()


async def serving(app: Sanic, sock: socket.socket) -> Any:
    server = await created(app, sock)
    await server.start_serving()
    return server


def _main() -> None:
    async def run() -> None:
        sock = socket.create_server(("127.0.0.1", 0))
        await serving(app_for(RecordingEngine(sys.argv[1], Limits()), CREDENTIALS), sock)
        print(sock.getsockname()[1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


if __name__ == "__main__":
    _main()
