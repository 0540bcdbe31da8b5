"""Before a promise to a shopper is broken, and when it is, its people are told: once each, at the desk and wherever alerts go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from desk import alerts, sla
from desk.adapters.chosen import is_answered_elsewhere
from desk.alerts import Alerts
from desk.rules import DeskRules, calendar_of, kept_rules
from desk.sla import Sla
from messaging.models import Handoff, HandoffEvent
from messaging.writes import one_at_a_time

MOST_AT_ONCE = 20
WARNED, BREACHED = "warned", "breached"
_ASKED = (
    "id sender_id status queue created_at callback_at first_reply_at awaiting_since warned assignee channel language reason goal "
    "external"
).split()
_COLUMNS = [getattr(Handoff, name) for name in _ASKED]


class Warnings:
    """Remembers for how long nothing is due for a conversation as it stands: 2,000 of them are looked at each second."""

    def __init__(self, ways: Alerts) -> None:
        self._ways = ways
        self._rules: DeskRules | None = None
        self._quiet: dict[int, tuple[Row, datetime | None]] = {}

    def tell(self, session: Session, now: datetime) -> list[HandoffEvent]:
        """Note what is due, some at a time, and have word sent of it."""
        if not self._due(session, now):
            return []
        one_at_a_time(session, "desk:warnings")
        noted = [event for row, found in self._due(session, now) for event in _note(session, row, found, now)]
        alerts.tell(session, self._ways, [_told(row, event) for row, event in noted], now)
        return [event for _, event in noted]

    def _due(self, session: Session, now: datetime) -> list[tuple[Row, list[tuple[Sla, str]]]]:
        rules = self._kept_rules()
        rows = session.execute(select(*_COLUMNS).where(Handoff.status.in_(sla.OPEN)).order_by(Handoff.id)).all()
        quiet, due = {}, []
        for row in (each for each in rows if not is_answered_elsewhere(each)):
            known, until = self._quiet.get(row.id, (None, None))
            if known == row and (until is None or now < until):
                quiet[row.id] = (row, until)
                continue
            clocks = list(sla.running(row, rules, calendar_of(rules.queue(row.queue))))
            found = [(clock, kind) for clock in clocks if (kind := _kind(clock, row.warned, now)) is not None]
            if found:
                due.append((row, found))
            else:
                quiet[row.id] = (row, min(_next(clocks, now), default=None))
        self._quiet = quiet
        return due[:MOST_AT_ONCE]

    def _kept_rules(self) -> DeskRules:
        rules = kept_rules()
        if rules is not self._rules:  # they were read anew: what was quiet by the old ones may be due
            self._rules, self._quiet = rules, {}
        return rules


def _next(clocks: list[Sla], now: datetime) -> Iterator[datetime]:
    return (at for clock in clocks for at in (clock.warn_at, clock.due_at) if at > now)


def _kind(clock: Sla, said: list[str], now: datetime) -> str | None:
    """What is to be said of it now. After a breach there is no use in a warning."""
    if clock.is_breached(now):
        return None if mark(clock, BREACHED) in said else BREACHED
    return WARNED if now >= clock.warn_at and mark(clock, WARNED) not in said else None


def mark(clock: Sla, kind: str) -> str:
    """As `Handoff.warned` keeps it: each message that waits for the next reply has a clock of its own."""
    of_message = f":{clock.since.isoformat()}" if clock.level == "next_reply" else ""
    return f"{clock.level}{of_message}:{kind}"


def _note(session: Session, row: Row, found: list[tuple[Sla, str]], now: datetime) -> Iterator[tuple[Row, HandoffEvent]]:
    marks = [*_kept_marks(row), *(mark(clock, kind) for clock, kind in found)]
    noted = update(Handoff).where(Handoff.id == row.id, Handoff.status.in_(sla.OPEN)).values(warned=marks)
    if not session.execute(noted.execution_options(synchronize_session=False)).rowcount:
        return  # it was closed in this very moment
    for clock, kind in found:
        details = {"level": clock.level, "due_at": clock.due_at.isoformat(), "since": clock.since.isoformat()}
        event = HandoffEvent(handoff_id=row.id, sender_id=row.sender_id, kind=kind, by="", details=details, at=now)
        session.add(event)
        yield row, event


def _kept_marks(row: Row) -> list[str]:
    """Without those of messages that were answered since."""
    awaited = f"next_reply:{row.awaiting_since.isoformat()}:" if row.awaiting_since is not None else None
    return [said for said in row.warned if not said.startswith("next_reply:") or (awaited and said.startswith(awaited))]


def _told(row: Row, event: HandoffEvent) -> dict[str, Any]:
    said = f"{row.id}:{event.details['level']}:{event.details['since']}:{event.kind}"
    about = {name: getattr(row, name) for name in ("queue", "assignee", "channel", "language", "reason", "goal")}
    return {"key": said, "kind": event.kind, "handoff": row.id, **event.details, **about, "at": event.at.isoformat()}
