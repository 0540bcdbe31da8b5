"""What a shopper who waits was told of the wait: so that they are told again when it grows, and not sooner."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.handoffs import happened
from messaging.models import Handoff, HandoffEvent

TOLD = "told"  # the kind of its events


def note_told(
    session: Session, handoff: Handoff, now: datetime, *, position: int | None = None, minutes: int | None = None
) -> None:
    """The shopper has been told this of the wait. Without minutes: that nobody is there, and when somebody is."""
    happened.note(session, handoff, TOLD, now, position=position, minutes=minutes)


def knows_when(session: Session, handoff: Handoff) -> bool:
    """Whether the shopper knows already that nobody is there, and when somebody is: nothing else was said of it since."""
    told = select(HandoffEvent.details).where(HandoffEvent.handoff_id == handoff.id, HandoffEvent.kind == TOLD)
    details = session.execute(told.order_by(HandoffEvent.id.desc()).limit(1)).scalar_one_or_none()
    return details is not None and "minutes" not in details
