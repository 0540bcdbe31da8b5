"""What the desk has done in the last days: how long shoppers waited, what they were asked again, how it ended, how they liked it.

Minutes are of opening hours, by the calendar of each conversation's queue.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from desk import accounts, business_clock, staffing
from desk.asked_again import asked_again
from desk.rules import calendar_of, kept_rules, title
from desk.warnings import BREACHED
from messaging.agent_messages import KIND as OF_AGENT
from messaging.labels import DEFAULT_LANGUAGE, label
from messaging.models import Handoff, HandoffEvent, InboundMessage, SatisfactionRating

QUIET = timedelta(days=7)  # no person is asked for again
GOOD = 4  # of 5: the shopper is satisfied
_WANTED = (
    "id sender_id customer_id channel language reason goal topic queue status collected created_at first_reply_at closed_at"
).split()

Events = Mapping[int, Sequence[HandoffEvent]]


def shown(session: Session, days: int, now: datetime, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
    """The report on what was opened in the last days, as JSON has it. language: of titles (ISO 639-1).

    complete_since: of what was opened earlier, some has ended so long ago that it is deleted.
    """
    since = now - timedelta(days=days)
    columns = [getattr(Handoff, name) for name in _WANTED]
    opened = select(*columns).where(Handoff.created_at > since, Handoff.created_at <= now).order_by(Handoff.id)
    rows = session.execute(opened).all()
    events = _events(session, since)
    return {
        "days": days,
        "since": since.isoformat(),
        "until": now.isoformat(),
        "complete_since": max(since, now - kept_rules().kept.handoffs).isoformat(),
        "count": len(rows),
        "by_reason": _counted((row.reason for row in rows), lambda name: label(f"handoff_{name}", language)),
        "by_goal": _counted((row.goal for row in rows), lambda name: label(f"task_{name}", language)),
        "by_topic": _counted((row.topic for row in rows if row.topic), lambda name: title("topic", name, language)),
        "by_queue": _counted((row.queue for row in rows), lambda name: title("queue", name, language)),
        "by_channel": _counted((row.channel for row in rows), str),
        "outcomes": dict(Counter(row.status for row in rows)),
        "wait_minutes": _spread(_waits(rows, events)),
        "first_reply_minutes": _spread(_first_replies(rows)),
        "handle_minutes": _spread(_handled(rows, events)),
        "lost": _count(rows, events, "lost"),
        "breached": dict(Counter(str(event.details.get("level")) for event in _of(rows, events, BREACHED))),
        "asked_again": _asked_again(session, rows),
        "quiet": _quiet(session, rows, now),
        "rating": _rating(session, rows),
        "unserved": _unserved(session, language),
    }


def _unserved(session: Session, language: str) -> list[dict[str, Any]]:
    """Queues that nobody works in, as it is now."""
    found = staffing.unserved(accounts.working(session))
    return [{"name": name, "title": title("queue", name, language), "languages": unspoken} for name, unspoken in found]


def _events(session: Session, since: datetime) -> Events:
    found: dict[int, list[HandoffEvent]] = defaultdict(list)
    for event in session.execute(select(HandoffEvent).where(HandoffEvent.at > since).order_by(HandoffEvent.id)).scalars():
        found[event.handoff_id].append(event)
    return found


def _of(rows: Sequence[Row], events: Events, kind: str) -> list[HandoffEvent]:
    return [event for row in rows for event in events.get(row.id, ()) if event.kind == kind]


def _count(rows: Sequence[Row], events: Events, kind: str) -> int:
    return len(_of(rows, events, kind))


def _counted(names: Iterable[str | None], titled: Any) -> list[dict[str, Any]]:
    """The most frequent first; what is not known has no name."""
    counts = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0] or ""))
    return [{"name": name, "title": titled(name) if name else "", "count": count} for name, count in counts]


def _spread(minutes: Sequence[float]) -> dict[str, Any]:
    """The middle one, and what nine of ten stay below."""
    if not minutes:
        return {"count": 0, "median": None, "p90": None}
    ordered = sorted(minutes)
    p90 = ordered[math.ceil(0.9 * len(ordered)) - 1]
    return {"count": len(ordered), "median": round(median(ordered), 1), "p90": round(p90, 1)}


def _elapsed(row: Row, start: datetime, end: datetime) -> float:
    return business_clock.elapsed(calendar_of(kept_rules().queue(row.queue)), start, end)


def _waits(rows: Sequence[Row], events: Events) -> list[float]:
    """Until somebody had it for the first time."""
    taken = [(row, next((event.at for event in events.get(row.id, ()) if _gives(event)), None)) for row in rows]
    return [_elapsed(row, row.created_at, at) for row, at in taken if at is not None]


def _gives(event: HandoffEvent) -> bool:
    """Whether somebody has it after this."""
    return event.kind == "assigned" or (event.kind == "transferred" and bool(event.details.get("agent")))


def _first_replies(rows: Sequence[Row]) -> list[float]:
    return [_elapsed(row, row.created_at, row.first_reply_at) for row in rows if row.first_reply_at is not None]


def _handled(rows: Sequence[Row], events: Events) -> list[float]:
    """In people's hands, of those that are closed and were in somebody's."""
    closed = [(row, events.get(row.id, ())) for row in rows if row.closed_at is not None]
    return [_in_hand(row, theirs) for row, theirs in closed if any(map(_gives, theirs))]


TAKES_AWAY = frozenset({"released", "lost", "given_back", "resolved", "cancelled"})


def _in_hand(row: Row, events: Sequence[HandoffEvent]) -> float:
    minutes, since = 0.0, None
    for event in events:
        is_over = event.kind in TAKES_AWAY or (event.kind == "transferred" and not _gives(event))
        if _gives(event):
            since = since or event.at
        elif is_over and since is not None:
            minutes, since = minutes + _elapsed(row, since, event.at), None
    return minutes


def _asked_again(session: Session, rows: Sequence[Row]) -> dict[str, Any]:
    """An estimate, by words (`desk.asked_again`). of: the conversations in which a person wrote, as far as messages are kept."""
    by_id = {row.id: row for row in rows}
    written = select(InboundMessage.text, InboundMessage.details).where(InboundMessage.kind == OF_AGENT)
    senders = {row.sender_id for row in rows}
    first = min((row.created_at for row in rows), default=None)
    found: Counter[str] = Counter()
    asked, answered = set(), set()
    for message in session.execute(written.where(InboundMessage.received_at >= first)) if first is not None else ():
        row = by_id.get(message.details.get("handoff"))
        if row is None or row.sender_id not in senders:
            continue
        answered.add(row.id)
        facts = asked_again(message.text, row.language, row.collected, row.customer_id is not None)
        found.update(facts)
        asked |= {row.id} if facts else set()
    return {"is_estimate": True, "conversations": len(asked), "of": len(answered), "facts": dict(found.most_common())}


def _quiet(session: Session, rows: Sequence[Row], now: datetime) -> dict[str, int]:
    """Of those settled a week ago or earlier: whose shopper has not asked for a person again within a week."""
    settled = [row for row in rows if row.status == "resolved" and row.closed_at <= now - QUIET]
    return {"of": len(settled), "quiet": sum(not _comes_again(session, row) for row in settled)}


def _comes_again(session: Session, row: Row) -> bool:
    theirs = Handoff.sender_id == row.sender_id
    if row.customer_id is not None:
        theirs = theirs | (Handoff.customer_id == row.customer_id)
    later = (Handoff.id != row.id, Handoff.created_at > row.closed_at, Handoff.created_at <= row.closed_at + QUIET)
    return session.execute(select(Handoff.id).where(theirs, *later).limit(1)).first() is not None


def _rating(session: Session, rows: Sequence[Row]) -> dict[str, Any]:
    """good: share of answers with 4 or 5."""
    matters = {f"handoff:{row.id}" for row in rows}
    wanted = select(SatisfactionRating.matter, SatisfactionRating.score).where(SatisfactionRating.matter.like("handoff:%"))
    scores = [score for matter, score in session.execute(wanted) if matter in matters]
    answers = [score for score in scores if score is not None]
    mean = round(fmean(answers), 2) if answers else None
    good = round(sum(score >= GOOD for score in answers) / len(answers), 2) if answers else None
    return {"asked": len(scores), "answered": len(answers), "mean": mean, "good": good}
