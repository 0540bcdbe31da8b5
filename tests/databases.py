"""Databases with every table: made once a process and copied, as making the tables takes longer than many a test."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

import commerce.models  # noqa: F401  (registers the tables)
import desk.models  # noqa: F401
import messaging.models  # noqa: F401
from database import Base
from database.engine import new_engine


def sqlite_with_tables(file: Path) -> str:
    """The URL of a new database in this file, with nothing in its tables."""
    file.write_bytes(_sqlite(frozenset(Base.metadata.tables)))
    return f"sqlite:///{file}"


def make_tables(url: str) -> None:
    engine = new_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()


@cache
def _sqlite(tables: frozenset[str]) -> bytes:
    """tables: all that are known, as somebody may import more of them later."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.db"
        make_tables(f"sqlite:///{file}")
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # as whoever opens it would do
        return file.read_bytes()
