"""The desk behind a real server, with one person of each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from database import transaction
from desk import accounts, passwords
from tests.conftest import NOW
from tests.desk.accounts.server import PASSWORD, Desk, Thread

PEOPLE = {"luis": ("Luis", "agent"), "marta": ("Marta", "supervisor"), "ada": ("Ada", "admin")}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.setenv("TENDERO_SECRET", "a secret of the tests, long enough")


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What ours cost is by intention; `test_hashes_cost_what_rfc_9106_recommends` holds them to it."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@cache
def hash_of_password() -> str:
    return passwords.hashed(PASSWORD)


@pytest.fixture
def people(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Luis, Marta and Ada, who sign in as luis, marta and ada with PASSWORD."""
    monkeypatch.setenv("TENDERO_DATABASE_URL", database_url)
    with transaction(database_url) as session:
        for sign_in_name, (name, role) in PEOPLE.items():
            agent = accounts.create(session, name=name, sign_in_name=sign_in_name, role=role, now=NOW)
            agent.password_hash = hash_of_password()


@pytest.fixture
def serve(database_url: str, people: None) -> Iterator[Callable[..., Desk]]:
    """Starts a desk with these credentials."""
    running: list[Desk] = []

    def start(**credentials: Any) -> Desk:
        running.append(Desk(Thread(database_url, credentials), database_url))
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.fixture
def desk(serve: Callable[..., Desk]) -> Desk:
    return serve()
