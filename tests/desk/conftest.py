"""A database with every table, of each kind that a shop may run on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from database import engine_for


@pytest.fixture
def url(url_with_tables: str) -> Iterator[str]:
    yield url_with_tables
    engine_for(url_with_tables).dispose()
    engine_for(url_with_tables, is_optimistic=True).dispose()


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits until something is so, for ten seconds at most."""

    def wait(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    return wait
