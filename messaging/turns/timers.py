"""Timers live in the database and survive restarts: when one is due, it comes into the inbox like a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from messaging.models import Timer
from messaging.turns.inbox import Inbound
from messaging.writes import insert_or_update

MOST_AT_ONCE = 200


def set_timer(
    session: Session,
    *,
    key: str,
    sender_id: str,
    channel: str,
    kind: str,
    due_at: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Let something happen in this conversation at `due_at`. The same key again moves the timer, also one that has fired."""
    values = {"key": key, "sender_id": sender_id, "channel": channel, "kind": kind, "due_at": due_at}
    insert_or_update(session, Timer, ["key"], {**values, "details": dict(details or {}), "state": "waiting"})


def cancel_timer(session: Session, key: str) -> bool:
    """Whether there was one that waited."""
    return bool(session.execute(_CANCEL, {"of_key": key}).rowcount)


_WAITING = (Timer.key == bindparam("of_key"), Timer.state == "waiting")
_CANCEL = update(Timer.__table__).where(*_WAITING).values(state="cancelled")


def due(session: Session, now: datetime) -> Iterator[Inbound]:
    """The timers that are due, each once: whoever takes them puts them into the inbox in the same transaction."""
    waiting = select(Timer).where(Timer.state == "waiting", Timer.due_at <= now).order_by(Timer.due_at).limit(MOST_AT_ONCE)
    for timer in session.execute(waiting.with_for_update(skip_locked=True)).scalars():
        timer.state = "fired"
        name = f"timer-{timer.id}-{timer.due_at:%Y%m%dT%H%M%S%f}"
        details = {**timer.details, "timer": timer.kind, "due_at": timer.due_at.isoformat()}
        yield Inbound(timer.channel, name, timer.sender_id, "", details, kind="timer")


def seconds_to_next(session: Session, now: datetime) -> float | None:
    """Until the next timer is due; None where none waits."""
    first = session.execute(select(func.min(Timer.due_at)).where(Timer.state == "waiting")).scalar_one()
    return max(0.0, (first - now).total_seconds()) if first is not None else None
