"""An agent types: shown to the shopper on their channel, where it can show that, and to colleagues who look at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database import default_url
from desk.database_work import in_transaction, reading
from desk.items import Item
from desk.live import Line, Live
from messaging import typing
from messaging.models import InboundMessage
from messaging.turns.engine import TurnEngine

SHOWN_AGAIN = 15.0  # seconds: a channel's sign of it ends by itself
TOLD_AGAIN = 2.0


@dataclass
class _Typist:
    handoff_id: int
    shown_at: float = 0.0
    told_at: float = 0.0


class TypingThere:
    """engine: of the turns, which knows the channels."""

    def __init__(self, live: Live, engine: Callable[[], TurnEngine]) -> None:
        self._live = live
        self._engine = engine
        self._typists: dict[Line, _Typist] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def type(self, line: Line, handoff_id: int, on: bool) -> None:
        """Nothing happens where they may not see it; the shopper is shown it only by who has the conversation."""
        item, typist, clock = self._live.item(handoff_id), self._typists.get(line), time.monotonic()
        if item is None or not item.may_be_seen_by(line.me):
            return
        if not on:
            if typist is not None and typist.handoff_id == handoff_id:
                self.leave(line)
            return
        if typist is None or typist.handoff_id != handoff_id:
            self.leave(line)
            typist = self._typists[line] = _Typist(handoff_id)
        if clock - typist.told_at >= TOLD_AGAIN:
            typist.told_at = clock
            self._tell(line, item, True)
        if item.handoff.assignee == line.me.name and clock - typist.shown_at >= SHOWN_AGAIN:
            typist.shown_at = clock
            self._do(self._show(item, True))

    def leave(self, line: Line) -> None:
        """They type no more."""
        typist = self._typists.pop(line, None)
        item = self._live.item(typist.handoff_id) if typist is not None else None
        if typist is None or item is None:
            return
        self._tell(line, item, False)
        if typist.shown_at:
            self._do(self._show(item, False))

    def _tell(self, line: Line, item: Item, on: bool) -> None:
        self._live.type(line, item, on)
        if default_url().startswith("postgresql"):
            self._do(_tell_others(item.sender_id, on, line.me.name))

    async def _show(self, item: Item, on: bool) -> None:
        newest = await reading(lambda session: _newest_message(session, item.sender_id)) if on else ""
        self._engine().show_typing(item.handoff.channel, item.sender_id, newest, on)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _tell_others(sender_id: str, on: bool, by: str) -> None:
    await in_transaction(lambda session: typing.tell_others(session, sender_id, on, by))


def _newest_message(session: Session, sender_id: str) -> str:
    """The channel's name of what the shopper wrote last; empty: nothing is known."""
    newest = select(func.max(InboundMessage.id)).where(InboundMessage.sender_id == sender_id, InboundMessage.kind == "message")
    named = select(InboundMessage.provider_id).where(InboundMessage.id == newest.scalar_subquery())
    return session.execute(named).scalar_one_or_none() or ""
