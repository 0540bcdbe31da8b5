"""The demo's calendar: every instant is so many days before today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

NOON = 12


@dataclass(frozen=True)
class Days:
    today: date

    def on(self, ago: int) -> date:
        """The day so many days ago; below 0, ahead."""
        return self.today - timedelta(days=ago)

    def at(self, ago: int, hour: int = NOON, minute: int = 0) -> datetime:
        """An instant in UTC on that day. What happens today happened at its very beginning: never in the future."""
        moment = time(hour, minute) if ago else time(0)
        return datetime.combine(self.on(ago), moment, timezone.utc)


def months_later(moment: datetime, months: int) -> datetime:
    """The same day so many months later, or that month's last."""
    year, month = divmod(moment.month - 1 + months, 12)
    for day in (moment.day, 30, 29, 28):
        try:
            return moment.replace(year=moment.year + year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError("unreachable: every month has 28 days")
