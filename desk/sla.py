"""What a shopper who wants a person was promised: a first reply, a next one, and that it is settled; on the business clock.

The clocks follow from the handoff's own columns, whoever has it: who loses a conversation does not stop them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from desk import business_clock
from desk.rules import DeskRules, Level
from messaging.calendar import Calendar
from messaging.models import Handoff

OPEN = ("waiting", "callback", "assigned")


@dataclass(frozen=True)
class Sla:
    """A promise that is not kept yet. since: when its clock began. Instants in UTC, on the wall clock."""

    level: Level
    since: datetime
    warn_at: datetime
    due_at: datetime

    def is_breached(self, now: datetime) -> bool:
        return now >= self.due_at

    def shown(self, now: datetime) -> dict[str, Any]:
        """As the desk's page gets it."""
        instants = {"due_at": self.due_at.isoformat(), "warn_at": self.warn_at.isoformat()}
        return {"level": self.level, **instants, "is_breached": self.is_breached(now)}


def of(handoff: Handoff, rules: DeskRules, calendar: Calendar) -> Sla | None:
    """What is due first. None: nothing is promised, or the matter is closed. calendar: of the handoff's queue."""
    return min(running(handoff, rules, calendar), key=lambda sla: sla.due_at, default=None)


def running(handoff: Handoff, rules: DeskRules, calendar: Calendar) -> Iterator[Sla]:
    """Every clock that runs for this handoff (or a row with its columns)."""
    promised = rules.queue(handoff.queue).levels
    for level, since in _begun(handoff):
        if level not in promised:
            continue
        due_at = business_clock.add(calendar, since, promised[level])
        warn_at = business_clock.add(calendar, since, promised[level] * rules.warn_share)
        if due_at is not None and warn_at is not None:
            yield Sla(level, since, warn_at, due_at)


def _begun(handoff: Handoff) -> Iterator[tuple[Level, datetime]]:
    if handoff.status not in OPEN:
        return
    asked_at = max(handoff.created_at, handoff.callback_at or handoff.created_at)
    if handoff.first_reply_at is None:
        yield "first_reply", asked_at
    elif handoff.awaiting_since is not None:
        yield "next_reply", handoff.awaiting_since
    yield "resolution", asked_at
