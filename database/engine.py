"""One engine a URL, built on first use, and the transaction that an edge of the program opens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool

SQLITE_BUSY_SECONDS = 15


def home_folder() -> Path:
    """``TENDERO_HOME`` (default ``var``): where an installation keeps its state."""
    return Path(os.environ.get("TENDERO_HOME", "var")).resolve()


def default_url() -> str:
    """``TENDERO_DATABASE_URL``, or the SQLite file ``tendero.db`` under ``TENDERO_HOME``."""
    return os.environ.get("TENDERO_DATABASE_URL") or f"sqlite:///{home_folder() / 'tendero.db'}"


class DatabaseUrlError(Exception):
    """No engine can be made from this URL; the message names the variable and shows no password."""


def new_engine(url: str, **options: Any) -> Engine:
    """An engine of SQLAlchemy's; nothing is connected yet. Raises DatabaseUrlError."""
    try:
        return create_engine(url, future=True, **options)
    except (ArgumentError, ImportError, ValueError) as error:
        kind = url.partition("://")[0] if "://" in url else "?"
        is_unknown = isinstance(error, ImportError | NoSuchModuleError)
        unknown, wrong = f"Tendero cannot use a database of the kind {kind}", "TENDERO_DATABASE_URL is no address of a database"
        why = unknown if is_unknown else wrong
        raise DatabaseUrlError(
            f"{why}. Write it like postgresql://user:password@host:5432/shop, or leave it out: then it is a file in TENDERO_HOME."
        ) from error


@lru_cache(maxsize=8)
def engine_for(url: str) -> Engine:
    """The engine of this URL; the same object for the same URL. Raises DatabaseUrlError."""
    if not url.startswith("sqlite"):
        return new_engine(url, pool_pre_ping=True)
    # A new connection for each transaction costs SQLite little and lets a backup replace the file's content.
    engine = new_engine(url, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # pysqlite's own BEGIN comes too late: _begin_sqlite says it
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_sqlite(connection: Any) -> None:
    # Taking the write lock at once turns "database is locked" in mid-transaction into a wait at its start.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@lru_cache(maxsize=8)
def session_factory(url: str) -> sessionmaker:
    return sessionmaker(engine_for(url), future=True, expire_on_commit=False)


@contextmanager
def transaction(url: str | None = None) -> Iterator[Session]:
    """A session in a transaction: committed when the block ends, rolled back when it raises.

    url: an SQLAlchemy URL; without it, ``default_url()``.
    """
    with session_factory(url or default_url()).begin() as session:
        yield session
