"""A database with every table, of each kind that a shop may run on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

import desk.models  # noqa: F401  (registers the tables)
import messaging.models  # noqa: F401
from database import Base, engine_for


@pytest.fixture
def url(empty_url: str) -> Iterator[str]:
    Base.metadata.create_all(engine_for(empty_url))
    yield empty_url
    engine_for(empty_url).dispose()
    engine_for(empty_url, is_optimistic=True).dispose()


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits until something is so, for ten seconds at most."""

    def wait(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    return wait
