"""The connector behind a real server and a real database, and webhooks as Meta writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from database import Base, engine_for, transaction
from messaging.models import (
    ChannelAddress,
    ChannelContact,
    ChannelLink,
    Consent,
    Conversation,
    InboundMessage,
    OutboundMessage,
    ReceivedFile,
)
from messaging.turns.engine import Limits
from tests.bot.whatsapp.server import CREDENTIALS, RecordingEngine, Served, Thread

USED = (ChannelAddress, ChannelContact, ChannelLink, Consent, Conversation, InboundMessage, OutboundMessage, ReceivedFile)
KEY = "a secret of the tests, long enough"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.setenv("TENDERO_SECRET", KEY)


@pytest.fixture
def serve(database_url: str) -> Iterator[Callable[..., Served]]:
    """Starts a server: `credentials` on top of the usual ones, `limits` of the engine."""
    running: list[Thread] = []

    def start(limits: Limits | None = None, url: str = database_url, **credentials: Any) -> Served:
        engine = RecordingEngine(url, limits or Limits())
        running.append(Thread(engine, {**CREDENTIALS, **credentials}))
        return Served(running[-1].url, url, engine)

    yield start
    for each in running:
        each.close()


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    url = f"sqlite:///{tmp_path_factory.mktemp('whatsapp') / 'test.db'}"
    Base.metadata.create_all(engine_for(url))
    engine = RecordingEngine(url, Limits())
    thread = Thread(engine, CREDENTIALS)
    yield Served(thread.url, url, engine)
    thread.close()


@pytest.fixture
def server(_shared: Served) -> Served:
    """One server for all tests that need nothing special, with nothing in its database."""
    with transaction(_shared.database) as session:
        for table in USED:
            session.execute(delete(table))
    _shared.engine.statuses.clear()
    return _shared
