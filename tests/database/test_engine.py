"""Connections to SQLite are kept, and yet never speak to a file that is no longer there."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from database import engine, engine_for, transaction


def named(folder: Path, name: str) -> Path:
    """A database that knows its name."""
    file = folder / f"{name}.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE name (name TEXT)")
        database.execute("INSERT INTO name VALUES (?)", (name,))
    database.close()
    return file


def name_in(url: str) -> str:
    with transaction(url) as session:
        return str(session.execute(text("SELECT name FROM name")).scalar_one())


def test_a_connection_is_used_again(tmp_path: Path) -> None:
    url = f"sqlite:///{named(tmp_path, 'first')}"
    opened = []
    for _ in range(3):
        with transaction(url) as session:
            opened.append(id(session.connection().connection.dbapi_connection))
    assert len(set(opened)) == 1


def test_a_file_that_was_replaced_is_opened_anew(tmp_path: Path) -> None:
    file, backup = named(tmp_path, "first"), named(tmp_path, "backup")
    url = f"sqlite:///{file}"
    assert name_in(url) == "first"
    backup.replace(file)
    assert name_in(url) == "backup"


def test_a_content_that_was_replaced_by_sqlite_is_seen(tmp_path: Path) -> None:
    file, backup = named(tmp_path, "first"), named(tmp_path, "backup")
    url = f"sqlite:///{file}"
    assert name_in(url) == "first"
    with sqlite3.connect(backup) as source, sqlite3.connect(file) as target:
        source.backup(target)
    source.close()
    target.close()
    assert name_in(url) == "backup"


def test_a_file_that_was_moved_away_is_not_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    url = f"sqlite:///{named(folder, 'first')}"
    assert name_in(url) == "first"
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(OperationalError, match="unable to open"):
        name_in(url)
    (tmp_path / "elsewhere").rename(folder)
    assert name_in(url) == "first"
    engine_for(url).dispose()


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engine.POSTGRES_PATIENCE, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection, and never answers
        url = f"postgresql://somebody@127.0.0.1:{silent.getsockname()[1]}/shop"
        with pytest.raises(OperationalError, match="timeout expired"), transaction(url) as session:
            session.execute(text("SELECT 1"))


def test_patience_of_the_url_counts() -> None:
    assert engine.patience_of("postgresql://h/shop?connect_timeout=3") == {"tcp_user_timeout": 15_000}
    assert engine.patience_of("sqlite:///shop.db") == {}
