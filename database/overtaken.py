"""Transactions that the database ends in favour of another one: done once more, they work."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

AGAIN_AT_MOST = 3
OVERTAKEN = "40"  # class of PostgreSQL's codes: a deadlock, or what another transaction has changed meanwhile

T = TypeVar("T")


def is_overtaken(error: DBAPIError) -> bool:
    """A deadlock, or what another transaction has changed meanwhile, on PostgreSQL."""
    return str(getattr(error.orig, "pgcode", None) or "").startswith(OVERTAKEN)


def despite_others(run: Callable[[], T]) -> T:
    """What `run` gives, a whole transaction that may be done again: in a moment, so that the other one gets what it waits for."""
    for attempt in range(1, AGAIN_AT_MOST + 1):
        try:
            return run()
        except DBAPIError as error:
            if not is_overtaken(error):
                raise
        time.sleep(random.uniform(0.02, 0.05) * attempt)  # noqa: S311
    return run()
