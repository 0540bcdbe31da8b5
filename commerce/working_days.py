"""Working days: Monday to Friday, without the holidays that the caller names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

SATURDAY = 5  # date.weekday() counts from Monday, 0


def is_working_day(day: date, holidays: Collection[date] = ()) -> bool:
    return day.weekday() < SATURDAY and day not in holidays


def add_working_days(day: date, count: int, holidays: Collection[date] = ()) -> date:
    """The `count`-th working day after `day`; `day` itself is never counted. With 0, `day` as it is.

    Raises ValueError: `count` is below 0.
    """
    if count < 0:
        raise ValueError(f"working days are counted forward, not {count}")
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day, holidays)
    return day
