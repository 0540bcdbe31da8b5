"""Taken, passed on, put aside, let go, lost and woken: who has it, whose the conversation is, and what was noted of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.agent_messages import say
from messaging.conversations import owner
from messaging.handoffs import (
    AlreadyTaken,
    IllegalMove,
    by_id,
    give_back,
    holder,
    lose_overdue,
    note_agent_wrote,
    note_shoppers_wrote,
    place,
    position,
    release,
    renew,
    resolve,
    snooze,
    take,
    transfer,
    wake,
    wake_due,
)
from messaging.models import Handoff, HandoffEvent, HandoffNote, OutboundMessage, Timer
from messaging.notices import say_soon
from messaging.turns import outbox
from tests.messaging.test_handoffs import asked

LEASE = timedelta(minutes=2)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def id_(session: Session, now: datetime) -> int:
    return int(asked(session, now).handoff.id)


def happened(session: Session, *names: str) -> list[Any]:
    """Events, the oldest first: their kinds, or (kind, these of their details)."""
    events = session.execute(select(HandoffEvent).order_by(HandoffEvent.id)).scalars()
    return [(each.kind, *(each.details.get(name) for name in names)) if names else each.kind for each in events]


def stands(session: Session, id_: int) -> tuple[str, str | None, str]:
    handoff = by_id(session, id_)
    return handoff.status, handoff.assignee, owner(session, handoff.sender_id)


# Taking


def test_supervisor_takes_over_and_it_is_noted_from_whom(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now, lease=LEASE)
    with pytest.raises(AlreadyTaken):
        take(session, id_, "boss", now)
    handoff = take(session, id_, "boss", now, over=True, lease=LEASE)
    assert (handoff.assignee, handoff.lease_until, holder(session, "s1")) == ("boss", now + LEASE, "boss")
    assert happened(session, "agent", "earlier")[1:] == [("assigned", "eva", None), ("assigned", "boss", "eva")]
    with pytest.raises(AlreadyTaken, match="is with boss"):
        take(session, id_, "boss", now, over=True)


def test_who_was_given_it_is_told_apart_from_who_took_it(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now, by="")
    assert session.execute(select(HandoffEvent.by).where(HandoffEvent.kind == "assigned")).scalar_one() == ""


# Letting go


def test_released_one_waits_at_its_old_place_with_its_clock(session: Session, id_: int, now: datetime) -> None:
    asked(session, now + MINUTE, "s2")
    take(session, id_, "eva", now, lease=LEASE)
    note_shoppers_wrote(session, ["s1"], now + MINUTE)
    handoff = release(session, id_, "eva", now + MINUTE)
    assert stands(session, id_) == ("waiting", None, "queue")
    assert (position(session, id_), handoff.awaiting_since, handoff.lease_until) == (1, now, None)
    assert happened(session, "agent")[-1] == ("released", "eva")
    with pytest.raises(IllegalMove, match="Only one that somebody has taken can go back to the queue"):
        release(session, id_, "eva", now)


@pytest.mark.parametrize(
    "move",
    [
        lambda session, id_, now: release(session, id_, "leo", now),
        lambda session, id_, now: snooze(session, id_, "leo", now + MINUTE, now),
        lambda session, id_, now: transfer(session, id_, now, by="leo", queue="returns"),
        lambda session, id_, now: transfer(session, id_, now, by="leo", agent="zoe"),
        lambda session, id_, now: give_back(session, id_, now, by="leo"),
        lambda session, id_, now: resolve(session, id_, now, by="leo"),
    ],
)
def test_nobody_moves_what_another_has(session: Session, id_: int, now: datetime, move: Callable[..., Any]) -> None:
    take(session, id_, "eva", now)
    with pytest.raises(AlreadyTaken, match="is with eva"):
        move(session, id_, now)
    assert stands(session, id_) == ("assigned", "eva", "agent")


@pytest.mark.parametrize(
    "move",
    [
        lambda session, id_, now: transfer(session, id_, now, by="boss", agent="zoe", over=True),
        lambda session, id_, now: give_back(session, id_, now, by="boss", over=True),
        lambda session, id_, now: resolve(session, id_, now, by="boss", over=True),
    ],
)
def test_who_may_take_over_may_move_it_at_once(session: Session, id_: int, now: datetime, move: Callable[..., Any]) -> None:
    take(session, id_, "eva", now)
    move(session, id_, now)
    assert stands(session, id_)[1:] != ("eva", "agent")


# Passing on


def test_passed_on_to_a_person_it_is_theirs_and_the_note_is_private(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now, lease=LEASE)
    handoff = transfer(session, id_, now, by="eva", agent="leo", lease=3 * LEASE, note="4111 1111 1111 1111 was refused")
    assert stands(session, id_) == ("assigned", "leo", "agent")
    assert handoff.lease_until == now + 3 * LEASE
    assert happened(session, "agent", "earlier")[-1] == ("transferred", "leo", "eva")
    note = session.execute(select(HandoffNote)).scalar_one()
    assert (note.by, note.text) == ("eva", "[card] was refused")


def test_passed_on_to_a_queue_it_waits_there(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now, lease=LEASE)
    assert transfer(session, id_, now, by="eva", queue="returns").queue == "returns"
    assert stands(session, id_) == ("waiting", None, "queue")
    assert happened(session, "queue", "earlier")[-1] == ("transferred", "returns", "eva")


def test_what_waits_can_be_passed_on_too_and_a_call_back_stays_one(session: Session, now: datetime) -> None:
    night = now.replace(hour=3)
    id_ = int(asked(session, night).handoff.id)
    transfer(session, id_, night, by="boss", queue="returns")
    assert stands(session, id_) == ("callback", None, "bot")
    transfer(session, id_, night, by="boss", agent="leo")
    assert stands(session, id_) == ("assigned", "leo", "agent")


def test_transfer_has_one_aim_and_not_who_has_it(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now)
    for aims in ({}, {"queue": "returns", "agent": "leo"}):
        with pytest.raises(ValueError, match="either to a queue or to a person"):
            transfer(session, id_, now, by="eva", **aims)
    with pytest.raises(AlreadyTaken):
        transfer(session, id_, now, by="eva", agent="eva")
    resolve(session, id_, now)
    with pytest.raises(IllegalMove, match="Only one that is open can be passed on"):
        transfer(session, id_, now, by="eva", queue="returns")


def test_placing_is_noted_once(session: Session, id_: int, now: datetime) -> None:
    for _ in range(2):
        assert place(session, id_, "returns", 2, now).priority == 2
    assert happened(session, "queue", "priority")[1:] == [("queued", "returns", 2)]


# Putting aside


def test_what_is_put_aside_stays_with_its_person_until_its_time(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now, lease=LEASE)
    assert snooze(session, id_, "eva", now + 5 * MINUTE, now).snoozed_until == now + 5 * MINUTE
    assert (wake_due(session, now + 4 * MINUTE), lose_overdue(session, now + 4 * MINUTE)) == ([], [])
    assert [woken.id for woken in wake_due(session, now + 5 * MINUTE)] == [id_]
    assert stands(session, id_) == ("assigned", "eva", "agent")
    assert wake_due(session, now + 5 * MINUTE) == []
    assert happened(session, "why")[-1] == ("woken", "time")
    assert len(lose_overdue(session, now + 5 * MINUTE)) == 1  # nobody was there


def test_shopper_wakes_what_was_put_aside(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now)
    note_agent_wrote(session, id_, now)
    snooze(session, id_, "eva", now + MINUTE, now)
    note_shoppers_wrote(session, ["s1"], now)
    handoff = by_id(session, id_)
    assert (handoff.snoozed_until, handoff.awaiting_since) == (None, now)
    assert happened(session, "why")[-1] == ("woken", "shopper")


def test_waking_needs_sleep_and_sleep_a_later_moment(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now)
    with pytest.raises(IllegalMove, match="Only one that was put aside can be woken"):
        wake(session, id_, now)
    with pytest.raises(ValueError, match="later moment"):
        snooze(session, id_, "eva", now, now)
    snooze(session, id_, "eva", now + MINUTE, now)
    assert wake(session, id_, now, by="eva").snoozed_until is None


# Leases


def test_lease_that_is_over_loses_it_and_the_clock_goes_on(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now, lease=LEASE)
    assert lose_overdue(session, now + LEASE - MINUTE) == []
    assert [lost.id for lost in lose_overdue(session, now + LEASE)] == [id_]
    assert stands(session, id_) == ("waiting", None, "queue")
    assert by_id(session, id_).awaiting_since == now
    assert happened(session, "agent")[-1] == ("lost", "eva")
    assert lose_overdue(session, now + LEASE) == []


def test_lease_that_is_renewed_is_not_over(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now, lease=LEASE)
    take(session, asked(session, now, "s2").handoff.id, "leo", now, lease=LEASE)
    assert renew(session, ["eva"], now + MINUTE, LEASE) == 1
    assert [lost.sender_id for lost in lose_overdue(session, now + LEASE)] == ["s2"]
    assert renew(session, ["leo"], now + LEASE, LEASE) == 0  # it is not his any more


def test_what_was_taken_without_a_lease_is_never_lost(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now)
    assert renew(session, ["eva"], now, LEASE) == 0
    assert lose_overdue(session, now + timedelta(days=400)) == []


# Since when a shopper waits


def test_shopper_waits_from_the_asking_until_a_person_writes(session: Session, id_: int, now: datetime) -> None:
    later = [now + minutes * MINUTE for minutes in range(6)]
    note_shoppers_wrote(session, ["s1"], later[1])
    assert by_id(session, id_).awaiting_since == now
    take(session, id_, "eva", later[2])
    note_agent_wrote(session, id_, later[2])
    note_agent_wrote(session, id_, later[3])
    handoff = by_id(session, id_)
    assert (handoff.awaiting_since, handoff.first_reply_at, handoff.last_reply_at) == (None, later[2], later[3])
    note_shoppers_wrote(session, ["s1"], later[4])
    note_shoppers_wrote(session, ["s1"], later[5])
    assert by_id(session, id_).awaiting_since == later[4]
    resolve(session, id_, later[5])
    note_shoppers_wrote(session, ["s1"], later[5])
    assert by_id(session, id_).awaiting_since is None


def test_reason_and_topic_of_the_end_are_kept(session: Session, id_: int, now: datetime) -> None:
    handoff = resolve(session, id_, now, by="eva", reason="solved", topic="request_return")
    assert (handoff.resolution, handoff.topic) == ("solved", "request_return")
    assert happened(session, "resolution", "topic")[-1] == ("resolved", "solved", "request_return")


# What the assistant said, and what the shopper is told


def reply(session: Session, now: datetime, state: str, author: str = "assistant", sender: str = "s1") -> None:
    turn = len(session.execute(select(OutboundMessage)).all()) + 1
    about = {"turn_id": turn, "channel": "chat", "sender_id": sender, "trace_id": "t", "now": now}
    outbox.put(session, contents=[{"text": state}], state=state, author=author, **about)


def states(session: Session) -> list[str]:
    return list(session.execute(select(OutboundMessage.state).order_by(OutboundMessage.id)).scalars())


def test_what_the_assistant_had_still_to_say_is_withheld_for_good(session: Session, id_: int, now: datetime) -> None:
    for state in ("pending", "held", "sent", "read", "failed"):
        reply(session, now, state)
    reply(session, now, "pending", author="agent")
    reply(session, now, "pending", author="desk")
    reply(session, now, "pending", sender="s2")
    take(session, id_, "eva", now)
    kept = ["withheld", "withheld", "sent", "read", "failed", "pending", "pending", "pending"]
    assert states(session) == kept
    give_back(session, id_, now)
    assert states(session) == kept


@pytest.mark.parametrize("end", [give_back, resolve, lambda session, id_, now: release(session, id_, "eva", now)])
def test_what_was_put_back_while_a_person_had_it_is_not_said_afterwards(
    session: Session, id_: int, now: datetime, end: Callable[..., Any]
) -> None:
    take(session, id_, "eva", now)
    reply(session, now, "pending")  # its sending had begun before, and failed since
    end(session, id_, now)
    assert states(session) == ["withheld"]


def notices(session: Session) -> list[tuple[str, str, list[str]]]:
    rows = session.execute(select(Timer).where(Timer.kind == "notice").order_by(Timer.id)).scalars()
    return [(row.details["response"], row.details["values"]["agent"], row.details["owners"]) for row in rows]


def test_shopper_is_told_of_each_who_comes_and_goes(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now, lease=LEASE)
    transfer(session, id_, now, by="eva", agent="leo", lease=LEASE)
    lose_overdue(session, now + LEASE)
    assert notices(session) == [
        ("utter_agent_joined", "eva", ["agent"]),
        ("utter_agent_joined", "leo", ["agent"]),
        ("utter_agent_left", "leo", ["queue"]),
    ]


def test_notice_is_said_once_for_its_key(session: Session, now: datetime) -> None:
    about: dict[str, Any] = {"sender_id": "s1", "channel": "chat", "response": "utter_x", "values": {}, "owners": {"queue"}}
    assert [say_soon(session, key="wait:1", now=now, **about) for _ in range(2)] == [True, False]
    assert say_soon(session, key="wait:2", now=now, **about)


def test_recap_has_one_timer_for_each_that_is_given_back(session: Session, id_: int, now: datetime) -> None:
    take(session, id_, "eva", now)
    give_back(session, id_, now, by="eva")
    recaps = select(Timer.key, Timer.due_at, Timer.state).where(Timer.kind == "recap")
    assert session.execute(recaps).all() == [(f"recap:{id_}", now, "waiting")]


def test_where_what_was_collected_came_from_is_kept_and_grows(session: Session, now: datetime) -> None:
    said = {"order_number": {"from": "said", "text": "10234, my password is hunter2", "at": "x"}}
    asked(session, now, sources=said, customer_id=7)
    handoff: Handoff = asked(session, now, sources={"points": {"from": "account"}}, customer_id=7).handoff
    assert handoff.sources["order_number"]["text"] == "10234, my password is [password]"
    assert handoff.sources["points"] == {"from": "account"}
    assert asked(session, now, sources={}, customer_id=8).handoff.sources == {}


def test_shoppers_read_the_name_of_whoever_answers_and_not_in_which_program(session: Session, now: datetime, id_: int) -> None:
    take(session, id_, "Marta · Zendesk", now)
    handoff = by_id(session, id_)
    say(session, handoff, "Marta · Zendesk", "m1", {"text": "Hi"}, now)
    release(session, id_, "Marta · Zendesk", now)
    assert [timer.details["values"] for timer in session.execute(select(Timer)).scalars()] == [{"agent": "Marta"}] * 2
    assert session.execute(select(OutboundMessage.content)).scalar_one()["by"] == {"kind": "agent", "name": "Marta"}
    assert by_id(session, id_).assignee is None
    assert happened(session, "agent") == [("opened", None), ("assigned", "Marta · Zendesk"), ("released", "Marta · Zendesk")]


def test_where_the_channel_shows_who_is_there_nobody_says_so(session: Session, now: datetime, id_: int) -> None:
    take(session, id_, "eva", now, announce=False)
    assert list(session.execute(select(Timer.kind)).scalars()) == []
