"""What a conversation is busy with: written when a turn changes it, and only then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from messaging import tasks_at_hand
from messaging.models import TaskAtHand, Timer
from messaging.tasks_at_hand import Task, note, task_in

WEB = "web-1"
FORM = "return_request_form"
RETURN = Task(FORM, {"order_number": "10201", "return_reason": "too_small"})


def test_task_is_the_active_form_with_what_it_knows_and_not_who_asks() -> None:
    slots = {
        "order_number": "10201",
        "return_reason": None,
        "contact": "a***@example.com",
        "code": "-",
        "confirmation": None,
        "proposal_id": "p-1",
        "last_order": "10202",
    }
    assert task_in(FORM, slots) == Task(FORM, {"order_number": "10201"})


def test_of_what_was_said_of_an_item_the_sentence_stays_where_it_was_said() -> None:
    said = {"text": "soy ana, la camisa azul", "categories": ["shirts"], "colors": ["blue"], "sizes": [], "last": False}
    assert task_in(FORM, {"item_words": said}) == Task(FORM, {"item_words": {"categories": ["shirts"], "colors": ["blue"]}})


def test_without_a_form_it_is_the_one_that_was_interrupted() -> None:
    suspended = {"form": FORM, "slots": {"order_number": "10201"}, "before": None}
    assert task_in(None, {"suspended_task": suspended}) == Task(FORM, {"order_number": "10201"})
    assert task_in("track_order_form", {"suspended_task": suspended}) == Task("track_order_form", {})
    assert task_in(None, {"order_number": "10201"}) is None


def test_task_is_written_changed_and_removed(session: Session, now: datetime) -> None:
    note(session, WEB, None, RETURN, now)
    later = Task(FORM, {**RETURN.slots, "package": "sealed"})
    note(session, WEB, RETURN, later, now + timedelta(hours=1))
    row = tasks_at_hand.of(session, WEB)
    assert row is not None
    assert (row.form, row.slots, row.at) == (FORM, later.slots, now + timedelta(hours=1))
    note(session, WEB, later, None, now)
    assert tasks_at_hand.of(session, WEB) is None


@pytest.mark.parametrize("task", [RETURN, None])
def test_nothing_is_asked_of_the_database_where_nothing_changed(session: Session, now: datetime, task: Task | None) -> None:
    statements: list[str] = []
    session.connection()
    event.listen(session.get_bind(), "before_cursor_execute", lambda *told: statements.append(told[2]))
    note(session, WEB, task, task, now)
    assert statements == []


def test_task_that_goes_on_elsewhere_is_gone_and_its_conversation_is_told(session: Session, now: datetime) -> None:
    note(session, WEB, None, RETURN, now)
    row = tasks_at_hand.of(session, WEB)
    assert row is not None
    tasks_at_hand.hand_over(session, row, "webchat", now)
    assert tasks_at_hand.of(session, WEB) is None
    timer = session.execute(select(Timer)).scalar_one()
    assert (timer.sender_id, timer.channel, timer.kind, timer.due_at) == (WEB, "webchat", tasks_at_hand.MOVED, now)


def test_newest_task_comes_first(session: Session, now: datetime) -> None:
    for hours, sender in enumerate(("a", "b", "c")):
        note(session, sender, None, RETURN, now + timedelta(hours=hours))
    assert [each.sender_id for each in tasks_at_hand.newest_of(session, {"a", "b"})] == ["b", "a"]


def test_old_tasks_are_purged(session: Session, now: datetime) -> None:
    note(session, "old", None, RETURN, now - tasks_at_hand.KEPT - timedelta(seconds=1))
    note(session, "new", None, RETURN, now)
    assert tasks_at_hand.purge(session, now) == 1
    assert list(session.execute(select(TaskAtHand.sender_id)).scalars()) == ["new"]


@pytest.mark.parametrize(
    ("value", "tells"),
    [("too_small", True), ("-", False), (None, False), ({"text": "hola", "colors": []}, False), ({"colors": ["blue"]}, True)],
)
def test_what_fills_a_slot_may_say_nothing(value: Any, tells: bool) -> None:
    assert tasks_at_hand.tells(value) is tells
