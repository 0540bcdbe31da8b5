"""The connector behind a real server and a real database, and clients that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bot.webchat.server import SOON, Served, StandIn, Thread
from tests.webchat_client import Client

KEY = "a secret of the tests, long enough"
OVER = ("socket", "exchange")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.setenv("TENDERO_SECRET", KEY)


@pytest.fixture
def serve(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Served]]:
    """Starts a server: its credentials, the engine's `limits`, and how many `seconds` a turn takes."""
    running: list[Thread] = []

    def start(url: str = database_url, seconds: float = 0.0, limits: Any = SOON, **credentials: Any) -> Served:
        monkeypatch.setenv("TENDERO_DATABASE_URL", url)
        running.append(Thread(url, StandIn(seconds), credentials, limits))
        return Served(running[-1], url)

    yield start
    for each in running:
        each.close()


@pytest.fixture
def server(serve: Callable[..., Served]) -> Served:
    return serve()


@pytest.fixture
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Client]]:
    """Makes clients of `server`, or of another one, who have not said hello yet."""
    made: list[Client] = []

    def client(over: Any = "socket", to: Served | None = None, **more: Any) -> Client:
        made.append(Client((to or request.getfixturevalue("server")).url, over, **more))
        return made[-1]

    yield client
    for each in made:
        each.close()


@pytest.fixture(params=OVER)
def client(request: pytest.FixtureRequest, connect: Callable[..., Client]) -> Client:
    """One that has been welcomed, over each of the two ways."""
    made = connect(request.param)
    made.hello()
    return made
