"""Writes that two processes may do at the same moment, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_once(session: Session, model: Any, values: Mapping[str, Any]) -> bool:
    """Add the row unless one of the table's unique keys has it already. True: it was added."""
    return bool(session.execute(_insert(session, model).values(**values).on_conflict_do_nothing()).rowcount)


def insert_or_update(session: Session, model: Any, key: Sequence[str], values: Mapping[str, Any]) -> None:
    """Add the row, or give the row with the same unique `key` (column names) these values."""
    changed = {name: value for name, value in values.items() if name not in key}
    statement = _insert(session, model).values(**values)
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))


def one_at_a_time(session: Session, *names: str) -> None:
    """Hold back other transactions that name one of these until this one ends: what is counted now still counts then."""
    if session.get_bind().dialect.name != "postgresql":
        return  # SQLite has one writer: every transaction of ours begins with its lock
    for number in sorted(_lock_number(name) for name in names):  # in one order, else two could wait for each other
        session.execute(select(func.pg_advisory_xact_lock(number)))


def _lock_number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _insert(session: Session, model: Any) -> Any:
    return _INSERTS[session.get_bind().dialect.name](model.__table__)
