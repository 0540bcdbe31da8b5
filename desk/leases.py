"""Who is gone, or leaves a shopper without a word for too long, loses the conversation to the queue; its clocks go on."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from desk import business_clock
from desk.models import Agent
from desk.rules import DeskRules, calendar_of, kept_rules
from messaging import handoffs
from messaging.handoffs import HandoffError
from messaging.models import Handoff

MOST_AT_ONCE = 20


def expire(session: Session, now: datetime) -> int:
    """Back to the queue with what agents have who are absent, silent or put out: how many. Else, what has no lease is nobody's
    business here."""
    lost = sum(_is_lost(session, row, now, "lost") for row in session.execute(_OF_THE_GONE).all())
    overdue = select(Handoff.id).where(Handoff.status == "assigned", Handoff.lease_until <= now).limit(1)
    if session.execute(overdue).first():  # a look takes no lock, on SQLite
        lost += len(handoffs.lose_overdue(session, now))
    rules = kept_rules()
    longest = now - timedelta(minutes=rules.limits.silent_minutes)
    owed = (Handoff.awaiting_since < longest, Handoff.assigned_at < longest, Handoff.snoozed_until.is_(None))
    held = select(Handoff.id, Handoff.queue, Handoff.assignee, Handoff.assigned_at, Handoff.awaiting_since)
    held = held.where(Handoff.status == "assigned", Handoff.lease_until.is_not(None), *owed).order_by(Handoff.id)
    silent = [row for row in session.execute(held).all() if _is_silent(row, rules, now)]
    return lost + sum(_is_lost(session, row, now, "silent") for row in silent[:MOST_AT_ONCE])


_PUT_OUT = select(Agent.name).where(Agent.is_active.is_(False))
_OF_THE_GONE = select(Handoff.id, Handoff.assignee).where(Handoff.status == "assigned", Handoff.assignee.in_(_PUT_OUT))
_OF_THE_GONE = _OF_THE_GONE.order_by(Handoff.id).limit(MOST_AT_ONCE)


def _is_lost(session: Session, row: Row, now: datetime, why: Literal["lost", "silent"]) -> bool:
    with suppress(HandoffError):  # something else has happened to it meanwhile
        handoffs.release(session, row.id, row.assignee, now, why=why)
        return True
    return False


def _is_silent(handoff: Row, rules: DeskRules, now: datetime) -> bool:
    """On the business clock: whoever writes in the evening is answered in the morning."""
    since = max(handoff.assigned_at, handoff.awaiting_since)
    waited = business_clock.elapsed(calendar_of(rules.queue(handoff.queue)), since, now)
    return waited > rules.limits.silent_minutes


def wake(session: Session, now: datetime) -> int:
    """What was put aside comes back at its time, and who asked out of hours joins those who wait once people come to work."""
    asleep = select(Handoff.id).where(Handoff.status == "assigned", Handoff.snoozed_until <= now).limit(1)
    woken = len(handoffs.wake_due(session, now)) if session.execute(asleep).first() else 0
    called = select(Handoff.id, Handoff.queue, Handoff.callback_at).where(Handoff.status == "callback")
    called = called.where(or_(Handoff.callback_at <= now, Handoff.callback_at.is_(None))).order_by(Handoff.id)
    due = [row.id for row in session.execute(called) if row.callback_at is not None or _is_open(row.queue, now)]
    return woken + sum(handoffs.call_back(session, handoff_id, now) for handoff_id in due[:MOST_AT_ONCE])


def _is_open(queue: str | None, now: datetime) -> bool:
    """Asked of those who came when it was not known when anybody would be there: there were no hours."""
    return calendar_of(kept_rules().queue(queue)).is_open(now)
