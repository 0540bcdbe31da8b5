"""Who works on what, and when: one at a time for each key of a lane, keys side by side, the keys of a dead process taken over.

`LocalQueue` is for one process on its own database (SQLite): the tables say what is left, and nothing else has to be kept.
`PostgresQueue` is for several processes on one PostgreSQL: procrastinate keeps the jobs and their locks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from sqlalchemy.orm import Session

TURNS, REPLIES = "turns", "replies"  # lanes: a conversation's turns; a recipient's replies

Work = Callable[[str], Awaitable[None]]


class WorkLeft(Exception):
    """The process stops, and there may be more to do for this key: the queue keeps it for the next one."""


class Queue(Protocol):
    """What the engine needs of one."""

    alone: bool  # no other process works on this database

    def put(self, session: Session, lane: str, key: str) -> None:
        """There is work for this key; it is kept if, and as soon as, the session's transaction is."""

    def wake(self, lane: str, key: str) -> None:
        """After the transaction of `put`: begin at once, where this process is the one."""

    def announce(self, session: Session, turn_id: int) -> None:
        """Tell every process, once the transaction is committed, that this turn is done."""

    async def start(self, lanes: Mapping[str, tuple[Work, int]], on_done: Callable[[int], None]) -> None:
        """lanes: lane -> what to do for a key, and for how many keys at once. on_done: another process has done this turn."""

    async def stop(self, grace: float) -> None:
        """Begin nothing new; wait up to `grace` seconds for what is under way."""
