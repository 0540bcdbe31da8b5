"""How long to wait before what has failed is tried again. In seconds."""

from __future__ import annotations

import random

MOST_DOUBLINGS = 60  # a number that floats can still be


def doubling(failures: int, first: float, longest: float) -> float:
    """After so many failures in a row: `first`, then twice as long with each, and never longer than `longest`."""
    return float(min(first * 2.0 ** min(failures - 1, MOST_DOUBLINGS), longest))


def about(seconds: float) -> float:
    """A quarter more or less: those that failed together do not come back together."""
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311
