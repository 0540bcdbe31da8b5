"""Agents and shoppers who want a person, for tests of the desk."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desk.models import Agent
from messaging import handoffs
from messaging.calendar import load_calendar
from messaging.models import Handoff, HandoffEvent
from tendero.environment import PROJECT

POLICIES: Path = PROJECT / "data" / "policies"
SUPPORT = load_calendar(POLICIES / "support.yml")
NOW = datetime(2026, 11, 18, 17, 0, tzinfo=timezone.utc)  # 11:00 in Mexico City, a Wednesday; open from 09:00 to 20:00
NIGHT = datetime(2026, 11, 19, 4, 0, tzinfo=timezone.utc)  # 22:00 there
OPENING = datetime(2026, 11, 19, 15, 0, tzinfo=timezone.utc)
LEASE = timedelta(seconds=120)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def agent(session: Session, name: str, seen_at: datetime | None = NOW, **columns: Any) -> Agent:
    values = {"role": "agent", "languages": [], "queues": [], "capacity": 4, "status": "available", "is_active": True}
    row = Agent(name=name, sign_in_name=name.lower(), seen_at=seen_at, created_at=NOW, **{**values, **columns})
    session.add(row)
    session.flush()
    return row


def asks(session: Session, sender: str = "s1", now: datetime = NOW, **changes: Any) -> int:
    """The id of the handoff that this shopper has opened."""
    values: dict[str, Any] = {
        "channel": "webchat",
        "customer_id": None,
        "language": "es",
        "reason": "asked",
        "goal": "track_order",
    }
    about: dict[str, Any] = {"collected": {}, "tried": [], "verdict": None, "transcript": []}
    told = {"calendar": SUPPORT, **values, **about, **changes}
    opened = handoffs.open_handoff(session, sender_id=sender, now=now, **told)
    return int(opened.handoff.id)


def takes(session: Session, handoff_id: int, name: str, now: datetime = NOW, lease: timedelta | None = LEASE) -> None:
    handoffs.take(session, handoff_id, name, now, lease=lease)


def stand(session: Session, handoff_id: int) -> tuple[str, str | None]:
    """(status, who has it)."""
    handoff = handoffs.by_id(session, handoff_id)
    return handoff.status, handoff.assignee


def events(session: Session, handoff_id: int, *kinds: str) -> list[HandoffEvent]:
    found = select(HandoffEvent).where(HandoffEvent.handoff_id == handoff_id).order_by(HandoffEvent.id)
    return [event for event in session.execute(found).scalars() if not kinds or event.kind in kinds]


def by_agent(session: Session) -> dict[str, int]:
    """How many conversations each agent has."""
    names = list(session.execute(select(Handoff.assignee).where(Handoff.status == "assigned")).scalars())
    return {name: names.count(name) for name in sorted(set(names))}
