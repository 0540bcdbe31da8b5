"""Who is gone, or leaves a shopper without a word for too long, loses the conversation to the queue; its clocks go on."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from desk import business_clock
from desk.rules import DeskRules, calendar_of, kept_rules
from messaging import handoffs
from messaging.handoffs import HandoffError
from messaging.models import Handoff


def expire(session: Session, now: datetime) -> None:
    """Back to the queue with what absent and silent agents have. Conversations without a lease are nobody's business here."""
    handoffs.lose_overdue(session, now)
    rules = kept_rules()
    held = select(Handoff).where(Handoff.status == "assigned", Handoff.lease_until.isnot(None), Handoff.snoozed_until.is_(None))
    for handoff in session.execute(held).scalars().all():
        if _is_silent(handoff, rules, now):
            with suppress(HandoffError):
                handoffs.release(session, handoff.id, handoff.assignee, now, why="lost")


def _is_silent(handoff: Handoff, rules: DeskRules, now: datetime) -> bool:
    since = max((at for at in (handoff.assigned_at, handoff.awaiting_since) if at is not None), default=None)
    is_owed = handoff.first_reply_at is None or handoff.awaiting_since is not None
    if since is None or not is_owed:
        return False
    waited = business_clock.elapsed(calendar_of(rules.queue(handoff.queue)), since, now)
    return waited > rules.limits.silent_minutes


def wake(session: Session, now: datetime) -> None:
    """What was put aside comes back at its time, and who asked out of hours joins those who wait once people come to work."""
    handoffs.wake_due(session, now)
    called = select(Handoff.id).where(Handoff.status == "callback", Handoff.callback_at <= now)
    for handoff_id in session.execute(called).scalars().all():
        handoffs.call_back(session, handoff_id, now)
