"""Simulated time: it can run faster than ours and be put forward, so that 24 hours or 7 days need not be waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Clock:
    """Windows, limits, lifetimes and retries count by `now`; what is written into messages is `stamp`, the time of this machine.

    A shop that got messages from tomorrow would be tried with something that WhatsApp does not do.
    """

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self._set_at, self._set_to = real(), real()
        self._factor = 1.0
        self._changed = asyncio.Event()

    def now(self) -> float:
        """Simulated seconds since 1970."""
        return self._set_to + (self._real() - self._set_at) * self._factor

    def stamp(self) -> int:
        """Seconds since 1970 of this machine."""
        return int(self._real())

    @property
    def factor(self) -> float:
        return self._factor

    def run(self, factor: float) -> None:
        """From now on this many simulated seconds a second."""
        self._set(self.now(), factor)

    def advance(self, seconds: float) -> None:
        """Put it forward; whoever sleeps until a time that has come is woken."""
        self._set(self.now() + seconds, self._factor)

    async def sleep(self, seconds: float) -> None:
        """For simulated seconds."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), left / self._factor)
            except asyncio.TimeoutError:
                continue

    def _set(self, now: float, factor: float) -> None:
        self._set_at, self._set_to, self._factor = self._real(), now, factor
        self._changed.set()
        self._changed = asyncio.Event()
