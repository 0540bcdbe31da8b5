"""What is left of turns that have ended goes after a while, a few rows at a time: nobody has to wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from messaging.batches import AT_ONCE, delete_some_at_a_time
from messaging.models import ActionCall, InboundMessage, OutboundMessage, Timer
from messaging.turns import inbox, outbox

MESSAGES_KEPT = timedelta(days=30)  # and their replies: what a provider delivers again after that is a new message
CALLS_KEPT = timedelta(days=7)
TIMERS_KEPT = timedelta(days=30)


def purge(url: str, now: datetime, at_once: int = AT_ONCE) -> int:
    """Delete all of it; how many rows."""
    return sum(delete_some_at_a_time(url, key, condition, at_once) for key, condition in _ended(now))


def _ended(now: datetime) -> Iterator[tuple[Any, Any]]:
    """Primary key and condition, table by table."""
    done = InboundMessage.state.notin_(inbox.OPEN) & (InboundMessage.done_at < now - MESSAGES_KEPT)
    yield InboundMessage.id, done
    yield OutboundMessage.id, OutboundMessage.state.notin_(outbox.OPEN) & (OutboundMessage.created_at < now - MESSAGES_KEPT)
    yield ActionCall.key, ActionCall.at < now - CALLS_KEPT
    yield Timer.id, (Timer.state != "waiting") & (Timer.due_at < now - TIMERS_KEPT)
