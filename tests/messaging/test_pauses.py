"""Pauses before another try."""

from __future__ import annotations

import pytest

from messaging.pauses import about, doubling


@pytest.mark.parametrize(("failures", "seconds"), [(1, 10), (2, 20), (3, 40), (9, 2560), (10, 3600), (100_000, 3600)])
def test_pause_doubles_up_to_the_longest(failures: int, seconds: float) -> None:
    assert doubling(failures, 10.0, 3600.0) == seconds


def test_those_that_failed_together_come_back_apart() -> None:
    pauses = {about(100.0) for _ in range(50)}
    assert len(pauses) > 1
    assert all(75 <= pause <= 125 for pause in pauses)
