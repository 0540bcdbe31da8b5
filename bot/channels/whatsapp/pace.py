"""How fast may be sent, kept before Meta enforces it: to one person (131056), and from our number (130429)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.models import OutboundMessage

ONE_PERSON_EVERY = timedelta(seconds=6)  # a message; Meta: "about the platform"
BURST = 45  # messages that may go ahead of that
LOOK_BACK = 2 * BURST * ONE_PERSON_EVERY
AT_ONCE = 0.25  # seconds' worth of messages


def seconds_for_this_person(session: Session, channel: str, sender_id: str, now: datetime) -> float:
    """Until the next message may go to this person; 0: now. Counted from the outbox, which all processes share."""
    theirs = (OutboundMessage.channel == channel, OutboundMessage.sender_id == sender_id)
    since = (*theirs, OutboundMessage.sent_at > now - LOOK_BACK)
    sent = session.execute(select(OutboundMessage.sent_at).where(*since).order_by(OutboundMessage.sent_at))
    return seconds_until_allowed([at for (at,) in sent], now)


def seconds_until_allowed(sent: Sequence[datetime], now: datetime) -> float:
    """By the generic cell rate algorithm: each message uses up `ONE_PERSON_EVERY`, and BURST of them may be owed."""
    paid_at = now - LOOK_BACK
    for at in sent:
        paid_at = max(paid_at, at) + ONE_PERSON_EVERY
    return max((paid_at - now - (BURST - 1) * ONE_PERSON_EVERY).total_seconds(), 0.0)


class NumberPace:
    """per_second: what this process may send; several processes share Meta's limit. After a pause a few go at once."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._paid_at = 0.0

    def seconds(self) -> float:
        """Take the next place; until when it is, in seconds from now."""
        now = self._clock()
        place = max(self._paid_at, now - AT_ONCE)
        self._paid_at = place + 1.0 / self._per_second
        return max(place - now, 0.0)
