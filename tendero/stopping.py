"""Ctrl-C, `kill` and a closed terminal: one way to end for whatever runs until it is told to."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Ctrl-C, or somebody asked the process to end. Not an error: nothing between may catch it."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C, `kill` and a closed terminal all raise Stopped."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        ignore_signals()
        raise Stopped

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """They were heard; what is left takes a moment."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
