"""Asking for a person: a record with all that is known, and what can be told of when somebody answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from messaging.calendar import Calendar
from messaging.conversations import conversation, set_waiting
from messaging.handoffs import happened
from messaging.handoffs.finding import SELECT
from messaging.handoffs.moving import lock_conversation
from messaging.handoffs.states import OPEN, UNTAKEN
from messaging.masking import mask
from messaging.models import Handoff
from messaging.turns.timers import cancel_timer, set_timer
from messaging.writes import insert_once

Reason = Literal["asked", "policy", "misunderstood", "anger", "failure"]

REASONS: frozenset[str] = frozenset({"asked", "policy", "misunderstood", "anger", "failure"})


@dataclass(frozen=True)
class Opened:
    """What the shopper can be told. Out of hours `next_opening` is when somebody calls back (None: never opens)."""

    handoff: Handoff
    is_open_now: bool
    expected_wait_minutes: int | None  # only while open
    next_opening: datetime | None  # only out of hours
    already_open: bool


def open_handoff(
    session: Session,
    *,
    sender_id: str,
    channel: str,
    customer_id: int | None,
    language: str,
    reason: Reason,
    goal: str | None,
    collected: Mapping[str, Any],
    tried: Sequence[str],
    verdict: Mapping[str, Any] | None,
    transcript: Sequence[Mapping[str, Any]],
    now: datetime,
    calendar: Calendar,
    sources: Mapping[str, Any] | None = None,
) -> Opened:
    """Ask for a person. A conversation has one open handoff: asking again updates it and keeps its place.

    transcript: [{"by": "shopper" | "assistant" | "agent", "text": ..., "at": ...}]; cards and passwords are masked here
    once more. sources: where what was collected came from, {name: {"from", "text", "at"}}. The conversation goes to the queue in
    open hours; out of hours the bot keeps it and a call-back is noted.
    """
    if reason not in REASONS:
        raise ValueError(f"{reason!r} is no reason; reasons are {', '.join(sorted(REASONS))}")
    conversation(session, sender_id, channel, now)
    lock_conversation(session, sender_id)
    news = {
        "channel": channel,
        "customer_id": customer_id,
        "language": language,
        "reason": reason,
        "goal": goal,
        "collected": _masked(dict(collected)),
        "sources": _masked(dict(sources or {})),
        "tried": list(tried),
        "verdict": dict(verdict) if verdict is not None else None,
        "transcript": _masked([dict(line) for line in transcript]),
    }
    begun = {"sender_id": sender_id, "status": "waiting", "created_at": now, "awaiting_since": now, "note": ""}
    is_new = insert_once(session, Handoff, {**news, **begun})
    handoff = _of_sender(session, sender_id)
    if not is_new:
        _update(handoff, news)
    _place(session, handoff, now, calendar)
    happened.note(session, handoff, "opened" if is_new else "asked_again", now, reason=reason, goal=goal)
    return _opened(handoff, now, calendar, already_open=not is_new)


def _update(handoff: Handoff, news: Mapping[str, Any]) -> None:
    told = {name: value for name, value in news.items() if value not in (None, [], {})}
    is_anothers = None not in (handoff.customer_id, news["customer_id"]) and handoff.customer_id != news["customer_id"]
    told["collected"] = {**({} if is_anothers else handoff.collected), **news["collected"]}
    told["sources"] = {**({} if is_anothers else handoff.sources), **news["sources"]}
    told["tried"] = list(dict.fromkeys([*handoff.tried, *news["tried"]]))
    for name, value in told.items():
        setattr(handoff, name, value)


def _place(session: Session, handoff: Handoff, now: datetime, calendar: Calendar) -> None:
    if handoff.status in UNTAKEN:
        is_open = calendar.is_open(now)
        handoff.status = "waiting" if is_open else "callback"
        handoff.callback_at = None if is_open else calendar.next_opening(now)
        set_waiting(session, handoff.sender_id, "queue" if is_open else "bot")
        _set_timer(session, handoff)
    session.flush()


def _set_timer(session: Session, handoff: Handoff) -> None:
    """So that somebody calls back when people come to work."""
    key = f"callback:{handoff.id}"
    if handoff.callback_at is None:
        cancel_timer(session, key)
        return
    whose = {"sender_id": handoff.sender_id, "channel": handoff.channel}
    set_timer(session, key=key, kind="callback", due_at=handoff.callback_at, details={"handoff": handoff.id}, **whose)


def _opened(handoff: Handoff, now: datetime, calendar: Calendar, already_open: bool) -> Opened:
    is_open = calendar.is_open(now)
    return Opened(
        handoff=handoff,
        is_open_now=is_open,
        expected_wait_minutes=calendar.expected_wait(now) if is_open else None,
        next_opening=None if is_open else calendar.next_opening(now),
        already_open=already_open,
    )


def _of_sender(session: Session, sender_id: str) -> Handoff:
    return session.execute(SELECT.where(Handoff.sender_id == sender_id, Handoff.status.in_(OPEN)).with_for_update()).scalar_one()


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value).text
    if isinstance(value, dict):
        return {name: _masked(inner) for name, inner in value.items()}
    return [_masked(inner) for inner in value] if isinstance(value, list) else value
