"""The trace id: one for a message, from the webhook over its turn, the actions and the replies to their delivery status.

Written as W3C's `traceparent` has it, so that the systems of others can go on with it, and we with theirs.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")

_current: ContextVar[tuple[str, str]] = ContextVar("trace", default=("", ""))


def current() -> str:
    """The trace that this task works for; empty where there is none."""
    return _current.get()[0]


def current_span() -> str:
    """The span of the turn that this task works for; empty where there is none."""
    return _current.get()[1]


def follow(trace_id: str) -> None:
    """From now on this task works for this trace."""
    _current.set((trace_id, ""))


@contextmanager
def followed(trace_id: str, turn_id: int | str | None = None) -> Iterator[None]:
    token = _current.set((trace_id, span_of_turn(trace_id, turn_id) if turn_id is not None else ""))
    try:
        yield
    finally:
        _current.reset(token)


def new() -> str:
    return secrets.token_hex(16)


def taken_up(traceparent: str | None) -> str | None:
    """The caller's trace id; None where the header is missing or is none."""
    found = _TRACEPARENT.fullmatch((traceparent or "").strip())
    return found[1] if found else None


def traceparent(trace_id: str, span_id: str) -> str:
    return f"00-{trace_id}-{span_id}-01"


def span_of_turn(trace_id: str, turn_id: int | str) -> str:
    """The same in every process and try, so that what belongs to a turn can name it before it ends."""
    return hashlib.sha256(f"{trace_id}/{turn_id}".encode()).hexdigest()[:16]
