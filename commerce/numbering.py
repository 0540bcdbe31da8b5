"""Running numbers that people read aloud: RMA-20001, CLM-30001."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

ATTEMPTS = 5


def add_numbered(session: Session, row: Any, column: str, prefix: str, first: int) -> str:
    """Add `row` with the next free number in its unique `column`, and flush. Returns the number.

    Two transactions may reckon the same number: the later one meets the unique key and reckons again.
    Raises IntegrityError: still taken after some attempts, or another constraint of the row is broken.
    """
    for attempt in range(ATTEMPTS):
        number = next_number(session, getattr(type(row), column), prefix, first)
        setattr(row, column, number)
        try:
            with session.begin_nested():
                session.add(row)
            return number
        except IntegrityError:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def next_number(session: Session, column: Any, prefix: str, first: int) -> str:
    """The highest number with this prefix plus one, or prefix and `first`."""
    # The longer number is the higher one: RMA-100000 comes after RMA-99999, though not in the alphabet.
    newest_first = (func.length(column).desc(), column.desc())
    highest = session.execute(
        select(column).where(column.like(f"{prefix}%")).order_by(*newest_first).limit(1)
    ).scalar_one_or_none()
    return f"{prefix}{max(first, int(highest[len(prefix) :]) + 1 if highest else first)}"
