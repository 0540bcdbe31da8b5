"""Who is gone, or leaves a shopper without a word for too long, loses the conversation to the queue; its clocks go on."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from desk import business_clock
from desk.rules import DeskRules, calendar_of, kept_rules
from messaging import handoffs
from messaging.handoffs import HandoffError
from messaging.models import Handoff

MOST_AT_ONCE = 20


def expire(session: Session, now: datetime) -> int:
    """Back to the queue with what absent and silent agents have: how many. What has no lease is nobody's business here."""
    lost = 0
    overdue = select(Handoff.id).where(Handoff.status == "assigned", Handoff.lease_until <= now).limit(1)
    if session.execute(overdue).first():  # a look takes no lock, on SQLite
        lost += len(handoffs.lose_overdue(session, now))
    rules = kept_rules()
    longest = now - timedelta(minutes=rules.limits.silent_minutes)
    owed = (Handoff.awaiting_since < longest, Handoff.assigned_at < longest, Handoff.snoozed_until.is_(None))
    held = select(Handoff.id, Handoff.queue, Handoff.assignee, Handoff.assigned_at, Handoff.awaiting_since)
    held = (
        held.where(Handoff.status == "assigned", Handoff.lease_until.is_not(None), *owed).order_by(Handoff.id).limit(MOST_AT_ONCE)
    )
    for handoff in session.execute(held).all():
        if _is_silent(handoff, rules, now):
            with suppress(HandoffError):
                handoffs.release(session, handoff.id, handoff.assignee, now, why="silent")
                lost += 1
    return lost


def _is_silent(handoff: Row, rules: DeskRules, now: datetime) -> bool:
    """On the business clock: whoever writes in the evening is answered in the morning."""
    since = max(handoff.assigned_at, handoff.awaiting_since)
    waited = business_clock.elapsed(calendar_of(rules.queue(handoff.queue)), since, now)
    return waited > rules.limits.silent_minutes


def wake(session: Session, now: datetime) -> int:
    """What was put aside comes back at its time, and who asked out of hours joins those who wait once people come to work."""
    asleep = select(Handoff.id).where(Handoff.status == "assigned", Handoff.snoozed_until <= now).limit(1)
    woken = len(handoffs.wake_due(session, now)) if session.execute(asleep).first() else 0
    called = (
        select(Handoff.id)
        .where(Handoff.status == "callback", Handoff.callback_at <= now)
        .order_by(Handoff.id)
        .limit(MOST_AT_ONCE)
    )
    return woken + sum(handoffs.call_back(session, handoff_id, now) for handoff_id in session.execute(called).scalars().all())
