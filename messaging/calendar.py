"""When people answer: opening hours with time zones and holidays, from `data/policies/support.yml`.

    CalendarError    the file does not make a calendar; the message names file, calendar and entry

Every instant that comes in or goes out is aware; those that go out are in UTC. Hours are local: a day on which the
clock changes opens and closes when the clock on the wall says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from messaging.kept import kept

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LOOK_AHEAD_DAYS = 366
"""A calendar that does not open within a year is told as one that never opens."""

_SPAN = re.compile(r"^(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)$")
_KEYS = {"time_zone", "hours", "holidays", "special_hours", "wait_minutes"}
_NO_HOURS = ("otherwise", "for_each_before")  # keys of wait_minutes that are no hours
_DAY = timedelta(days=1)


class CalendarError(Exception):
    """The file does not make a calendar."""


@dataclass(frozen=True)
class Span:
    """Part of a day in minutes after local midnight: `opens` belongs to it, `closes` does not."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"

    def holds(self, minute: int) -> bool:
        return self.opens <= minute < self.closes


@dataclass(frozen=True)
class Calendar:
    """Opening hours of one place or team."""

    name: str
    time_zone: ZoneInfo
    hours: tuple[tuple[Span, ...], ...]  # Monday first
    holidays: frozenset[date] = frozenset()
    special_hours: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    waits: tuple[tuple[Span, int], ...] = ()  # minutes by the time of day at which somebody asks
    usual_wait: int | None = None  # minutes
    wait_for_each_before: int = 0  # minutes more for each who asked earlier and still waits

    def is_open(self, at: datetime) -> bool:
        local = at.astimezone(self.time_zone)
        return any(span.holds(_minute(local)) for span in self.hours_on(local.date()))

    def next_opening(self, at: datetime) -> datetime | None:
        """The first instant in UTC from `at` on at which it is open (`at` itself while open); None if never."""
        if self.is_open(at):
            return at.astimezone(timezone.utc)
        return next((opening for opening in self._openings(at) if opening > at), None)

    def closes_at(self, at: datetime) -> datetime | None:
        """The instant in UTC at which the hours that hold `at` end; None while closed."""
        local = at.astimezone(self.time_zone)
        spans = (span for span in self.hours_on(local.date()) if span.holds(_minute(local)))
        return next((self._instant(local.date(), span.closes) for span in spans), None)

    def expected_wait(self, at: datetime) -> int | None:
        """Minutes until somebody answers; None while closed or where the file tells no waits."""
        minute = _minute(at.astimezone(self.time_zone))
        if not self.is_open(at):
            return None
        return next((wait for span, wait in self.waits if span.holds(minute)), self.usual_wait)

    def hours_on(self, day: date) -> tuple[Span, ...]:
        """The hours of a local date, holidays and special hours considered; empty where closed."""
        if day in self.special_hours:
            return self.special_hours[day]
        return () if day in self.holidays else self.hours[day.weekday()]

    def _openings(self, after: datetime) -> Iterator[datetime]:
        first = after.astimezone(self.time_zone).date()
        for ahead in range(LOOK_AHEAD_DAYS):
            day = first + ahead * _DAY
            yield from (self._instant(day, span.opens) for span in self.hours_on(day))

    def _instant(self, day: date, minute: int) -> datetime:
        day, minute = (day + _DAY, 0) if minute == 24 * 60 else (day, minute)
        return datetime.combine(day, time(*divmod(minute, 60)), self.time_zone).astimezone(timezone.utc)


def load_calendar(file: Path, name: str = "support") -> Calendar:
    """One calendar of the file; raises CalendarError."""
    calendars = load_calendars(file)
    if name not in calendars:
        raise CalendarError(f"{file.name} has no calendar {name}; it has {', '.join(calendars)}")
    return calendars[name]


@kept
def kept_calendar(file: Path, name: str = "support") -> Calendar:
    """Read once, until all that is kept is read again."""
    return load_calendar(file, name)


