"""What a conversation is busy with, for another channel of the same person to go on with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from messaging.models import TaskAtHand
from messaging.turns.timers import set_timer
from messaging.writes import insert_or_update

# What a task collects; without who it is for, and without the confirmation: a summary is made anew.
TASK_SLOTS = tuple(
    (
        "order_number line_id return_items cancel_reason return_reason package return_method refund_to new_variant "
        "new_address new_payment_method problem evidence resolution points"
    ).split()
)
FORMS = {  # the task that each form is for: an intent
    "track_order_form": "track_order",
    "list_orders_form": "list_orders",
    "cancel_order_form": "cancel_order",
    "change_order_form": "change_order",
    "change_address_form": "change_address",
    "change_payment_form": "change_payment",
    "return_request_form": "request_return",
    "exchange_request_form": "request_exchange",
    "problem_report_form": "report_problem",
    "refund_status_form": "refund_status",
    "check_points_form": "check_points",
    "redeem_points_form": "redeem_points",
    "dispute_points_form": "dispute_points",
    "invoice_form": "get_invoice",
    "payment_issue_form": "payment_issue",
    "data_export_form": "export_my_data",
    "data_erasure_form": "delete_my_data",
    "newsletter_form": "subscribe_newsletter",
}
NOT_NEEDED = "-"  # fills a slot whose question need not be asked
ITEM_WORDS = "item_words"  # slot: what was said of a product before anybody knew which one it is
TELLING_WORDS = ("categories", "colors", "sizes")  # of them; the sentence itself stays where it was written
SUSPENDED = "suspended_task"  # slot: a task that another one has interrupted, as {form, slots, before}
MOVED = "moved"  # kind of timer: the task goes on in another conversation
KEPT = timedelta(days=2)  # rows that no policy of a shop would go on with


def tells(value: Any) -> bool:
    """Whether what fills a slot says something. Of words about an item, the sentence alone does not."""
    if isinstance(value, Mapping):
        return any(each for name, each in value.items() if name != "text")
    return value not in (None, NOT_NEEDED)


@dataclass(frozen=True)
class Task:
    """A form and what it knows."""

    form: str
    slots: Mapping[str, Any]


def task_in(form: str | None, slots: Mapping[str, Any]) -> Task | None:
    """The task of a conversation with this active form and these slots: else the one that was interrupted."""
    if form is not None:
        known = {slot: slots[slot] for slot in TASK_SLOTS if slots.get(slot) is not None}
        return Task(form, {**known, **_said_of_items(slots)})
    suspended = slots.get(SUSPENDED)
    return Task(suspended["form"], suspended["slots"]) if suspended else None


def _said_of_items(slots: Mapping[str, Any]) -> dict[str, Any]:
    said = slots.get(ITEM_WORDS) or {}
    telling = {name: said[name] for name in TELLING_WORDS if said.get(name)}
    return {ITEM_WORDS: telling} if telling else {}


def note(session: Session, sender_id: str, before: Task | None, after: Task | None, now: datetime) -> None:
    """Write down what a turn has made of the conversation's task; nothing where it is as before."""
    if after == before:
        return
    if after is None:
        remove(session, sender_id)
        return
    values = {"sender_id": sender_id, "form": after.form, "slots": dict(after.slots), "at": now}
    insert_or_update(session, TaskAtHand, ["sender_id"], values)


def remove(session: Session, sender_id: str) -> None:
    """The task is over, or somebody else's by now."""
    session.execute(_REMOVE, {"name": sender_id})


def hand_over(session: Session, task: TaskAtHand, channel: str, now: datetime) -> None:
    """The task goes on in another conversation; this one, on this channel, is told in a moment."""
    remove(session, task.sender_id)
    set_timer(session, key=f"{MOVED}:{task.sender_id}", sender_id=task.sender_id, channel=channel, kind=MOVED, due_at=now)


def of(session: Session, sender_id: str) -> TaskAtHand | None:
    return session.execute(_OF, {"name": sender_id}).scalar_one_or_none()


def newest_of(session: Session, sender_ids: Iterable[str]) -> list[TaskAtHand]:
    """The tasks of these conversations, the newest first."""
    theirs = select(TaskAtHand).where(TaskAtHand.sender_id.in_(list(sender_ids))).order_by(TaskAtHand.at.desc())
    return list(session.execute(theirs).scalars())


def purge(session: Session, now: datetime) -> int:
    """Delete what is too old to be gone on with; how many there were."""
    old = delete(TaskAtHand).where(TaskAtHand.at < now - KEPT)
    return int(session.execute(old.execution_options(synchronize_session=False)).rowcount)


_TABLE = TaskAtHand.__table__
_REMOVE = delete(_TABLE).where(_TABLE.c.sender_id == bindparam("name"))
_OF = select(TaskAtHand).where(TaskAtHand.sender_id == bindparam("name"))
