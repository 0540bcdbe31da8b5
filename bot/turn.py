"""The turn that is under way in this task: what its action calls are named after, and who owns the conversation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class CurrentTurn:
    """key: of the turn; None outside the turn engine, where nothing is repeated. owner: None there, too: ask the database."""

    key: str | None = None
    trace_id: str = ""
    owner: str | None = None
    recap_due: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    seconds_in_actions: float = 0.0

    def name_call(self, action: str) -> str | None:
        """A name for this call: the same one when the turn is run again after a crash."""
        if self.key is None:
            return None
        self.calls[action] += 1
        return f"{self.key}/{action}/{self.calls[action]}"


_current: ContextVar[CurrentTurn | None] = ContextVar("turn", default=None)


def current_turn() -> CurrentTurn:
    """The turn of this task."""
    return _current.get() or CurrentTurn()


@contextmanager
def turn_under_way(turn: CurrentTurn) -> Iterator[CurrentTurn]:
    token = _current.set(turn)
    try:
        yield turn
    finally:
        _current.reset(token)
