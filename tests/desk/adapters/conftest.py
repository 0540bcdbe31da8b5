"""Servers of adapters, a database, and stand-ins for other desks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.desk.adapters.chatwoot_stand_in import Chatwoot
from tests.desk.adapters.server import Running


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.setenv("TENDERO_SECRET", "a secret of the tests, long enough")
    return tmp_path


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TENDERO_DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def chatwoot() -> Iterator[Chatwoot]:
    stand_in = Chatwoot()
    yield stand_in
    stand_in.close()


@pytest.fixture
def serve(url: str) -> Iterator[Callable[[Any], Running]]:
    running: list[Running] = []

    def start(channel: Any) -> Running:
        running.append(Running(channel, url))
        return running[-1]

    yield start
    for each in running:
        each.close()
