"""The demo demo, loaded once for a module's tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timezone

import pytest
from sqlalchemy.orm import Session

from commerce.demo import load_demo
from database import Base, engine_for, transaction

TODAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, 15, 0, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    Base.metadata.create_all(engine_for(url))
    with transaction(url) as session:
        load_demo(session, TODAY, NOW)
    return url


@pytest.fixture
def demo(demo_url: str) -> Iterator[Session]:
    """A session on the demo; what a test changes is rolled back."""
    with transaction(demo_url) as session:
        yield session
        session.rollback()
