"""What was added to the tables that the desk shows, by whichever process: rows by their rising ids, each told once.

With PostgreSQL an id may be seen after a higher one: whoever took it had not committed yet. Ids that are missing are looked for
again for a while; most of them never come.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from messaging.models import Handoff, HandoffEvent, HandoffNote, InboundMessage, OutboundMessage

COLUMNS: Mapping[str, tuple[Any, ...]] = {
    "i": (InboundMessage.id, InboundMessage.sender_id, InboundMessage.kind),
    "o": (OutboundMessage.id, OutboundMessage.sender_id),
    "n": (HandoffNote.id, HandoffNote.sender_id, HandoffNote.handoff_id),
    "e": (
        HandoffEvent.id,
        HandoffEvent.sender_id,
        HandoffEvent.handoff_id,
        HandoffEvent.kind,
        HandoffEvent.by,
        HandoffEvent.details,
    ),
    "h": (Handoff.id, Handoff.sender_id),
}
COMES_WITHIN = 60.0  # seconds: the longest that a transaction of ours is under way
MOST_MISSING = 1000  # ids of a table


@dataclass(frozen=True)
class Mark:
    """newest: the highest id that was seen. missing: lower ones that may still come, and until when that is hoped (monotonic)."""

    newest: int
    missing: Mapping[int, float] = field(default_factory=dict)


Marks = Mapping[str, Mark]
News = Mapping[str, list[Row]]  # by the letters of COLUMNS, in the order of their ids


def now_at(session: Session) -> Marks:
    """Where the tables are at this moment."""
    return {letter: _mark_now(session, columns[0]) for letter, columns in COLUMNS.items()}


def since(session: Session, marks: Marks) -> tuple[News, Marks]:
    """What has been added after these marks, and the marks after that."""
    found = {letter: _added(session, columns, marks[letter]) for letter, columns in COLUMNS.items()}
    has_order = session.get_bind().dialect.name == "sqlite"  # one writes at a time
    return found, {letter: _after(marks[letter], rows, has_order) for letter, rows in found.items()}


def _mark_now(session: Session, id_: Any) -> Mark:
    newest = int(session.execute(select(func.max(id_))).scalar_one() or 0)
    if session.get_bind().dialect.name == "sqlite":
        return Mark(newest)
    low = max(newest - MOST_MISSING, 0)
    there = set(session.execute(select(id_).where(id_ > low, id_ <= newest)).scalars())
    return Mark(newest, _hoped_for(range(low + 1, newest + 1), there))


def _added(session: Session, columns: tuple[Any, ...], mark: Mark) -> list[Row]:
    id_ = columns[0]
    is_new = or_(id_ > mark.newest, id_.in_(list(mark.missing))) if mark.missing else id_ > mark.newest
    return list(session.execute(select(*columns).where(is_new).order_by(id_)))


def _after(mark: Mark, rows: list[Row], has_order: bool) -> Mark:
    newest = max([mark.newest, *(row.id for row in rows)])
    if has_order:
        return Mark(newest)
    there, now = {row.id for row in rows}, time.monotonic()
    still = {id_: until for id_, until in mark.missing.items() if until > now and id_ not in there}
    new = _hoped_for(range(max(mark.newest, newest - MOST_MISSING) + 1, newest + 1), there)
    return Mark(newest, dict(list({**still, **new}.items())[-MOST_MISSING:]))


def _hoped_for(ids: range, there: set[int]) -> dict[int, float]:
    until = time.monotonic() + COMES_WITHIN
    return {id_: until for id_ in ids if id_ not in there}
