"""Time that counts only while people are there: minutes of opening hours, over nights, holidays and changes of the clock.

Every instant that comes in is aware; those that go out are in UTC. What is open is what `Calendar.is_open` says, also on a day on
which the clock is set back (an hour that comes twice counts twice) or forward (one that never comes counts nothing).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from messaging.calendar import LOOK_AHEAD_DAYS, Calendar, Span

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)

Open = tuple[datetime, datetime]  # from the first instant up to the second, which does not belong to it


def add(calendar: Calendar, start: datetime, minutes: float) -> datetime | None:
    """The instant at which this much open time has passed; it is always one at which it is open.

    What would end at the very moment of closing ends at the next opening. None: it does not open within a year.
    minutes: 0 or more; ValueError otherwise.
    """
    if minutes < 0:
        raise ValueError(f"{minutes} minutes cannot be added")
    left = timedelta(minutes=minutes)
    for opens, closes in _open_times(calendar, start):
        if left < closes - opens:
            return opens + left
        left -= closes - opens
    return None


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Minutes of open time between two instants; 0.0 where the end comes first."""
    spent = timedelta()
    for opens, closes in _open_times(calendar, start):
        if opens >= end:
            break
        spent += min(closes, end) - opens
    return spent / timedelta(minutes=1)


def opens_on_a_later_day(calendar: Calendar, now: datetime) -> datetime | None:
    """The first opening after this local day; None: there is none within a year."""
    tomorrow = now.astimezone(calendar.time_zone).date() + DAY
    return calendar.next_opening(datetime.combine(tomorrow, time(), calendar.time_zone))


def _open_times(calendar: Calendar, start: datetime) -> Iterator[Open]:
    """Open times from this instant on, in order, until a whole year brings none."""
    start = start.astimezone(timezone.utc)
    day, closed_days = start.astimezone(calendar.time_zone).date() - DAY, 0
    while closed_days <= LOOK_AHEAD_DAYS:
        spans = calendar.hours_on(day)
        closed_days = 0 if spans else closed_days + 1
        for opens, closes in _on(calendar.time_zone, spans, day) if spans else ():
            if closes > start:
                yield max(opens, start), closes
        day += DAY


@lru_cache(maxsize=4096)
def _on(zone: ZoneInfo, spans: tuple[Span, ...], day: date) -> tuple[Open, ...]:
    """When these hours of a local day are, by the clock on the wall: a day has one change of the clock at most."""
    midnight = datetime.combine(day, time())
    found = []
    for begins, ends, offset in _offsets(zone, day):
        for span in spans:
            opens = (midnight + timedelta(minutes=span.opens) - offset).replace(tzinfo=timezone.utc)
            closes = (midnight + timedelta(minutes=span.closes) - offset).replace(tzinfo=timezone.utc)
            if max(opens, begins) < min(closes, ends):
                found.append((max(opens, begins), min(closes, ends)))
    return tuple(sorted(found))


def _offsets(zone: ZoneInfo, day: date) -> list[tuple[datetime, datetime, timedelta]]:
    """(from, until, offset to UTC) around this day."""
    begins = datetime.combine(day, time(), timezone.utc) - DAY
    ends = begins + 3 * DAY
    before, after = _offset(zone, begins), _offset(zone, ends)
    if before == after:
        return [(begins, ends, before)]
    early, late = begins, ends
    while late - early > SECOND:
        middle = early + timedelta(seconds=(late - early) // SECOND // 2)
        early, late = (middle, late) if _offset(zone, middle) == before else (early, middle)
    return [(begins, late, before), (late, ends, after)]


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
