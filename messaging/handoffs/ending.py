"""How a handoff ends, and how a call-back that is due joins those who wait."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy.orm import Session

from messaging.conversations import set_owner
from messaging.handoffs import happened
from messaging.handoffs.finding import by_id
from messaging.handoffs.last_words import check_seen
from messaging.handoffs.moving import Before, locked, moved, refused
from messaging.handoffs.states import UNTAKEN
from messaging.masking import mask
from messaging.models import Handoff
from messaging.turns import outbox
from messaging.turns.timers import cancel_timer, set_timer

RECAP = "recap"  # a timer's kind: the assistant goes on, without a message of the shopper's
SETTLED = "settled"  # a timer's kind: what the assistant was at before is put away
RATING = "rating"  # a timer's kind: whoever got a person's reply is asked how it was
RATED_AFTER = timedelta(seconds=10)  # the person's last words come first

_IS_TAKEN = Handoff.status == "assigned"
_OVER = {"lease_until": None, "snoozed_until": None, "awaiting_since": None}


def give_back(
    session: Session,
    handoff_id: int,
    now: datetime,
    note: str = "",
    by: str = "",
    over: bool = False,
    seen: Collection[int] | None = None,
) -> Handoff:
    """The person is done and the bot goes on: it says a recap and asks again what it had asked, before or with the shopper's
    next message. note: what the recap quotes. by: who gives it back; empty: whoever has it. over: also what another person has.
    seen: what they have read (`last_words.check_seen`). Raises AlreadyTaken, IllegalMove, NoSuchHandoff, Unread.
    """
    before = locked(session, handoff_id)
    handoff = _end(session, before, and_(_IS_TAKEN, _theirs(by, over)), "given_back", now, by, note=note, seen=seen)
    set_owner(session, handoff.sender_id, "bot", recap_due=True)
    _set_timer(session, handoff, RECAP, now)
    return handoff


def resolve(
    session: Session,
    handoff_id: int,
    now: datetime,
    note: str = "",
    *,
    by: str = "",
    reason: str | None = None,
    topic: str | None = None,
    over: bool = False,
    seen: Collection[int] | None = None,
) -> Handoff:
    """The matter is settled, with or without somebody having taken the conversation (a phone call).

    reason, topic: names of data/policies/desk.yml. by, over, seen, errors: as `give_back`. What the assistant was at when a
    person took over is put away: whoever writes later begins anew.
    """
    before = locked(session, handoff_id)
    may = or_(Handoff.status.in_(UNTAKEN), and_(_IS_TAKEN, _theirs(by, over)))
    handoff = _end(session, before, may, "resolved", now, by, note=note, seen=seen, resolution=reason, topic=topic)
    set_owner(session, handoff.sender_id, "bot")
    if before.status == "assigned":
        _set_timer(session, handoff, SETTLED, now)
    if handoff.first_reply_at is not None:
        _set_timer(session, handoff, RATING, now + RATED_AFTER)
    return handoff


def cancel(session: Session, handoff_id: int, now: datetime) -> Handoff:
    """The shopper says never mind. Once somebody has it, that person ends it: IllegalMove."""
    before = locked(session, handoff_id)
    handoff = _end(session, before, Handoff.status.in_(UNTAKEN), "cancelled", now)
    set_owner(session, handoff.sender_id, "bot")
    return handoff


def call_back(session: Session, handoff_id: int, now: datetime) -> bool:
    """A call-back that is due, or has no time, joins those who wait. False: it is not due, or does not wait any more."""
    locked(session, handoff_id)
    due = and_(Handoff.status == "callback", or_(Handoff.callback_at <= now, Handoff.callback_at.is_(None)))
    if not moved(session, handoff_id, due, {"status": "waiting", "callback_at": None}):
        return False
    handoff = by_id(session, handoff_id)
    set_owner(session, handoff.sender_id, "queue")
    happened.note(session, handoff, "called_back", now)
    return True


def _theirs(by: str, over: bool) -> Any:
    return _IS_TAKEN if over or not by else Handoff.assignee == by


def _end(
    session: Session,
    before: Before,
    condition: Any,
    status: str,
    now: datetime,
    by: str = "",
    note: str = "",
    seen: Collection[int] | None = None,
    **more: Any,
) -> Handoff:
    known = {name: value for name, value in more.items() if value is not None}
    values = {**_OVER, "status": status, "closed_at": now, "note": mask(note).text, **known}
    if not moved(session, before.id, condition, values):
        raise refused(before, status, by)
    handoff = by_id(session, before.id)
    check_seen(session, handoff, seen, now)
    happened.note(session, handoff, status, now, by, agent=handoff.assignee, **known)
    if before.status == "assigned":
        outbox.withhold(session, handoff.sender_id, now, is_given_away=True)
    cancel_timer(session, f"callback:{handoff.id}")
    return handoff


def _set_timer(session: Session, handoff: Handoff, kind: str, now: datetime) -> None:
    whose = {"sender_id": handoff.sender_id, "channel": handoff.channel}
    set_timer(session, key=f"{kind}:{handoff.id}", kind=kind, due_at=now, details={"handoff": handoff.id}, **whose)
