"""Fixtures for every test: a fresh database in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

import commerce.models  # noqa: F401  (registers the tables)
import messaging.models  # noqa: F401
from database import Base, engine_for, transaction

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=timezone.utc)  # a Wednesday


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """An empty SQLite database with every table."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    Base.metadata.create_all(engine_for(url))
    return url


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with transaction(database_url) as session:
        yield session


@pytest.fixture
def now() -> datetime:
    return NOW
