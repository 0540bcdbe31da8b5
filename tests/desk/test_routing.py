"""Who gets which conversation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from desk.models import Agent
from desk.routing import ranks, route
from messaging import handoffs
from messaging.models import Handoff
from tests.desk.people import LEASE, NOW, agent, asks, by_agent, events, minutes, stand, takes


def test_new_conversation_gets_the_queue_of_its_topic_and_its_priority(session: Session) -> None:
    first = asks(session, "s1", goal="request_return")
    second = asks(session, "s2", goal=None, reason="anger")
    route(session, NOW)
    placed = [(handoffs.by_id(session, each).queue, handoffs.by_id(session, each).priority) for each in (first, second)]
    assert placed == [("returns", 0), ("general", 10)]


def test_conversation_that_was_taken_at_once_gets_its_queue_too(session: Session) -> None:
    handoff = asks(session)
    takes(session, handoff, "Ana")
    route(session, NOW)
    assert handoffs.by_id(session, handoff).queue == "orders"


def test_queue_that_is_gone_from_the_rules_is_chosen_anew(session: Session) -> None:
    handoff = asks(session)
    handoffs.place(session, handoff, "sold", 7, NOW)
    route(session, NOW)
    assert handoffs.by_id(session, handoff).queue == "orders"


def test_agent_whose_queues_are_all_gone_works_in_all_of_them(session: Session) -> None:
    agent(session, "Ana", queues=["sold", "lent"])
    handoff = asks(session)
    assert route(session, NOW) == [handoff]


def test_agent_of_whom_one_queue_is_left_works_in_that_one(session: Session) -> None:
    agent(session, "Ana", queues=["sold", "returns"])
    asks(session)
    returns = asks(session, "s2", goal="request_return")
    assert route(session, NOW) == [returns]


def test_conversation_in_somebodys_hands_gets_a_queue_that_there_is_and_stays_theirs(session: Session) -> None:
    handoff = asks(session)
    takes(session, handoff, "Ana")
    handoffs.place(session, handoff, "sold", 7, NOW)
    route(session, NOW)
    assert (handoffs.by_id(session, handoff).queue, *stand(session, handoff)) == ("orders", "assigned", "Ana")


def test_conversations_go_round_and_nobody_gets_more_than_they_can_have(session: Session) -> None:
    agent(session, "Ana", capacity=2)
    agent(session, "Bea", capacity=1)
    for number in range(4):
        asks(session, f"s{number}", NOW - minutes(10 - number))
    route(session, NOW)
    assert by_agent(session) == {"Ana": 2, "Bea": 1}
    assert [place for _, place in ranks(session)] == [1]


def test_who_had_none_for_the_longest_is_next(session: Session) -> None:
    for name, ago in (("Ana", 1), ("Bea", 30), ("Caro", 10)):
        agent(session, name, last_assigned_at=NOW - minutes(ago))
    given = [asks(session, f"s{number}", NOW + timedelta(seconds=number)) for number in range(3)]
    for number, handoff in enumerate(given):
        route(session, NOW + timedelta(seconds=number))
        assert stand(session, handoff)[0] == "assigned"
    assert [stand(session, handoff)[1] for handoff in given] == ["Bea", "Caro", "Ana"]


def test_newcomer_comes_before_those_who_had_some(session: Session) -> None:
    agent(session, "Ana", last_assigned_at=NOW - minutes(60))
    agent(session, "Bea")
    handoff = asks(session)
    route(session, NOW)
    assert stand(session, handoff) == ("assigned", "Bea")


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "away"},
        {"is_active": False},
        {"seen_at": None},
        {"seen_at": NOW - timedelta(seconds=120)},
        {"languages": ["en", "nb"]},
        {"queues": ["returns"]},
        {"capacity": 0},
    ],
)
def test_nothing_goes_to_who_is_not_there_or_does_not_fit(session: Session, columns: dict[str, object]) -> None:
    agent(session, "Ana", **columns)
    handoff = asks(session)
    assert route(session, NOW) == []
    assert stand(session, handoff) == ("waiting", None)


def test_language_and_queue_that_fit_are_enough(session: Session) -> None:
    agent(session, "Ana", languages=["es"], queues=["orders"])
    handoff = asks(session)
    assert route(session, NOW) == [handoff]


def test_urgent_one_goes_first_then_whoever_asked_first(session: Session) -> None:
    agent(session, "Ana", capacity=2)
    early, late = asks(session, "s1"), asks(session, "s2", NOW + minutes(1))
    angry = asks(session, "s3", NOW + minutes(2), reason="anger")
    assert route(session, NOW + minutes(2)) == []  # she was seen two minutes ago
    session.execute(update(Agent).values(seen_at=NOW + minutes(2)))
    assert route(session, NOW + minutes(2)) == [angry, early]
    assert stand(session, late)[0] == "waiting"


def test_call_back_is_not_handed_out_before_its_time(session: Session) -> None:
    agent(session, "Ana")
    handoff = asks(session)
    session.execute(update(Handoff).values(status="callback", callback_at=NOW + minutes(60)))
    assert route(session, NOW) == []
    assert handoffs.by_id(session, handoff).queue == "orders"


def test_what_is_put_aside_leaves_room(session: Session) -> None:
    agent(session, "Ana", capacity=1)
    first = asks(session, "s1")
    route(session, NOW)
    handoffs.snooze(session, first, "Ana", NOW + minutes(60), NOW)
    second = asks(session, "s2")
    assert route(session, NOW) == [second]


def test_conversation_that_is_handed_out_has_a_lease_and_nobody_has_taken_it_by_hand(session: Session) -> None:
    agent(session, "Ana")
    handoff = asks(session)
    route(session, NOW)
    assert handoffs.by_id(session, handoff).lease_until == NOW + LEASE
    assert [(event.by, event.details["agent"]) for event in events(session, handoff, "assigned")] == [("", "Ana")]


def test_who_put_it_back_does_not_get_it_again_by_itself(session: Session) -> None:
    agent(session, "Ana")
    handoff = asks(session)
    route(session, NOW)
    handoffs.release(session, handoff, "Ana", NOW)
    assert route(session, NOW) == []
    agent(session, "Bea")
    assert route(session, NOW) == [handoff]
    assert stand(session, handoff) == ("assigned", "Bea")


def test_who_passed_it_on_to_a_queue_does_not_get_it_again_by_itself(session: Session) -> None:
    agent(session, "Ana")
    handoff = asks(session)
    route(session, NOW)
    handoffs.transfer(session, handoff, NOW, by="Ana", queue="returns")
    assert route(session, NOW) == []
    takes(session, handoff, "Ana")  # but she may take it


def test_who_was_cut_off_gets_it_again(session: Session) -> None:
    agent(session, "Ana", NOW + LEASE)
    handoff = asks(session)
    takes(session, handoff, "Ana")
    assert len(handoffs.lose_overdue(session, NOW + LEASE)) == 1
    assert route(session, NOW + LEASE) == [handoff]
