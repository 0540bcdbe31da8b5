"""What happens in conversations without this process: other workers tell of it, and what nobody tells is looked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.webchat.hub import Hub
from database import transaction
from messaging import chat_log
from messaging.notifications import notices_of

logger = logging.getLogger(__name__)

LOOK_EVERY = 3.0  # seconds
OVERLAP = 200  # rows that are looked at again: an earlier one may have been committed later


class Listening:
    """Runs on the event loop of the connections."""

    def __init__(self, hub: Hub, look_every: float = LOOK_EVERY) -> None:
        self._hub = hub
        self._look_every = look_every
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        works = [self._look] if self._hub.is_alone else [self._look, self._listen]
        self._tasks = [asyncio.get_running_loop().create_task(self._for_ever(work)) for work in works]

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        """The database may be away: begin again."""
        while True:
            try:
                await work()
            except (SQLAlchemyError, psycopg.Error, OSError) as error:
                logger.warning("web chat: what is new is not known: %s", type(error).__name__)
            await asyncio.sleep(1.0)

    async def _look(self) -> None:
        """For all connections at once, by the newest rows of all conversations."""
        row = await asyncio.to_thread(_newest_row)
        while True:
            await asyncio.sleep(self._look_every)
            if self._hub.lines:
                found = await asyncio.to_thread(_later, row - OVERLAP)
                self._hub.stir_those_behind({each.sender_id: each.seq for each in found})
                row = max([row, *(each.id for each in found)])
            else:
                row = await asyncio.to_thread(_newest_row)

    async def _listen(self) -> None:
        async with notices_of(chat_log.NEWS) as told:
            self._hub.stir_all()
            async for each in told:
                self._hub.hear(each)


def _newest_row() -> int:
    with transaction(is_optimistic=True) as session:
        return chat_log.newest_row(session)


def _later(row: int) -> list[chat_log.Row]:
    with transaction(is_optimistic=True) as session:
        return chat_log.later(session, row)
