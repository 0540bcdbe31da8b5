"""The ledger of action calls: each is done once, and one that was given up is never done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from actions.call import answer_once, call_under_way
from database import transaction
from messaging.turns import calls
from messaging.turns.calls import Abandoned, AnsweredMeanwhile
from messaging.writes import one_at_a_time
from tests.conftest import NOW
from tests.turns.waiting import GENEROUS
from tests.turns.worker import DEED

KEY = "7/action_cancel_order/1"


@pytest.fixture(autouse=True)
def _our_database(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_DATABASE_URL", url)


def deed() -> dict[str, Any]:
    call = call_under_way()
    assert call is not None
    call.session.execute(insert(DEED).values(turn_id=7, text="cancelled"))
    return {"events": [], "responses": [{"response": f"utter_done_{deeds(call.session)}"}]}


def deeds(session: Any) -> int:
    return len(session.execute(select(DEED.c.id)).all())


def deeds_done(url: str) -> int:
    with transaction(url) as session:
        return deeds(session)


def test_call_that_is_made_again_is_answered_as_the_first_time_and_done_once(url: str) -> None:
    first, again = (answer_once(KEY, "ana", deed) for _ in range(2))
    assert first == again
    assert deeds_done(url) == 1


def test_same_call_twice_at_once_leaves_one_effect(url: str) -> None:
    at_once = Barrier(4)

    def call(_number: int) -> dict[str, Any]:
        at_once.wait(30)
        return answer_once(KEY, "ana", deed)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(call, range(4)))
    assert deeds_done(url) == 1
    assert all(answer == answers[0] for answer in answers)


def test_abandoned_call_cannot_be_done_later(url: str) -> None:
    with transaction(url) as session:
        assert calls.abandon(session, KEY, "ana", NOW) is None
    with pytest.raises(Abandoned):
        answer_once(KEY, "ana", deed)
    assert deeds_done(url) == 0


def test_call_that_is_abandoned_while_it_runs_leaves_nothing(url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("SQLite has one writer: the giving up waits for the deed, or the deed for it")

    def slow() -> dict[str, Any]:
        answer = deed()
        with transaction(url) as session:
            assert calls.abandon(session, KEY, "ana", NOW) is None
        return answer

    with pytest.raises(Abandoned):
        answer_once(KEY, "ana", slow)
    assert deeds_done(url) == 0


def test_call_that_is_given_up_just_before_it_writes_leaves_nothing(url: str) -> None:
    tries = 0

    def slow() -> dict[str, Any]:
        nonlocal tries
        tries += 1
        with transaction(url) as session:
            calls.abandon(session, KEY, "ana", NOW)
        return deed()

    with pytest.raises(Abandoned):
        answer_once(KEY, "ana", slow)
    assert (deeds_done(url), tries) == (0, 1)


def test_giving_up_a_call_that_is_done_gets_its_answer(url: str) -> None:
    answer = answer_once(KEY, "ana", deed)
    with transaction(url) as session:
        assert calls.abandon(session, KEY, "ana", NOW) == answer


def test_giving_up_twice_changes_nothing(url: str) -> None:
    for _ in range(2):
        with transaction(url) as session:
            assert calls.abandon(session, KEY, "ana", NOW) is None


def test_deed_that_fails_leaves_neither_effect_nor_answer(url: str) -> None:
    def fails() -> dict[str, Any]:
        deed()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        answer_once(KEY, "ana", fails)
    assert deeds_done(url) == 0
    with transaction(url) as session:
        assert calls.answer_of(session, KEY) is None


def test_answer_is_not_stored_over_another(url: str) -> None:
    answer_once(KEY, "ana", deed)
    with pytest.raises(AnsweredMeanwhile), transaction(url) as session:
        calls.store(session, KEY, "ana", {"events": []}, NOW)


def test_other_call_of_the_same_turn_is_another_deed(url: str) -> None:
    for key in (KEY, "7/action_cancel_order/2"):
        answer_once(key, "ana", deed)
    assert deeds_done(url) == 2


def test_call_that_the_database_ended_in_favour_of_another_one_is_made_once_more(url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("SQLite has one writer: two never wait for each other")
    has_its_first, has_their_first = Event(), Event()
    tries = 0

    def ours() -> dict[str, Any]:
        nonlocal tries
        tries += 1
        answer = deed()
        call = call_under_way()
        assert call is not None
        one_at_a_time(call.session, "first")
        has_its_first.set()
        assert has_their_first.wait(GENEROUS)
        one_at_a_time(call.session, "second")
        return answer

    def theirs() -> None:
        assert has_its_first.wait(GENEROUS)
        with transaction(url) as session:
            session.execute(text("SET LOCAL deadlock_timeout = '1h'"))  # the call is ended
            one_at_a_time(session, "second")
            has_their_first.set()
            one_at_a_time(session, "first")

    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(theirs)
        answer = answer_once(KEY, "ana", ours)
        other.result(GENEROUS)
    assert answer["responses"] == [{"response": "utter_done_1"}]
    assert (deeds_done(url), tries) == (1, 2)
