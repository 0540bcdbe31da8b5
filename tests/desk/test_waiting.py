"""Whoever waits longer than they were told hears of it, and not more often than the rules say."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from desk import waiting
from desk.routing import route
from desk.rules import kept_rules
from desk.waiting import CLOSED, LONGER, estimate, in_words
from messaging import handoffs
from messaging.handoffs import knows_when, note_told
from messaging.models import Timer
from tests.desk.people import NIGHT, NOW, OPENING, SUPPORT, agent, asks, events, minutes, takes


def waits(session: Session, sender: str = "s1", now: datetime = NOW, told: int = 5) -> int:
    """Somebody who was told this many minutes."""
    handoff = asks(session, sender, now)
    note_told(session, handoffs.by_id(session, handoff), now, position=1, minutes=told)
    route(session, now)
    return handoff


def said(session: Session) -> list[dict[str, Any]]:
    """What the assistant is to say, the oldest first."""
    found = session.execute(select(Timer).where(Timer.kind == "notice").order_by(Timer.id)).scalars()
    return [{**timer.details, "sender": timer.sender_id, "at": timer.due_at} for timer in found]


def test_shopper_is_told_place_and_estimate_once_the_wait_exceeds_what_they_were_told(session: Session) -> None:
    waits(session, told=5)
    assert [waiting.tell(session, NOW + minutes(after)) for after in (1, 3, 4.9, 5)] == [0, 0, 0, 1]
    assert said(session) == [
        {
            "response": LONGER,
            "values": {"position": 1, "minutes": 5},
            "owners": ["queue"],
            "sender": "s1",
            "at": NOW + minutes(5),
        }
    ]


def test_who_was_told_the_truth_hears_nothing(session: Session) -> None:
    waits(session, told=40)
    assert [waiting.tell(session, NOW + minutes(after)) for after in (5, 15, 25)] == [0, 0, 0]


def test_what_is_told_again_is_never_less_than_half_of_what_was_waited(session: Session) -> None:
    waits(session)
    for after in range(1, 121):
        waiting.tell(session, NOW + minutes(after))
    told = [(int((each["at"] - NOW).total_seconds() // 60), each["values"]["minutes"]) for each in said(session)]
    assert all(estimated >= after / 2 for after, estimated in told)
    assert len(told) <= 8  # in two hours: each estimate is longer than the one before
    assert all(later[0] - earlier[0] >= 5 for earlier, later in pairwise(told))


def test_place_is_that_in_the_queue(session: Session) -> None:
    for number in range(3):
        waits(session, f"s{number}", NOW + timedelta(seconds=number))
    asks(session, "other", NOW - minutes(1), goal="request_return")  # of another queue
    route(session, NOW)
    waiting.tell(session, NOW + minutes(20))
    assert [(each["sender"], each["values"]["position"]) for each in said(session)] == [
        ("s0", 1),
        ("s1", 2),
        ("s2", 3),
        ("other", 1),
    ]


def test_estimate_is_of_who_was_helped_of_late_where_there_were_enough(session: Session) -> None:
    agent(session, "Ana")
    for number in range(12):  # one every ten minutes in the last two hours
        at = NOW + minutes(4 - 10 * number)
        handoff = asks(session, f"done{number}", at)
        route(session, at)
        if handoffs.by_id(session, handoff).status == "waiting":
            takes(session, handoff, "Ana", at)
    for number in range(3):
        waits(session, f"s{number}", NOW, told=1)
    waiting.tell(session, NOW + minutes(5))
    told = {each["sender"]: each["values"] for each in said(session)}
    assert told["s0"]["minutes"] == 10
    assert told["s2"] == {"position": 3, "minutes": 30}


@pytest.mark.parametrize(
    ("place", "waited", "pace", "minutes_told"),
    [
        (1, 0, None, 5),  # the file's
        (4, 0, None, 15),  # 5, and 2 for each of the three before: 11, rounded up
        (3, 0, 4.0, 15),
        (1, 0, 0.2, 1),
        (1, 60, 1.0, 30),
    ],
)
def test_estimate(place: int, waited: float, pace: float | None, minutes_told: int) -> None:
    assert estimate(place, waited, pace, SUPPORT, NOW) == minutes_told


def test_who_still_waits_when_people_go_home_is_told_once_when_they_are_back(session: Session) -> None:
    evening = NIGHT - timedelta(hours=2, minutes=2)
    handoff = waits(session, now=evening)
    route(session, evening)
    assert [waiting.tell(session, NIGHT + minutes(after)) for after in (-120, -60, 0, 300)] == [1, 0, 0, 0]
    (told,) = said(session)
    assert told["response"] == CLOSED
    assert told["values"] == {"day": "jueves 19 noviembre", "time": "9:00", "city": "Ciudad de México"}
    assert knows_when(session, handoffs.by_id(session, handoff))


def test_after_the_opening_the_promise_is_from_then_on(session: Session) -> None:
    waits(session, now=NIGHT - timedelta(hours=2, minutes=2))
    waiting.tell(session, NIGHT)
    assert waiting.tell(session, OPENING + minutes(2)) == 0
    assert waiting.tell(session, OPENING + minutes(6)) == 1
    assert said(session)[-1]["response"] == LONGER


def test_who_has_somebody_or_a_call_back_is_told_nothing(session: Session) -> None:
    taken = waits(session)
    takes(session, taken, "Ana")
    asks(session, "s2", NIGHT)
    assert waiting.tell(session, NOW + minutes(60)) == 0
    assert waiting.tell(session, NIGHT + minutes(60)) == 0


def test_who_was_told_nothing_is_measured_by_the_usual_wait(session: Session) -> None:
    handoff = asks(session)  # a failure called for a person
    route(session, NOW)
    assert [waiting.tell(session, NOW + minutes(after)) for after in (2, 6)] == [0, 1]
    assert [event.details for event in events(session, handoff, "told")] == [{"position": 1, "minutes": 5}]


def test_rules_say_how_often_and_how_much_later(session: Session) -> None:
    assert kept_rules().waiting.every == minutes(5)
    assert kept_rules().waiting.slack == minutes(3)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", {"day": "Thursday 19 November", "time": "9:00\u202fAM", "city": "Mexico City"}),
        ("pt", {"day": "quinta-feira 19 novembro", "time": "09:00", "city": "Cidade do México"}),
        ("nb", {"day": "torsdag 19 november", "time": "09:00", "city": "Mexico by"}),
        ("xx-unknown", {"day": "Thursday 19 November", "time": "9:00\u202fAM", "city": "Mexico City"}),
    ],
)
def test_opening_is_told_as_the_language_writes_it(language: str, words: dict[str, str]) -> None:
    assert in_words(OPENING, SUPPORT, language) == words
