"""Who is connected to this process, and what they are told: that there is something new in a conversation, that somebody types.

Everything here runs on the event loop of the connections; `stir` and `type` may be called from any thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from database import default_url
from messaging.chat_log import NEWS
from messaging.turns.own_loop import on

logger = logging.getLogger(__name__)

TYPING_ENDS_AFTER = 60.0  # seconds: whoever was to end it may be dead
GOODBYE_EVERY = 0.02  # seconds between two looks whether all have gone
SWEEP_EVERY = 5.0  # seconds, at most


class Line(Protocol):
    """A connection of a visitor."""

    @property
    def heard_at(self) -> float:
        """Since when it has said nothing, by time.monotonic()."""

    @property
    def seen(self) -> int:
        """The newest entry that it has."""

    def wake(self, looks: bool) -> None:
        """There is something new. looks: in the database; else only who types has changed."""

    def hang_up(self, why: str, after: float) -> None:
        """Say `bye`, and end."""


class Hub:
    """idle_after: seconds of silence, after which a connection ends."""

    def __init__(self, idle_after: float = 150.0) -> None:
        self._idle_after = idle_after
        self._name = secrets.token_hex(4)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lines: set[Line] = set()
        self._joined: dict[str, set[Line]] = {}
        self._typing: dict[str, tuple[str, asyncio.TimerHandle]] = {}
        self._sweeping: asyncio.Task[None] | None = None
        self.is_closed = False

    def begin(self) -> None:
        """On the event loop of the connections."""
        self._loop = asyncio.get_running_loop()
        self._sweeping = self._loop.create_task(self._sweep())

    async def end(self, after: Callable[[], float], patience: float = 2.0) -> None:
        """Every connection is told to come back after so many seconds."""
        self.is_closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for line in list(self._lines):
            line.hang_up("restart", after())
        for _ in range(int(patience / GOODBYE_EVERY)):
            if not self._lines:
                break
            await asyncio.sleep(GOODBYE_EVERY)
        for _, ends in self._typing.values():
            ends.cancel()

    # Connections

    @property
    def lines(self) -> int:
        """How many there are."""
        return len(self._lines)

    def open(self, line: Line) -> None:
        self._lines.add(line)

    def close(self, line: Line) -> None:
        self._lines.discard(line)

    def join(self, sender_id: str, line: Line) -> None:
        self._joined.setdefault(sender_id, set()).add(line)

    def leave(self, sender_id: str, line: Line) -> None:
        lines = self._joined.get(sender_id, set())
        lines.discard(line)
        if not lines:
            self._joined.pop(sender_id, None)

    # News

    def stir(self, sender_id: str) -> None:
        """There is something new in this conversation."""
        on(self._loop, self._wake, sender_id, True)

    def stir_all(self) -> None:
        """What has happened is not known."""
        for sender_id in list(self._joined):
            self._wake(sender_id, True)

    def stir_those_behind(self, newest: Mapping[str, int]) -> None:
        """newest: entry, by conversation."""
        for sender_id in newest.keys() & self._joined.keys():
            for line in list(self._joined[sender_id]):
                if line.seen < newest[sender_id]:
                    line.wake(True)

    def type(self, sender_id: str, by: str = "") -> None:
        """by: who types now, for a while at most; empty: nobody."""
        on(self._loop, self._note_typing, sender_id, by)

    def typing(self, sender_id: str) -> str:
        """Who types; empty: nobody."""
        return self._typing[sender_id][0] if sender_id in self._typing else ""

    def _wake(self, sender_id: str, looks: bool) -> None:
        for line in list(self._joined.get(sender_id, ())):
            line.wake(looks)

    def _note_typing(self, sender_id: str, by: str) -> None:
        before = self._typing.pop(sender_id, None)
        if before is not None:
            before[1].cancel()
        if by and self._loop is not None:
            self._typing[sender_id] = (by, self._loop.call_later(TYPING_ENDS_AFTER, self._note_typing, sender_id, ""))
        if (before[0] if before else "") != by:
            self._wake(sender_id, False)

    # Other processes on the same PostgreSQL

    @property
    def is_alone(self) -> bool:
        """Whether no other process has connections."""
        return not default_url().startswith("postgresql")

    def tell_others(self, session: Session, sender_id: str, by: str) -> None:
        """As `type`, for their connections, once this transaction is committed."""
        if session.get_bind().dialect.name == "postgresql":
            told = json.dumps({"sender": sender_id, "typing": by, "from": self._name})
            session.execute(_NOTIFY, {"channel": NEWS, "told": told})

    def hear(self, told: str) -> None:
        """What another process, or this one, has said by a notification."""
        if not told.startswith("{"):
            self._wake(told, True)
            return
        news = json.loads(told)
        if news["from"] != self._name:
            self._note_typing(news["sender"], news["typing"])

    # Silence

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(SWEEP_EVERY, self._idle_after / 4))
            silent_since = time.monotonic() - self._idle_after
            for line in [each for each in self._lines if each.heard_at < silent_since]:
                line.hang_up("idle", 0)


_NOTIFY = text("SELECT pg_notify(:channel, :told)")
