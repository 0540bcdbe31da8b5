"""Replies that have not reached the shopper, for whoever runs the shop. No word of them, and no address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.models import OutboundMessage

STATES = ("pending", "sending", "held", "failed")
MOST = 200


@dataclass(frozen=True)
class Unsent:
    """answer: the response's key. error: of the last try."""

    id: int
    state: str
    since: datetime
    answer: str
    tries: int
    error: str | None
    trace_id: str


def unsent(session: Session, channel: str) -> list[Unsent]:
    """The oldest first."""
    theirs = (OutboundMessage.channel == channel, OutboundMessage.state.in_(STATES))
    rows = session.execute(select(OutboundMessage).where(*theirs).order_by(OutboundMessage.id).limit(MOST)).scalars()
    return [
        Unsent(row.id, row.state, row.created_at, str(row.content.get("utter_action") or ""), row.tries, row.error, row.trace_id)
        for row in rows
    ]