def load_calendars(file: Path) -> dict[str, Calendar]:
    """Every calendar of the file by name (`support`, and each store); raises CalendarError."""
    try:
        content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise CalendarError(f"{file.name} is not YAML: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("calendar"), dict):
        raise CalendarError(f"{file.name} needs the key calendar with one or more calendars by name")
    return {name: _parse(f"{file.name}: {name}", name, raw) for name, raw in content["calendar"].items()}


def _parse(place: str, name: str, raw: object) -> Calendar:
    if not isinstance(raw, dict) or (strange := sorted(map(str, set(raw) - _KEYS))):
        told = ", ".join(strange) if isinstance(raw, dict) else "no entries"
        raise CalendarError(f"{place} has {told}; it may have {', '.join(sorted(_KEYS))}")
    waits = _mapping(place, "wait_minutes", raw.get("wait_minutes"))
    return Calendar(
        name=name,
        time_zone=_parse_zone(place, raw.get("time_zone")),
        hours=_parse_week(place, _mapping(place, "hours", raw.get("hours"))),
        holidays=frozenset(_parse_day(place, day) for day in raw.get("holidays") or ()),
        special_hours={
            _parse_day(place, day): _parse_spans(f"{place}, {day}", spans)
            for day, spans in _mapping(place, "special_hours", raw.get("special_hours")).items()
        },
        waits=tuple((_parse_span(place, key), _parse_wait(place, wait)) for key, wait in waits.items() if key not in _NO_HOURS),
        usual_wait=_parse_wait(place, waits["otherwise"]) if "otherwise" in waits else None,
        wait_for_each_before=_parse_wait(place, waits["for_each_before"]) if "for_each_before" in waits else 0,
    )


def _mapping(place: str, key: str, raw: object) -> Mapping[Any, Any]:
    if raw is not None and not isinstance(raw, dict):
        raise CalendarError(f"{place}: {key} must be keys with values")
    return raw or {}


def _parse_zone(place: str, raw: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(raw))
    except (KeyError, ValueError, OSError):
        raise CalendarError(f'{place}: the time zone "{raw}" is unknown; write one like Europe/Madrid') from None


def _parse_week(place: str, raw: Mapping[Any, Any]) -> tuple[tuple[Span, ...], ...]:
    if strange := sorted(map(str, set(raw) - set(WEEKDAYS))):
        raise CalendarError(f"{place}: hours has {', '.join(strange)}; days are {', '.join(WEEKDAYS)}")
    return tuple(_parse_spans(f"{place}, {day}", raw.get(day) or ()) for day in WEEKDAYS)


def _parse_spans(place: str, raw: object) -> tuple[Span, ...]:
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise CalendarError(f'{place}: hours must be a list like ["09:00-14:00"]')
    spans = tuple(_parse_span(place, item) for item in raw)
    for earlier, later in pairwise(spans):
        if later.opens < earlier.closes:
            raise CalendarError(f"{place}: {later} begins before {earlier} ends")
    return spans


def _parse_span(place: str, raw: object) -> Span:
    found = _SPAN.match(str(raw))
    parts = [int(part) for part in found.groups()] if found else [0, 0, 0, 0]
    span = Span(parts[0] * 60 + parts[1], parts[2] * 60 + parts[3])
    if span.opens >= span.closes or span.closes > 24 * 60 or max(parts[1], parts[3]) > 59:
        raise CalendarError(f'{place}: cannot read the hours "{raw}"; write them like 09:00-14:00')
    return span


def _parse_day(place: str, raw: object) -> date:
    if type(raw) is not date:
        raise CalendarError(f'{place}: "{raw}" is not a date like 2026-12-25')
    return raw


def _parse_wait(place: str, raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or raw < 0:
        raise CalendarError(f'{place}: the wait "{raw}" must be whole minutes')
    return raw


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _clock(minute: int) -> str:
    return "{:02}:{:02}".format(*divmod(minute, 60))
