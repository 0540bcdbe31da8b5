"""A channel on a real Sanic server with the real turn engine; who answers the shopper is an echo, with choices on demand."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from sanic import Sanic

from database import transaction
from messaging import conversations, handoffs
from messaging.calendar import Calendar, Span
from messaging.models import Handoff, InboundMessage, OutboundMessage
from messaging.turns.engine import Limits, Outcome, TurnEngine
from messaging.turns.inbox import Claim
from messaging.turns.queues.local import LocalQueue
from tests.bot.whatsapp.server import serving
from tests.plain_http import NO_TLS

ALWAYS = Calendar("support", ZoneInfo("UTC"), ((Span(0, 24 * 60),),) * 7)
NEVER = Calendar("support", ZoneInfo("UTC"), ((),) * 7)
CHOICES = [{"title": "Camisa azul", "payload": '/inform{"line": "1"}'}, {"title": "Pantalón", "payload": '/inform{"line": "2"}'}]


class Echo:
    """Answers what was said; silent while a person has the conversation."""

    async def run(self, claim: Claim) -> Outcome:
        if claim.owner == "agent" or claim.kind == "timer":
            return Outcome([])
        if claim.text == "choices":
            return Outcome([{"text": "Which one?", "buttons": CHOICES}])
        if claim.text == "picture":
            return Outcome([{"text": "Your label", "image": "/static/demo/missing.png"}])
        return Outcome([{"text": f"echo {claim.text}"}])

    async def apologise(self, claim: Claim) -> Outcome:
        return Outcome([{"text": "sorry"}])


class Running:
    """A server in a thread; `post` and `rows` are for the tests."""

    def __init__(self, channel: Any, url: str) -> None:
        self.database = url
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/webhooks/{channel.name()}"
        self._channel = channel
        self._loop = asyncio.new_event_loop()
        self._is_up = threading.Event()
        self.client = httpx.Client(timeout=30, verify=NO_TLS)
        threading.Thread(target=self._run, daemon=True).start()
        assert self._is_up.wait(30)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._begin())
        self._loop.call_soon(self._is_up.set)
        self._loop.run_forever()

    async def _begin(self) -> None:
        pushes = {self._channel.name(): self._channel.sender()} if hasattr(self._channel, "sender") else {}
        self.engine = TurnEngine(
            Echo(), LocalQueue(), self.database, pushes=pushes, limits=Limits(first_pause=0.05, timers_every=0.3)
        )
        app = Sanic(f"test-{uuid.uuid4().hex}", configure_logging=False)
        app.ctx.agent = SimpleNamespace(engine=self.engine)
        app.blueprint(self._channel.blueprint(None), url_prefix=f"/webhooks/{self._channel.name()}")
        await self.engine.start()
        await self._channel.start()
        await serving(app, self._socket)

    def close(self) -> None:
        async def end() -> None:
            await self._channel.stop()
            await self.engine.stop(2)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._socket.close()
        self.client.close()

    def post(self, path: str, content: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.client.post(f"{self.url}{path}", content=body, headers=headers or {})

    # What is in the database

    def open_handoff(self, sender_id: str, channel: str, calendar: Calendar = ALWAYS) -> int:
        with transaction(self.database) as session:
            opened = handoffs.open_handoff(
                session,
                sender_id=sender_id,
                channel=channel,
                customer_id=None,
                language="es",
                reason="policy",
                goal="request_return",
                collected={"order_number": "10234"},
                tried=["track_order"],
                verdict={"rule": "window_closed"},
                transcript=[{"by": "shopper", "text": "quiero devolver la camisa", "at": 0}],
                now=datetime.now(timezone.utc),
                calendar=calendar,
            )
            return int(opened.handoff.id)

    def handoff(self, id_: int) -> Handoff:
        with transaction(self.database) as session:
            found = handoffs.by_id(session, id_)
            session.expunge(found)
            return found

    def owner(self, sender_id: str) -> str:
        with transaction(self.database) as session:
            return conversations.owner(session, sender_id)

    def states(self) -> list[str]:
        """Of the replies, in order."""
        with transaction(self.database) as session:
            return [row.state for row in session.query(OutboundMessage).order_by(OutboundMessage.id)]

    def has_sent_all(self) -> bool:
        return set(self.states()) == {"sent"}

    def rows(self, kind: str = "message") -> list[InboundMessage]:
        with transaction(self.database) as session:
            found = session.query(InboundMessage).filter_by(kind=kind).order_by(InboundMessage.id).all()
            session.expunge_all()
            return list(found)


def until(what: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What it gives, once that is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found
