"""Writes that two processes may do at the same moment, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_once(session: Session, model: Any, values: Mapping[str, Any]) -> bool:
    """Add the row unless one of the table's unique keys has it already. True: it was added."""
    statement = _insert_once(session.get_bind().dialect.name, model)
    return bool(session.execute(statement, dict(values)).rowcount)


def insert_or_update(session: Session, model: Any, key: Sequence[str], values: Mapping[str, Any]) -> None:
    """Add the row, or give the row with the same unique `key` (column names) these values."""
    statement = _insert_or_update(session.get_bind().dialect.name, model, tuple(key), tuple(values))
    session.execute(statement, dict(values))


def one_at_a_time(session: Session, *names: str) -> None:
    """Hold back other transactions that name one of these until this one ends: what is counted now still counts then."""
    if session.get_bind().dialect.name != "postgresql":
        return  # SQLite has one writer: every transaction of ours begins with its lock
    for number in sorted(_lock_number(name) for name in names):  # in one order, else two could wait for each other
        session.execute(select(func.pg_advisory_xact_lock(number)))


def _lock_number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


# Making a statement costs more than SQLite takes to run it: each is made once.


@cache
def _insert_once(dialect: str, model: Any) -> Any:
    return _INSERTS[dialect](model.__table__).on_conflict_do_nothing()


@cache
def _insert_or_update(dialect: str, model: Any, key: tuple[str, ...], names: tuple[str, ...]) -> Any:
    statement = _INSERTS[dialect](model.__table__)
    changed = {name: statement.excluded[name] for name in names if name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=changed)
