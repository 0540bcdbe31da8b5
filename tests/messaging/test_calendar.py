from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.calendar import Calendar, CalendarError, load_calendar, load_calendars

FILE = Path(__file__).parents[2] / "data" / "policies" / "support.yml"
CALENDARS = load_calendars(FILE)
SUPPORT = CALENDARS["support"]  # America/Mexico_City, UTC-6 all year
MADRID = CALENDARS["madrid"]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[misc, arg-type]


def written(folder: Path, text: str) -> Path:
    file = folder / "support.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_shop_has_support_and_both_stores() -> None:
    assert set(CALENDARS) == {"support", "cdmx", "madrid"}


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (utc(2026, 11, 3, 14, 59), False),  # Tuesday 08:59 in Mexico City
        (utc(2026, 11, 3, 15, 0), True),
        (utc(2026, 11, 4, 1, 59), True),
        (utc(2026, 11, 4, 2, 0), False),  # 20:00: the closing minute is closed
        (utc(2026, 11, 8, 18, 0), False),  # Sunday
        (utc(2026, 11, 16, 18, 0), False),  # Monday, but a holiday
    ],
)
def test_support_is_open_by_local_hours_and_holidays(at: datetime, is_open: bool) -> None:
    assert SUPPORT.is_open(at) is is_open


def test_special_hours_replace_those_of_the_weekday() -> None:
    assert SUPPORT.is_open(utc(2026, 12, 24, 19, 59))
    assert not SUPPORT.is_open(utc(2026, 12, 24, 20, 0))


def test_next_opening_is_now_while_open() -> None:
    assert SUPPORT.next_opening(utc(2026, 11, 3, 16, 0)) == utc(2026, 11, 3, 16, 0)


def test_next_opening_skips_the_weekend_and_a_holiday_on_monday() -> None:
    assert SUPPORT.next_opening(utc(2026, 11, 14, 20, 30)) == utc(2026, 11, 17, 15, 0)


def test_next_opening_is_in_the_afternoon_of_a_split_day() -> None:
    assert MADRID.next_opening(utc(2026, 7, 7, 13, 0)) == utc(2026, 7, 7, 15, 0)


def test_hours_follow_the_clock_on_the_wall_when_it_changes() -> None:
    assert MADRID.next_opening(utc(2026, 10, 24, 19, 30)) == utc(2026, 10, 26, 9, 30)  # winter time since Sunday
    assert MADRID.next_opening(utc(2026, 10, 23, 19, 30)) == utc(2026, 10, 24, 9, 0)


def test_closing_is_told_in_utc_and_only_while_open() -> None:
    assert MADRID.closes_at(utc(2026, 7, 7, 9, 0)) == utc(2026, 7, 7, 12, 30)
    assert MADRID.closes_at(utc(2026, 7, 7, 13, 0)) is None


def test_wait_is_longer_for_each_who_asked_before() -> None:
    assert SUPPORT.wait_for_each_before == 2


def test_wait_depends_on_the_hour() -> None:
    assert SUPPORT.expected_wait(utc(2026, 11, 3, 16, 0)) == 5
    assert SUPPORT.expected_wait(utc(2026, 11, 3, 19, 0)) == 12
    assert SUPPORT.expected_wait(utc(2026, 11, 8, 19, 0)) is None


def test_hours_of_a_day_read_as_they_were_written() -> None:
    assert [str(span) for span in MADRID.hours_on(date(2026, 7, 7))] == ["10:30-14:30", "17:00-20:30"]


def test_place_that_closes_at_midnight_closes_with_the_day(tmp_path: Path) -> None:
    text = 'calendar: {bar: {time_zone: UTC, hours: {friday: ["18:00-24:00"]}}}'
    bar = load_calendar(written(tmp_path, text), "bar")
    assert bar.closes_at(utc(2026, 11, 6, 23, 59)) == utc(2026, 11, 7)
    assert not bar.is_open(utc(2026, 11, 7))


def test_calendar_without_hours_never_opens(tmp_path: Path) -> None:
    empty = load_calendar(written(tmp_path, "calendar: {bar: {time_zone: UTC}}"), "bar")
    assert empty.next_opening(utc(2026, 11, 3)) is None


@settings(max_examples=200, deadline=None)
@given(
    calendar=st.sampled_from(list(CALENDARS.values())),
    minutes=st.integers(0, 500 * 24 * 60),
)
def test_next_opening_is_open_and_the_minute_before_it_is_not(calendar: Calendar, minutes: int) -> None:
    at = utc(2026, 1, 1) + timedelta(minutes=minutes)
    opening = calendar.next_opening(at)
    assert opening is not None
    assert opening >= at
    assert calendar.is_open(opening)
    assert opening == at or not calendar.is_open(opening - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("calendar: [", "support.yml is not YAML"),
        ("tables: []", "support.yml needs the key calendar with one or more calendars by name"),
        ("calendar: {bar: {time_zone: Madrid}}", 'support.yml: bar: the time zone "Madrid" is unknown'),
        ("calendar: {bar: {zone: UTC}}", "support.yml: bar has zone; it may have holidays, hours, special_hours"),
        ("calendar: {bar: {time_zone: UTC, hours: {lunes: []}}}", "support.yml: bar: hours has lunes; days are monday"),
        (
            'calendar: {bar: {time_zone: UTC, hours: {monday: ["9 to 5"]}}}',
            'support.yml: bar, monday: cannot read the hours "9 to 5"; write them like 09:00-14:00',
        ),
        (
            'calendar: {bar: {time_zone: UTC, hours: {monday: ["22:00-02:00"]}}}',
            'cannot read the hours "22:00-02:00"',
        ),
        (
            'calendar: {bar: {time_zone: UTC, hours: {monday: ["09:00-14:00", "13:00-18:00"]}}}',
            "support.yml: bar, monday: 13:00-18:00 begins before 09:00-14:00 ends",
        ),
        ("calendar: {bar: {time_zone: UTC, holidays: [xmas]}}", '"xmas" is not a date like 2026-12-25'),
        ("calendar: {bar: {time_zone: UTC, wait_minutes: {otherwise: soon}}}", 'the wait "soon" must be whole minutes'),
        ("calendar: {shop: {time_zone: UTC}}", "support.yml has no calendar support; it has shop"),
    ],
)
def test_broken_calendar_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(CalendarError) as error:
        load_calendar(written(tmp_path, text))
    assert told in str(error.value)
