"""Deleting many rows a few at a time, so that nobody who writes has to wait for it. Several processes may do so at once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from database import transaction

AT_ONCE = 500  # rows in a transaction


def delete_some_at_a_time(url: str, key: Any, condition: Any, at_once: int = AT_ONCE) -> int:
    """Delete the rows of the primary key's table for which this holds, each in a transaction in which it still does; how many."""
    done = 0
    for some in portions(url, key, condition, at_once):
        with transaction(url) as session:
            gone = delete(key.class_).where(key.in_(some), condition)
            done += session.execute(gone.execution_options(synchronize_session=False)).rowcount
    return done


def portions(url: str, key: Any, condition: Any, at_once: int = AT_ONCE) -> list[list[Any]]:
    """Primary keys of the rows for which this holds now, in order."""
    with transaction(url, is_optimistic=True) as session:  # looking for them needs no lock
        keys = list(session.execute(select(key).where(condition).order_by(key)).scalars())
    return [keys[start : start + at_once] for start in range(0, len(keys), at_once)]
