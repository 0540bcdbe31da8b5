"""Waiting for something to be so, in a test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

GENEROUS = 30.0  # seconds, on a busy machine


async def it_is_so(condition: Callable[[], bool], seconds: float = GENEROUS) -> None:
    """Raises AssertionError where it does not come."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    while not condition():
        assert loop.time() < ends, f"it is not so after {seconds:g} s"
        await asyncio.sleep(0.005)
