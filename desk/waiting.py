"""Shoppers who wait longer than they were told hear of it: their place, an honest estimate, and that they need not wait."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone, get_timezone_location
from sqlalchemy import func, select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from desk import business_clock, routing
from desk.adapters.chosen import is_answered_elsewhere
from desk.rules import DeskRules, Queue, calendar_of, kept_rules
from messaging import handoffs
from messaging.calendar import Calendar
from messaging.handoffs import TOLD
from messaging.labels import DEFAULT_LANGUAGE
from messaging.models import Handoff, HandoffEvent
from messaging.notices import say_soon
from messaging.writes import one_at_a_time

LONGER, CLOSED = "utter_wait_longer", "utter_wait_until"
ROUNDED_FROM, ROUNDED_TO = 10, 5  # minutes: "about 25 minutes", never "about 23"
MOST_AT_ONCE = 20
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class _Word:
    """What is to be said to one shopper."""

    handoff_id: int
    key: str
    response: str
    values: Mapping[str, Any]
    minutes: int | None
    position: int | None


def tell(session: Session, now: datetime) -> int:
    """Have it said to those who are due: how many, some at a time."""
    if not _due(session, now):
        return 0
    one_at_a_time(session, "desk:waiting")
    return sum(_say(session, word, now) for word in _due(session, now)[:MOST_AT_ONCE])


def _say(session: Session, word: _Word, now: datetime) -> bool:
    handoff = handoffs.by_id(session, word.handoff_id)
    whom = {"sender_id": handoff.sender_id, "channel": handoff.channel}
    if not say_soon(session, key=word.key, response=word.response, values=word.values, owners=("queue",), now=now, **whom):
        return False
    handoffs.note_told(session, handoff, now, position=word.position, minutes=word.minutes)
    return True


def _due(session: Session, now: datetime) -> list[_Word]:
    places = dict(routing.ranks(session))
    if not places:
        return []
    rules = kept_rules()
    paces = {queue.name: _pace(session, queue, rules, now) for queue in rules.queues}
    told = _told(session)
    columns = [getattr(Handoff, name) for name in ("id", "queue", "created_at", "language", "channel", "external", "assignee")]
    waiting = session.execute(select(*columns).where(Handoff.status == "waiting").order_by(Handoff.id))
    ours = [row for row in waiting if not is_answered_elsewhere(row)]
    words = (_word(row, places.get(row.id, 1), told.get(row.id), rules, paces, now) for row in ours)
    return [word for word in words if word is not None]


def _told(session: Session) -> dict[int, Row]:
    """What each of those who wait was told last."""
    newest = select(func.max(HandoffEvent.id)).join(Handoff, Handoff.id == HandoffEvent.handoff_id)
    newest = newest.where(Handoff.status == "waiting", HandoffEvent.kind == TOLD).group_by(HandoffEvent.handoff_id)
    wanted = (HandoffEvent.handoff_id, HandoffEvent.id, HandoffEvent.at, HandoffEvent.details)
    return {row.handoff_id: row for row in session.execute(select(*wanted).where(HandoffEvent.id.in_(newest)))}


def _word(
    row: Row, place: int, told: Row | None, rules: DeskRules, paces: Mapping[str, float | None], now: datetime
) -> _Word | None:
    queue = rules.queue(row.queue)
    calendar = calendar_of(queue)
    key = f"wait:{row.id}:{told.id if told is not None else 0}"
    if not calendar.is_open(now):
        return _closed(row, key, told, calendar, now)
    promise = _promise(row, told, calendar)
    minutes = estimate(place, business_clock.elapsed(calendar, row.created_at, now), paces[queue.name], calendar, now)
    is_longer = now + minutes * MINUTE > promise.until + rules.waiting.slack
    if not is_longer or now - promise.said_at < max(rules.waiting.every, promise.wait):
        return None
    return _Word(row.id, key, LONGER, {"position": place, "minutes": minutes}, minutes, place)


@dataclass(frozen=True)
class _Promise:
    """When something was said last, and how long it would take from then, or from the opening after it."""

    said_at: datetime
    wait: timedelta
    until: datetime


def _promise(row: Row, told: Row | None, calendar: Calendar) -> _Promise:
    """Who was told no minutes expects the usual ones."""
    at = told.at if told is not None else row.created_at
    begun = calendar.next_opening(at) or at
    minutes = told.details.get("minutes") if told is not None else None
    wait = (minutes if minutes is not None else calendar.expected_wait(begun) or 0) * MINUTE
    return _Promise(at, wait, begun + wait)


def _closed(row: Row, key: str, told: Row | None, calendar: Calendar, now: datetime) -> _Word | None:
    """Those who still wait when people go home are told once when they are back."""
    opening = calendar.next_opening(now)
    knows = told is not None and "minutes" not in told.details
    if opening is None or knows:
        return None
    return _Word(row.id, key, CLOSED, in_words(opening, calendar, row.language), None, None)


def in_words(opening: datetime, calendar: Calendar, language: str) -> dict[str, str]:
    """Day, time and city of an opening, by the wall clock there, as this language writes them."""
    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        locale = Locale.parse(DEFAULT_LANGUAGE)
    zone = get_timezone(calendar.time_zone.key)
    return {
        "day": format_date(opening.astimezone(calendar.time_zone).date(), "EEEE d MMMM", locale=locale),
        "time": format_time(opening, "short", tzinfo=zone, locale=locale),
        "city": str(get_timezone_location(zone, locale=locale, return_city=True)),
    }


def estimate(place: int, waited: float, pace: float | None, calendar: Calendar, now: datetime) -> int:
    """Minutes until somebody is there. pace: minutes from one conversation taken to the next of late; None: too few to tell.

    Whoever has waited for long (`waited`, minutes) is not told of a short rest again and again: it is half of that at least.
    """
    by_hours = (calendar.expected_wait(now) or 0) + (place - 1) * calendar.wait_for_each_before
    minutes = max(place * pace if pace is not None else by_hours, waited / 2, 1)
    rounded = ROUNDED_TO * math.ceil(minutes / ROUNDED_TO) if minutes > ROUNDED_FROM else math.ceil(minutes)
    return int(rounded)


def _pace(session: Session, queue: Queue, rules: DeskRules, now: datetime) -> float | None:
    since = now - rules.waiting.recent
    taken = select(func.count(func.distinct(HandoffEvent.handoff_id))).join(Handoff, Handoff.id == HandoffEvent.handoff_id)
    of_late = (HandoffEvent.kind == "assigned", HandoffEvent.at > since, Handoff.queue == queue.name)
    count = session.execute(taken.where(*of_late)).scalar_one()
    if count < rules.waiting.fewest_taken:
        return None
    return business_clock.elapsed(calendar_of(queue), since, now) / count
