"""What the assistant says by itself around a person: who has joined, who has left, and the recap when it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, update

from database import transaction
from messaging import handoffs
from messaging.models import Handoff, OutboundMessage, Timer
from tests.conversations.stage import Stage

ANA = {"as": "ana@example.com", "at": "open"}
EMMA = {"as": "emma@example.com", "at": "open"}
RETURN_AND_A_PERSON = ("I want to return the shirt from 10231", "get me a human")


def now() -> datetime:
    return datetime.now(timezone.utc)


def talk(stage: Stage, metadata: dict[str, Any], *texts: str) -> str:
    sender = stage.begin(metadata)
    for text in texts:
        stage.say(sender, text)
    return sender


def take(sender: str, agent: str = "Lucía") -> int:
    with transaction() as session:
        handoff = handoffs.open_for(session, sender)
        assert handoff is not None
        return int(handoffs.take(session, handoff.id, agent, now()).id)


def give_back(handoff_id: int, note: str = "") -> None:
    with transaction() as session:
        handoffs.give_back(session, handoff_id, now(), note)


def drop_timers(sender: str, kind: str) -> None:
    with transaction() as session:
        session.execute(update(Timer).where(Timer.sender_id == sender, Timer.kind == kind).values(state="cancelled"))


def said_after(sender: str) -> Iterator[Any]:
    """What was put into the outbox, from the newest back."""
    with transaction() as session:
        theirs = select(OutboundMessage).where(OutboundMessage.sender_id == sender).order_by(OutboundMessage.id.desc())
        yield from session.execute(theirs).scalars().all()


def words(stage: Stage, sender: str, kind: str) -> str:
    """What is said when the timers of this kind have their time."""
    before = {row.id for row in said_after(sender)}
    stage.let_timers_fire(sender, kind)
    new = [row for row in said_after(sender) if row.id not in before and row.state != "withheld"]
    return "\n".join(str(row.content.get("text") or "") for row in reversed(new))


@pytest.mark.parametrize(
    ("metadata", "asked", "told"),
    [(ANA, "quiero un agente", "Lucía, de nuestro equipo"), (EMMA, "I want an agent", "Lucía from our team")],
)
def test_shopper_is_told_who_has_joined_and_only_while_that_is_so(
    stage: Stage, metadata: dict[str, Any], asked: str, told: str
) -> None:
    sender = talk(stage, metadata, asked)
    handoff = take(sender)
    assert told in words(stage, sender, "notice")
    assert next(said_after(sender)).author == "desk"
    give_back(handoff)
    late = talk(stage, metadata, asked)
    give_back(take(late))
    drop_timers(late, "recap")
    assert words(stage, late, "notice") == ""


def test_shopper_is_told_that_somebody_has_left_unless_another_is_there(stage: Stage) -> None:
    sender = talk(stage, EMMA, "I want an agent")
    handoff = take(sender)
    drop_timers(sender, "notice")
    with transaction() as session:
        handoffs.release(session, handoff, "Lucía", now())
    assert "Lucía had to leave" in words(stage, sender, "notice")
    take(sender)
    with transaction() as session:
        handoffs.transfer(session, handoff, now(), by="Lucía", agent="Marta")
    said = words(stage, sender, "notice")
    assert "Marta from our team" in said
    assert "had to leave" not in said


def test_assistant_speaks_at_once_when_it_is_given_back_and_asks_its_question_again(stage: Stage) -> None:
    sender = talk(stage, EMMA, *RETURN_AND_A_PERSON)
    handoff = take(sender)
    assert stage.say(sender, "hi Lucía, where is my order 10232?").replies == []
    give_back(handoff)
    said = words(stage, sender, "recap")
    assert stage.newest_actions() == ["action_resume", "return_request_form", "action_listen"]
    assert "it's the assistant again" in said
    assert "reason" in said
    answered = stage.say(sender, "it's too small")
    assert answered.actions == ["return_request_form"]  # no second recap
    assert "How would you like to send it back" in answered.words


def test_without_a_task_the_recap_tells_the_note_and_asks_what_else(stage: Stage) -> None:
    sender = talk(stage, ANA, "dónde está mi pedido 10202", "quiero hablar con una persona")
    give_back(take(sender), "Ya hablé con la paquetería {hoy}")
    said = words(stage, sender, "recap")
    assert stage.newest_actions() == ["action_resume", "action_listen"]
    assert "del pedido 10202" in said
    assert "«Ya hablé con la paquetería {hoy}»" in said
    assert stage.say(sender, "gracias").actions == ["action_answer_thanks"]


def test_shopper_who_writes_first_has_the_recap_and_the_timer_says_nothing(stage: Stage) -> None:
    sender = talk(stage, EMMA, "I want to talk to a person")
    give_back(take(sender))
    assert stage.say(sender, "where is my order 10232?").actions == ["action_recap", "track_order_form", "action_track_order"]
    assert words(stage, sender, "recap") == ""


def test_other_timer_that_comes_first_does_not_use_the_recap_up(stage: Stage) -> None:
    sender = talk(stage, EMMA, *RETURN_AND_A_PERSON)
    give_back(take(sender))
    with transaction() as session:
        session.execute(update(Timer).where(Timer.kind == "recap").values(due_at=now() + timedelta(hours=1)))
    assert words(stage, sender, "notice") == ""
    assert "it's the assistant again" in words(stage, sender, "recap")


def test_message_to_a_person_is_kept_without_asking_what_it_means(stage: Stage) -> None:
    sender = talk(stage, EMMA, "I want to talk to a person")
    take(sender)
    stage.say(sender, "cancel order 10233")
    tracker = stage._agent.tracker_store.load(sender)
    heard = [event for event in tracker.events if event.type_name == "user"][-1]
    assert (heard.text, heard.intent["name"]) == ("cancel order 10233", None)
    assert tracker.latest_action_name == "action_listen"


def test_task_that_a_person_has_settled_is_put_away(stage: Stage) -> None:
    sender = talk(stage, EMMA, *RETURN_AND_A_PERSON)
    handoff = take(sender)
    with transaction() as session:
        handoffs.resolve(session, handoff, now())
    assert words(stage, sender, "settled") == ""
    assert stage.form_of(sender) is None
    assert stage.say(sender, "hi").actions == ["utter_greet"]


def test_task_that_was_begun_after_the_settling_is_kept(stage: Stage) -> None:
    sender = talk(stage, EMMA, "I want to talk to a person")
    handoff = take(sender)
    with transaction() as session:
        handoffs.resolve(session, handoff, now() - timedelta(seconds=5))
    stage.say(sender, "I want to return the shirt from 10231")
    with transaction() as session:
        session.execute(update(Timer).where(Timer.kind == "settled").values(due_at=now() - timedelta(seconds=5)))
        stage._agent.engine._fire_timers(session)
    stage._loop.run_until_complete(stage._agent.engine.work(sender))
    assert stage.form_of(sender) == "return_request_form"


def test_days_later_the_assistant_begins_without_a_recap(stage: Stage) -> None:
    sender = talk(stage, EMMA, "I want to talk to a person")
    handoff = take(sender)
    with transaction() as session:
        handoffs.resolve(session, handoff, now())
        session.execute(update(Handoff).values(closed_at=now() - timedelta(days=3)))
    assert stage.say(sender, "where is my order 10232?").actions == ["track_order_form", "action_track_order"]
