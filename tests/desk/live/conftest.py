"""The desk on a real server, beside the web chat and a stand-in for WhatsApp; agents are signed in without a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from desk import accounts, conversation_routes, sessions
from desk.connector import DeskInput
from messaging import handoffs
from messaging.calendar import Calendar, Span
from messaging.models import ChannelContact, Handoff
from messaging.turns.inbox import Inbound, receive
from messaging.turns.outbox import Channel, Outgoing
from tests.bot.webchat.server import SOON, Served, StandIn, Thread
from tests.desk_client import DeskClient

KEY = "a secret of the tests, long enough"
DATA = Path(__file__).resolve().parents[3] / "data"


class WhatsAppStandIn(Channel):
    """Keeps what is sent, and who was shown that somebody types."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.typing: list[tuple[str, str, bool]] = []

    async def send(self, message: Outgoing) -> str | None:
        self.sent.append(message)
        return f"wamid.{message.opaque}"

    async def show_typing(self, sender_id: str, provider_id: str, on: bool) -> None:
        self.typing.append((sender_id, provider_id, on))


class Desk:
    """A running server with a desk, and what tests do to its database."""

    def __init__(self, served: Served, whatsapp: WhatsAppStandIn, desk: DeskInput) -> None:
        self.served, self.whatsapp, self.desk = served, whatsapp, desk
        self._clients: list[DeskClient] = []

    @property
    def url(self) -> str:
        return self.served.url

    def agent(self, name: str, role: str = "agent", **more: Any) -> DeskClient:
        """Signed in, and not connected yet."""
        now = datetime.now(timezone.utc)
        with self.served.session() as session:
            made = accounts.create(session, name=name, sign_in_name=name.lower(), role=role, now=now, **more)
            made.status = "available"
            token = sessions.open_session(session, made, "password", "a test", now).token
        return self.page(token)

    def page(self, token: str) -> DeskClient:
        """One more page of a session."""
        self._clients.append(DeskClient(self.url, token))
        return self._clients[-1]

    def close(self) -> None:
        for each in self._clients:
            each.close()
            each.http.close()
        self.served.thread.close()

    # Shoppers

    def asks(self, sender_id: str = "wa-1", channel: str = "whatsapp", queue: str | None = "general", **more: Any) -> int:
        """Somebody asks for a person; the handoff's id."""
        now = more.pop("now", datetime.now(timezone.utc))
        transcript = more.pop("transcript", [])
        values: dict[str, Any] = {"customer_id": None, "language": "es", "reason": "asked", "goal": "track_order", **more}
        with self.served.session() as session:
            opened = handoffs.open_handoff(
                session,
                sender_id=sender_id,
                channel=channel,
                collected=values.pop("collected", {}),
                tried=[],
                verdict=None,
                transcript=transcript,
                now=now,
                calendar=always_open(),
                **values,
            )
            if queue is not None:
                handoffs.place(session, opened.handoff.id, queue, 0, now)
            return int(opened.handoff.id)

    def is_known_on_whatsapp(self, sender_id: str, name: str = "Ana", wrote: timedelta = timedelta(minutes=1)) -> None:
        now = datetime.now(timezone.utc)
        with self.served.session() as session:
            person = {"sender_id": sender_id, "channel": "whatsapp", "name": name, "phone": "+525512345678", "created_at": now}
            session.add(ChannelContact(**person, last_inbound_at=now - wrote))

    def writes(self, text: str, sender_id: str = "wa-1", channel: str = "whatsapp", id: str = "", **details: Any) -> int:
        """As another process takes a message in; nobody answers it. The row's id."""
        now = datetime.now(timezone.utc)
        with self.served.session() as session:
            receipt = receive(session, Inbound(channel, id or f"{text}-{now.timestamp()}", sender_id, text, details), now)
            handoffs.note_shoppers_wrote(session, [sender_id], now)
            return receipt.id

    def handoff(self, id: int) -> Handoff:
        with self.served.session() as session:
            return handoffs.by_id(session, id)


def always_open() -> Calendar:
    return Calendar("always", ZoneInfo("UTC"), ((Span(0, 24 * 60),),) * 7)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.setenv("TENDERO_SECRET", KEY)
    monkeypatch.setenv("TENDERO_DATA", str(DATA))


@pytest.fixture(autouse=True)
def _nothing_was_written_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents of each test have written nothing yet, though the process has served those of others, by the same numbers."""
    monkeypatch.setattr(conversation_routes, "_writes", conversation_routes.counted_writes())


@pytest.fixture
def open_desk(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Desk]]:
    """Starts a server."""
    running: list[Desk] = []

    def start(url: str = database_url) -> Desk:
        monkeypatch.setenv("TENDERO_DATABASE_URL", url)
        whatsapp, desk = WhatsAppStandIn(), DeskInput.from_credentials({})
        thread = Thread(url, StandIn(), {}, SOON, beside=[desk], pushes={"whatsapp": whatsapp})
        running.append(Desk(Served(thread, url), whatsapp, desk))
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()
