"""An action's call while others write to the same SQLite file."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from actions.call import answer_once, call_under_way
from database import transaction
from messaging.models import ActionCall

ANSWER: dict[str, Any] = {"events": [], "responses": [{"text": "here"}]}


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TENDERO_DATABASE_URL", database_url)
    return database_url


def write(session: Any, key: str) -> None:
    from tests.conftest import NOW

    session.add(ActionCall(key=key, sender_id="other", state="done", answer="{}", at=NOW))


def keys() -> set[str]:
    with transaction() as session:
        return set(session.execute(select(ActionCall.key)).scalars())


class Action:
    """Reads; then, while it runs for the first time, somebody else writes; then it may write, too."""

    def __init__(self, writes: bool) -> None:
        self.writes = writes
        self.runs = 0

    def __call__(self) -> dict[str, Any]:
        self.runs += 1
        call = call_under_way()
        assert call is not None
        call.session.execute(select(ActionCall.key)).all()
        if self.runs == 1:
            with transaction() as other:
                write(other, "somebody else's")
        if self.writes:
            write(call.session, "its own")
        return ANSWER


def test_action_that_only_reads_runs_once_though_somebody_writes_meanwhile(url: str) -> None:
    action = Action(writes=False)
    assert answer_once("turn/1", "ana", action) == ANSWER
    assert (action.runs, keys()) == (1, {"turn/1", "somebody else's"})
    assert answer_once("turn/1", "ana", action) == ANSWER
    assert action.runs == 1


def test_action_that_writes_runs_once_more_where_it_was_overtaken_and_writes_once(url: str) -> None:
    action = Action(writes=True)
    assert answer_once("turn/1", "ana", action) == ANSWER
    assert (action.runs, keys()) == (2, {"turn/1", "somebody else's", "its own"})
