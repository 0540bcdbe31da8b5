"""What happens by itself when its time has come: a call-back joins the queue, an idle task is put away."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from bot.turn_handler import PUT_AWAY
from database import transaction
from messaging import handoffs
from messaging.calendar import Calendar, Span
from messaging.conversations import owner
from messaging.models import Handoff, InboundMessage, Timer
from tests.conversations.stage import Stage
from tests.messaging.test_handoffs import asked

ANA_BY_NIGHT = {"as": "ana@example.com", "at": "closed"}
ANA = {"as": "ana@example.com"}


def begin(stage: Stage, metadata: dict[str, Any], *texts: str) -> str:
    sender = stage.begin(metadata)
    for text in texts:
        stage.say(sender, text)
    return sender


def ask_for_a_person(sender: str) -> None:
    """Somebody at the desk calls for one, and the task stays open."""
    calendar = Calendar("always", ZoneInfo("UTC"), ((Span(0, 24 * 60),),) * 7)
    with transaction() as session:
        asked(session, datetime.now(timezone.utc), sender, channel="test", calendar=calendar)


def make_call_back_due(sender: str) -> None:
    """The stage's night is still to come: without this its morning would be, too."""
    with transaction() as session:
        session.execute(update(Handoff).where(Handoff.sender_id == sender).values(callback_at=datetime.now(timezone.utc)))


def state(sender: str) -> tuple[str, str]:
    """Of the handoff, and who owns the conversation."""
    with transaction() as session:
        handoff = handoffs.open_for(session, sender)
        assert handoff is not None
        return handoff.status, owner(session, sender)


def timer_states(sender: str) -> dict[str, str]:
    with transaction() as session:
        rows = session.execute(select(Timer.kind, Timer.state).where(Timer.sender_id == sender)).all()
        return {row.kind: row.state for row in rows}


def test_a_call_back_that_is_due_waits_in_the_queue(stage: Stage) -> None:
    sender = begin(stage, ANA_BY_NIGHT, "quiero hablar con una persona")
    assert state(sender) == ("callback", "bot")
    make_call_back_due(sender)
    stage.let_timers_fire(sender)
    assert state(sender) == ("waiting", "queue")
    assert timer_states(sender) == {"callback": "fired"}


def test_a_call_back_that_was_moved_meanwhile_stays_one(stage: Stage) -> None:
    sender = begin(stage, ANA_BY_NIGHT, "quiero hablar con una persona")
    stage.let_timers_fire(sender)  # the timer is early, or the call-back late
    assert state(sender) == ("callback", "bot")


def test_an_idle_task_is_put_away_without_a_word(stage: Stage) -> None:
    sender = begin(stage, ANA, "quiero cancelar mi pedido 10203")
    assert stage.form_of(sender) == "cancel_order_form"
    stage.let_timers_fire(sender)
    assert stage.form_of(sender) is None
    assert stage.newest_actions()[0] == PUT_AWAY
    with transaction() as session:
        timer = session.execute(select(InboundMessage).where(InboundMessage.kind == "timer")).scalar_one()
        assert (timer.state, timer.text) == ("done", "")
    again = stage.say(sender, "¿dónde está mi pedido 10202?")
    assert "cancel_order_form" not in again.actions


def test_each_message_in_a_task_moves_its_timer_and_the_end_cancels_it(stage: Stage) -> None:
    sender = begin(stage, ANA, "quiero cancelar mi pedido 10203")
    with transaction() as session:
        first = session.execute(select(Timer.due_at).where(Timer.sender_id == sender)).scalar_one()
    stage.say(sender, "ya no lo necesito")
    with transaction() as session:
        assert session.execute(select(Timer.due_at).where(Timer.sender_id == sender)).scalar_one() > first
    stage.say(sender, "sí")
    assert timer_states(sender) == {"idle": "cancelled"}


def test_a_task_in_a_persons_hands_is_not_put_away(stage: Stage) -> None:
    sender = begin(stage, {**ANA, "at": "open"}, "quiero cancelar mi pedido 10203")
    ask_for_a_person(sender)
    with transaction() as session:
        handoff = handoffs.open_for(session, sender)
        assert handoff is not None
        handoffs.take(session, handoff.id, "Lucía", datetime.now(timezone.utc))
    stage.let_timers_fire(sender)
    assert stage.form_of(sender) == "cancel_order_form"
