"""Timers come into the inbox when they are due: once each, and whatever restarts meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import select

from database import engine_for, transaction
from messaging.models import InboundMessage
from messaging.turns import inbox, timers
from tests.conftest import NOW

SOON = NOW + timedelta(minutes=10)


def set_timer(url: str, due_at: datetime, key: str = "callback:ana") -> None:
    with transaction(url) as session:
        timers.set_timer(
            session, key=key, sender_id="ana", channel="chat", kind="callback", due_at=due_at, details={"handoff": 3}
        )


def fire(url: str, now: datetime) -> int:
    """How many fired, each put into the inbox in the same transaction."""
    with transaction(url) as session:
        return sum(inbox.receive(session, inbound, now).is_new for inbound in timers.due(session, now))


def test_timer_fires_once_when_it_is_due(url: str) -> None:
    set_timer(url, SOON)
    assert [fire(url, NOW), fire(url, SOON), fire(url, SOON), fire(url, SOON + timedelta(days=1))] == [0, 1, 0, 0]
    with transaction(url) as session:
        row = session.execute(select(InboundMessage)).scalar_one()
        assert (row.kind, row.sender_id, row.channel) == ("timer", "ana", "chat")
        assert (row.details["timer"], row.details["handoff"]) == ("callback", 3)


def test_timer_that_many_look_for_at_once_fires_once(url: str) -> None:
    set_timer(url, SOON)
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: fire(url, SOON), range(16))) == 1


def test_same_cause_again_moves_the_timer(url: str) -> None:
    set_timer(url, SOON)
    set_timer(url, SOON + timedelta(hours=1))
    assert [fire(url, SOON), fire(url, SOON + timedelta(hours=1))] == [0, 1]


def test_timer_that_has_fired_can_be_set_anew(url: str) -> None:
    set_timer(url, SOON)
    fire(url, SOON)
    set_timer(url, SOON + timedelta(hours=1))
    assert fire(url, SOON + timedelta(hours=1)) == 1


def test_cancelled_timer_does_not_fire(url: str) -> None:
    set_timer(url, SOON)
    with transaction(url) as session:
        assert timers.cancel_timer(session, "callback:ana")
        assert not timers.cancel_timer(session, "callback:ana")
    assert fire(url, SOON) == 0


def test_timer_whose_process_died_while_it_fired_fires_again(url: str) -> None:
    set_timer(url, SOON)
    try:
        with transaction(url) as session:
            assert [inbound.kind for inbound in timers.due(session, SOON)] == ["timer"]
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert fire(url, SOON) == 1


def test_timer_survives_the_process_that_set_it(url: str) -> None:
    set_timer(url, SOON)
    engine_for(url).dispose()
    engine_for.cache_clear()
    assert fire(url, SOON) == 1


def test_next_timer_is_known(own_url: str) -> None:
    with transaction(own_url) as session:
        assert timers.seconds_to_next(session, NOW) is None
    set_timer(own_url, SOON)
    set_timer(own_url, SOON + timedelta(hours=1), "idle:ana")
    with transaction(own_url) as session:
        assert timers.seconds_to_next(session, NOW) == 600
        assert timers.seconds_to_next(session, SOON + timedelta(days=1)) == 0
