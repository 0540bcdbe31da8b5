"""What happened to handoffs: rows that are added and never edited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from messaging.models import Handoff, HandoffEvent


def note(session: Session, handoff: Handoff, kind: str, now: datetime, by: str = "", **details: Any) -> int:
    """The event's id. by: an agent's name; empty: the shopper, or time. details: no words of a person's."""
    named = {name: value for name, value in details.items() if value not in (None, "")}
    event = HandoffEvent(handoff_id=handoff.id, sender_id=handoff.sender_id, kind=kind, by=by, details=named, at=now)
    session.add(event)
    session.flush()
    return int(event.id)
