"""Minutes that count only while people are there."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.business_clock import add, elapsed, opens_on_a_later_day
from messaging.calendar import Calendar, Span

MADRID = ZoneInfo("Europe/Madrid")
DAYTIME = (Span(9 * 60, 14 * 60), Span(17 * 60, 20 * 60))
SHOP = Calendar("shop", MADRID, (*(DAYTIME,) * 5, (Span(600, 840),), ()), frozenset({date(2026, 12, 25)}))
NEVER = Calendar("never", MADRID, ((),) * 7)
ALWAYS = Calendar("always", MADRID, ((Span(0, 1440),),) * 7)
NIGHTS = Calendar("nights", MADRID, ((Span(0, 4 * 60), Span(22 * 60, 1440)),) * 7)  # open when the clock is changed


def at(text: str, zone: ZoneInfo = MADRID) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-18T10:00", 60, "2026-11-18T11:00"),
        ("2026-11-18T13:30", 60, "2026-11-18T17:30"),  # over lunch
        ("2026-11-18T13:00", 60, "2026-11-18T17:00"),  # ends as it closes: then people are there at the next opening
        ("2026-11-18T22:00", 30, "2026-11-19T09:30"),
        ("2026-11-20T19:30", 60, "2026-11-21T10:30"),  # over the night to a Saturday
        ("2026-11-21T13:30", 60, "2026-11-23T09:30"),  # over a Sunday
        ("2026-12-24T19:30", 60, "2026-12-26T10:30"),  # over Christmas
        ("2026-11-18T22:00", 0, "2026-11-19T09:00"),
    ],
)
def test_time_out_of_hours_does_not_count(start: str, minutes: int, end: str) -> None:
    assert add(SHOP, at(start), minutes) == at(end)


def test_special_hours_count_instead_of_the_days_own() -> None:
    short = Calendar("short", MADRID, SHOP.hours, special_hours={date(2026, 11, 18): (Span(600, 630),)})
    assert add(short, at("2026-11-18T09:00"), 40) == at("2026-11-19T09:10")


@pytest.mark.parametrize(("night", "minutes_open"), [("2026-03-29", 3 * 60), ("2026-10-25", 5 * 60), ("2026-10-26", 4 * 60)])
def test_night_on_which_the_clock_is_changed_has_an_hour_less_or_more(night: str, minutes_open: int) -> None:
    assert elapsed(NIGHTS, at(f"{night}T00:00"), at(f"{night}T12:00")) == minutes_open


def test_hour_that_never_comes_is_no_opening_time() -> None:
    gap = Calendar("gap", MADRID, ((Span(150, 210),),) * 7)  # 02:30 to 03:30; on that night the clock goes from 02:00 to 03:00
    assert elapsed(gap, at("2026-03-29T00:00"), at("2026-03-29T12:00")) == 30


def test_calendar_that_never_opens_has_no_due_time() -> None:
    assert add(NEVER, at("2026-11-18T10:00"), 5) is None
    assert elapsed(NEVER, at("2026-11-18T10:00"), at("2026-12-18T10:00")) == 0


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-18T08:00", "2026-11-19T09:00"),  # not the opening of this very day
        ("2026-11-18T23:30", "2026-11-19T09:00"),
        ("2026-11-21T12:00", "2026-11-23T09:00"),  # over a Sunday
        ("2026-12-24T12:00", "2026-12-26T10:00"),  # over Christmas
    ],
)
def test_next_day_on_which_people_are_there(now: str, opens: str) -> None:
    assert opens_on_a_later_day(SHOP, at(now)) == at(opens)
    assert opens_on_a_later_day(ALWAYS, at(now)) == at(f"{at(now).date() + timedelta(days=1)}T00:00")
    assert opens_on_a_later_day(NEVER, at(now)) is None


def test_time_cannot_be_taken_away() -> None:
    with pytest.raises(ValueError, match="-1 minutes"):
        add(SHOP, at("2026-11-18T10:00"), -1)


def test_end_before_the_start_is_no_time() -> None:
    assert elapsed(ALWAYS, at("2026-11-18T11:00"), at("2026-11-18T10:00")) == 0


ZONES = ("Europe/Madrid", "America/Mexico_City", "America/Sao_Paulo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
SPANS = st.lists(st.integers(0, 1440), min_size=0, max_size=4, unique=True).map(
    lambda ends: tuple(Span(*pair) for pair in zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    some_day = st.dates(date(2026, 1, 1), date(2027, 12, 31))
    week = draw(st.tuples(*[SPANS] * 7).filter(any))
    holidays = draw(st.frozensets(some_day, max_size=5))
    return Calendar(
        "any", ZoneInfo(draw(st.sampled_from(ZONES))), week, holidays, draw(st.dictionaries(some_day, SPANS, max_size=3))
    )


INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001
CHANGES = st.sampled_from(
    ["2026-03-29T00:00", "2026-10-25T00:00", "2026-11-01T05:00", "2026-03-08T06:00", "2026-10-03T15:00"]
).flatmap(
    lambda text: st.timedeltas(timedelta(hours=-9), timedelta(hours=9)).map(lambda by: at(text).astimezone(timezone.utc) + by)
)
STARTS = st.one_of(INSTANTS, CHANGES)
MINUTES = st.integers(0, 5_000)


@given(calendars(), STARTS, MINUTES)
def test_what_is_added_has_elapsed_and_ends_while_it_is_open(calendar: Calendar, start: datetime, minutes: int) -> None:
    end = add(calendar, start, minutes)
    assert end is not None
    assert end >= start
    assert calendar.is_open(end)
    assert elapsed(calendar, start, end) == minutes


@given(calendars(), STARTS, MINUTES, MINUTES)
def test_adding_one_after_the_other_is_adding_both(calendar: Calendar, start: datetime, first: int, then: int) -> None:
    between = add(calendar, start, first)
    assert between is not None
    assert add(calendar, between, then) == add(calendar, start, first + then)


@given(calendars(), STARTS, st.timedeltas(timedelta(), timedelta(days=20)), MINUTES)
def test_who_begins_later_never_ends_earlier(calendar: Calendar, start: datetime, later: timedelta, minutes: int) -> None:
    early, late = add(calendar, start, minutes), add(calendar, start + later, minutes)
    assert early is not None
    assert late is not None
    assert early <= late


@given(calendars(), STARTS, STARTS, STARTS)
def test_elapsed_time_is_that_of_its_parts(calendar: Calendar, one: datetime, two: datetime, three: datetime) -> None:
    first, middle, last = sorted((one, two, three))
    parts = elapsed(calendar, first, middle) + elapsed(calendar, middle, last)
    assert parts == pytest.approx(elapsed(calendar, first, last))
    assert elapsed(calendar, first, last) * 60 <= (last - first).total_seconds() + 1e-6
