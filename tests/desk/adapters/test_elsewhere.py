"""What another desk answers is no business of those who answer here, as long as there is that desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import transaction
from desk import waiting
from desk.adapters import chosen
from desk.alerts import Alerts
from desk.rounds import Rounds
from desk.routing import ranks, route
from desk.warnings import Warnings
from messaging import handoffs
from messaging.conversations import owner
from messaging.handoffs.finding import NOBODY
from messaging.models import Handoff, Timer
from tests.desk.people import NOW, agent, asks, minutes, stand, takes


class Elsewhere:
    """A desk for what comes from one channel."""

    name, title = "other", "Zen"

    def concerns(self, handoff: Any) -> bool:
        return bool(handoff.channel == "whatsapp")


@pytest.fixture
def desk() -> Iterator[Elsewhere]:
    desk: Any = Elsewhere()
    chosen.choose(desk)
    yield desk
    chosen.forget(desk)


def theirs(session: Session, sender: str = "s1", marked: str | None = "other:4711", **changes: Any) -> int:
    id_ = asks(session, sender, channel="whatsapp", **changes)
    handoffs.by_id(session, id_).external = marked
    session.flush()
    return id_


@pytest.mark.parametrize("marked", ["other:4711", None])
def test_it_is_not_given_to_people_here_nor_counted_among_those_who_wait(
    session: Session, desk: Elsewhere, marked: str | None
) -> None:
    agent(session, "Ana", capacity=1)
    there, here = theirs(session, marked=marked), asks(session, "s2")
    assert route(session, NOW) == [here]
    assert stand(session, there) == ("waiting", None)
    also_here = asks(session, "s3")
    route(session, NOW)
    assert list(ranks(session)) == [(also_here, 1)]


@pytest.mark.parametrize("marked", ["other:4711", None])
def test_neither_shoppers_nor_people_here_hear_of_its_clock(session: Session, desk: Elsewhere, marked: str | None) -> None:
    theirs(session, marked=marked)
    route(session, NOW)
    assert waiting.tell(session, NOW + minutes(300)) == 0
    assert Warnings(Alerts()).tell(session, NOW + minutes(300)) == []


def test_places_in_the_queue_are_among_those_whom_the_same_people_answer(session: Session, desk: Elsewhere) -> None:
    there = [theirs(session, f"w{number}") for number in range(2)]
    here = [asks(session, f"s{number}", NOW + minutes(1)) for number in range(2)]
    not_taken = theirs(session, "w3", NOBODY, now=NOW + minutes(2))
    assert [handoffs.position(session, each) for each in [*there, *here, not_taken]] == [1, 2, 1, 2, 3]


def test_what_one_of_ours_has_taken_from_there_has_its_clock_here(session: Session, desk: Elsewhere) -> None:
    id_ = theirs(session)
    takes(session, id_, "Ana")
    assert not chosen.is_answered_elsewhere(handoffs.by_id(session, id_))
    assert Warnings(Alerts()).tell(session, NOW + minutes(300))


def test_a_desk_that_is_gone_leaves_what_waits_to_people_here(url: str) -> None:
    with transaction(url) as session:
        agent(session, "Ana")
        id_ = theirs(session)
    Rounds(url, ways=Alerts()).once(NOW)
    with transaction(url) as session:
        assert stand(session, id_) == ("assigned", "Ana")
        assert handoffs.by_id(session, id_).external == NOBODY


def test_a_desk_that_is_gone_holds_no_conversation(session: Session) -> None:
    there, ours, ended = (theirs(session, f"s{number}") for number in range(3))
    takes(session, there, "Marta · Zen", lease=None)
    takes(session, ours, "Ana")
    takes(session, ended, "Marta · Zen", lease=None)
    handoffs.resolve(session, ended, NOW)
    assert [chosen.take_back(session, NOW) for _ in range(2)] == [2, 0]
    assert [stand(session, each)[0] for each in (there, ours, ended)] == ["waiting", "assigned", "resolved"]
    assert owner(session, "s0") == "queue"


def test_as_long_as_the_desk_is_there_nothing_is_taken_from_it(session: Session, desk: Elsewhere) -> None:
    id_ = theirs(session)
    takes(session, id_, "Marta · Zen", lease=None)
    assert chosen.take_back(session, NOW) == 0
    assert stand(session, id_) == ("assigned", "Marta · Zen")
    assert not list(session.execute(select(Timer).where(Timer.details["response"].as_string() == "utter_agent_left")).scalars())
    assert list(session.execute(select(Handoff.external)).scalars()) == ["other:4711"]
