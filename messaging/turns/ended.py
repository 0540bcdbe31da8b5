"""What is left of turns that have ended goes after a while, a few rows at a time: nobody has to wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from database import transaction
from messaging.models import ActionCall, InboundMessage, OutboundMessage, Timer
from messaging.turns import inbox, outbox

MESSAGES_KEPT = timedelta(days=30)  # and their replies: what a provider delivers again after that is a new message
CALLS_KEPT = timedelta(days=7)
TIMERS_KEPT = timedelta(days=30)
AT_ONCE = 500  # rows in a transaction


def purge(url: str, now: datetime, at_once: int = AT_ONCE) -> int:
    """Delete all of it; how many rows."""
    return sum(_delete(url, key, condition, at_once) for key, condition in _ended(now))


def _ended(now: datetime) -> Iterator[tuple[Any, Any]]:
    """Primary key and condition, table by table."""
    done = InboundMessage.state.notin_(inbox.OPEN) & (InboundMessage.done_at < now - MESSAGES_KEPT)
    yield InboundMessage.id, done
    yield OutboundMessage.id, OutboundMessage.state.notin_(outbox.OPEN) & (OutboundMessage.created_at < now - MESSAGES_KEPT)
    yield ActionCall.key, ActionCall.at < now - CALLS_KEPT
    yield Timer.id, (Timer.state != "waiting") & (Timer.due_at < now - TIMERS_KEPT)


def _delete(url: str, key: Any, condition: Any, at_once: int) -> int:
    with transaction(url, is_optimistic=True) as session:  # looking for them needs no lock
        ids = list(session.execute(select(key).where(condition)).scalars())
    for start in range(0, len(ids), at_once):
        with transaction(url) as session:
            some = delete(key.class_).where(key.in_(ids[start : start + at_once]), condition)
            session.execute(some.execution_options(synchronize_session=False))
    return len(ids)
