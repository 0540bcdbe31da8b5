"""Two servers on one PostgreSQL, a process each: what is done at the one is at the pages of the other within a second."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import pytest

from database import transaction
from desk import accounts, news, sessions
from messaging.turns.inbox import Inbound, receive
from tests.desk.live.conftest import DATA, KEY, Desk
from tests.desk_client import DeskClient
from tests.turns.conftest import new_database  # noqa: F401

SOON = 1.0


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:  # noqa: F811
    return new_database()


@pytest.fixture
def here(url: str, open_desk: Callable[..., Desk]) -> Desk:
    return open_desk(url)


@pytest.fixture
def elsewhere(url: str, here: Desk) -> Iterator[str]:
    """The address of the other server."""
    environment = {**os.environ, "TENDERO_DATABASE_URL": url, "TENDERO_SECRET": KEY, "TENDERO_DATA": str(DATA)}
    command = [sys.executable, "-m", "bench.desk.server", url, "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


def _agent(url: str, address: str, name: str) -> DeskClient:
    now = datetime.now(timezone.utc)
    with transaction(url) as session:
        agent = accounts.create(session, name=name, sign_in_name=name.lower(), now=now)
        return DeskClient(address, sessions.open_session(session, agent, "password", "", now).token)


def test_what_is_done_at_one_server_is_seen_at_the_other(url: str, here: Desk, elsewhere: str) -> None:
    here.is_known_on_whatsapp("wa-1")
    handoff = here.asks("wa-1")
    marta = here.agent("Marta")
    with _agent(url, elsewhere, "Luis") as luis:
        for each in (marta, luis):
            each.hello()
            each.watch(handoff)
        time.sleep(1.0)  # so that both listen to who types
        written = here.writes("hola")
        for each in (marta, luis):
            each.until_known(lambda each=each: f"i{written}" in each.entries, SOON)  # type: ignore[misc]
        assert marta.move(handoff, "take")["assignee"] == "Marta"
        assert luis.post(f"handoffs/{handoff}/take").json() == {"error": "taken", "by": "Marta"}
        luis.until_known(lambda: luis.items[handoff]["assignee"] == "Marta", SOON)
        marta.until_known(lambda: marta.items[handoff]["assignee"] == "Marta", SOON)
        marta.send(type="typing", handoff=handoff, on=True)
        luis.until(lambda frame: frame == {"type": "typing", "handoff": handoff, "by": "Marta", "on": True}, SOON)
        entry = marta.say(handoff, "buenas").json()["entry"]["id"]
        luis.until_known(lambda: luis.entries.get(entry, {}).get("mark") == "sent", 5)
        there = {agent["name"]: agent["is_there"] for agent in luis.get("agents").json()}
        assert there == {"Luis": True, "Marta": True}


def test_a_row_that_is_committed_after_a_later_one_is_told_all_the_same(url: str) -> None:
    """PostgreSQL gives an id out before the row can be seen."""
    now = datetime.now(timezone.utc)

    def message(name: str) -> Inbound:
        return Inbound("whatsapp", name, "wa-9", name)

    def told(marks: news.Marks) -> tuple[list[int], news.Marks]:
        with transaction(url) as session:
            found, after = news.since(session, marks)
            return [row.id for row in found["i"]], after

    with transaction(url) as session:
        marks = news.now_at(session)
    with transaction(url) as slow:
        early = receive(slow, message("early"), now).id
        with transaction(url) as quick:
            late = receive(quick, message("late"), now).id
        first, marks = told(marks)
    second, marks = told(marks)
    third, _ = told(marks)
    assert early < late
    assert (first, second, third) == ([late], [early], [])
