"""Databases with every table that turns need, workers, and a provider."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from database import engine_for
from tendero.migrating import upgrade
from tests.turns.processes import Nursery
from tests.turns.provider import Provider
from tests.turns.worker import TABLES

USED = ("inbound_message", "outbound_message", "action_call", "timer", "conversation", "deed", "saved_turn")
USED += ("handoff", "handoff_event", "handoff_note", "channel_contact")
USED += ("procrastinate_jobs", "procrastinate_events", "procrastinate_workers")


@pytest.fixture(scope="session")
def new_database(postgres_server: Any) -> Callable[[], str]:
    """Makes PostgreSQL databases with every table, by copying one: migrating takes longer than most tests."""
    admin = create_engine(postgres_server.get_uri(), isolation_level="AUTOCOMMIT", future=True)
    template = f"turns_{uuid.uuid4().hex[:8]}"
    _run(admin, f"CREATE DATABASE {template}")
    upgrade(postgres_server.get_uri(database=template))
    with_deeds = create_engine(postgres_server.get_uri(database=template), future=True)
    TABLES.create_all(with_deeds)
    with_deeds.dispose()

    def make() -> str:
        name = f"turns_{uuid.uuid4().hex[:12]}"
        _run(admin, f"CREATE DATABASE {name} TEMPLATE {template}")
        return str(postgres_server.get_uri(database=name))

    return make


@pytest.fixture(scope="session")
def _shared_url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def shared_url(_shared_url: str) -> Iterator[str]:
    """A PostgreSQL for several workers, with nothing in it."""
    with engine_for(_shared_url).begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(USED)} RESTART IDENTITY CASCADE"))
    yield _shared_url
    engine_for(_shared_url).dispose()


@pytest.fixture
def own_url(database_url: str) -> str:
    """A SQLite database for one process."""
    TABLES.create_all(engine_for(database_url))
    return database_url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("own_url" if request.param == "sqlite" else "shared_url"))


@pytest.fixture(scope="session")
def _nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def nursery(_nursery: Nursery) -> Iterator[Nursery]:
    yield _nursery
    _nursery.end_all()


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


def _run(admin: Any, statement: str) -> None:
    with admin.connect() as connection:
        connection.execute(text(statement))
