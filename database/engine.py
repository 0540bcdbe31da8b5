"""One engine a URL, built on first use, and the transaction that an edge of the program opens."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy import exc as exceptions
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

from database.write_lock import WriteLock

SQLITE_BUSY_SECONDS = 15
POSTGRES_PATIENCE = {"connect_timeout": 10, "tcp_user_timeout": 15_000}  # s, ms: a server that swallows packets is away
LOOK_AGAIN = 0.001  # seconds, whether another process has ended its writing; only one thread of a process does
KEPT_CONNECTIONS = 8  # to SQLite, of each process; more are opened where more are needed at once


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
def engine_for(url: str, is_optimistic: bool = False) -> Engine:
    """The engine of this URL; the same object for the same URL. Raises DatabaseUrlError.

    is_optimistic: on SQLite a transaction takes the write lock with its first write only. Where somebody else has written since
    it began to read, that fails as "database is locked", at once, and the whole transaction has to be done again.
    """
    if not url.startswith("sqlite"):
        return new_engine(url, pool_pre_ping=True, max_overflow=-1, connect_args=patience_of(url))  # threads are the limit
    # Opening one for each transaction costs more than the transaction: SQLite reads the whole schema again each time.
    several_threads = {"timeout": SQLITE_BUSY_SECONDS, "check_same_thread": False}
    kept = {"pool_size": KEPT_CONNECTIONS, "max_overflow": -1, "pool_use_lifo": True}
    engine = new_engine(url, poolclass=QueuePool, connect_args=several_threads, **kept)
    event.listen(engine, "checkout", _stay_with(make_url(url).database))
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite_optimistic if is_optimistic else _begin_sqlite)
    return engine


def patience_of(url: str) -> dict[str, int]:
    """What libpq is told where the URL does not say otherwise."""
    if not url.startswith("postgresql"):
        return {}
    try:
        said = make_url(url).query
    except (ArgumentError, ValueError):
        return {}  # whoever makes the engine says so in words
    return {name: value for name, value in POSTGRES_PATIENCE.items() if name not in said}


def _stay_with(file: str | None) -> Callable[..., None]:
    """A file that was moved away or replaced (a restored backup) is opened anew: a connection would stay with the old one."""

    def look(_connection: Any, record: Any, _proxy: Any) -> None:
        now = _identity(file) if file else None
        if record.info.setdefault("file", now) != now:
            raise DisconnectionError(f"{file} is another file now")

    return look


def _identity(file: str) -> tuple[int, int] | None:
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # pysqlite's own BEGIN comes too late: _begin_sqlite says it
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_sqlite(connection: Any) -> None:
    """Takes the write lock at once: that turns "database is locked" in mid-transaction into a wait at its start.

    SQLite itself would sleep longer and longer, up to a tenth of a second, and look again; other processes write in between.
    """
    connection.connection.dbapi_connection.execute("PRAGMA busy_timeout=0")
    try:
        _begin_when_free(connection, time.monotonic() + SQLITE_BUSY_SECONDS)
    finally:
        connection.connection.dbapi_connection.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_SECONDS * 1000}")


def _begin_when_free(connection: Any, until: float) -> None:
    while True:
        try:
            _say(connection, "BEGIN IMMEDIATE")
            return
        except exceptions.OperationalError as error:
            if not str(error.orig).startswith("database is locked") or time.monotonic() > until:
                raise
            time.sleep(LOOK_AGAIN)


def _begin_sqlite_optimistic(connection: Any) -> None:
    _say(connection, "BEGIN DEFERRED")


def _say(connection: Any, words: str) -> None:
    """As SQLAlchemy would, which costs more than the rest of a small transaction."""
    try:
        connection.connection.dbapi_connection.execute(words)
    except sqlite3.Error as error:
        raise exceptions.DBAPIError.instance(words, None, error, sqlite3.Error, dialect=connection.dialect) from error


@lru_cache(maxsize=8)
def session_factory(url: str, is_optimistic: bool = False) -> sessionmaker:
    return sessionmaker(engine_for(url, is_optimistic), future=True, expire_on_commit=False)


@contextmanager
def transaction(url: str | None = None, is_optimistic: bool = False, in_a_hurry: bool = False) -> Iterator[Session]:
    """A session in a transaction: committed when the block ends, rolled back when it raises.

    url: an SQLAlchemy URL; without it, ``default_url()``. is_optimistic: as in ``engine_for``. in_a_hurry: before other threads
    that want to write.
    """
    url = url or default_url()
    with _in_turn(url, is_optimistic, in_a_hurry), session_factory(url, is_optimistic).begin() as session:
        yield session


@contextmanager
def _in_turn(url: str, is_optimistic: bool, in_a_hurry: bool) -> Iterator[None]:
    """Threads of this process that want SQLite's write lock wake each other: SQLite lets each sleep, and ask again, and sleep.

    Where one holds it for too long, SQLite says so to the others.
    """
    if is_optimistic or not url.startswith("sqlite"):
        yield
        return
    lock = _lock_of(url)
    is_ours = lock.acquire(SQLITE_BUSY_SECONDS, in_a_hurry)
    try:
        yield
    finally:
        if is_ours:
            lock.release()


@lru_cache(maxsize=8)
def _lock_of(url: str) -> WriteLock:
    return WriteLock()


def rows_changed(session: Session) -> int | None:
    """How many rows this session's connection has changed in its life, where SQLite counts them: twice the same, and nothing was
    written in between. None for other databases."""
    connection = session.connection().connection.dbapi_connection
    return connection.total_changes if isinstance(connection, sqlite3.Connection) else None
