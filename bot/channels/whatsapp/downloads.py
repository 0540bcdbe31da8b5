"""Fetches the files that shoppers have sent, beside everything else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TypeVar

from sqlalchemy.orm import Session

from bot.channels.whatsapp.graph import Graph, GraphFailure
from bot.channels.whatsapp.settings import CHANNEL
from database import home_folder, transaction
from messaging import received_files
from messaging.received_files import Due, FileRefused
from messaging.turns.own_loop import on

T = TypeVar("T")

logger = logging.getLogger(__name__)

LOOK_EVERY = 5.0  # seconds; `wake` says that there is a new one
AT_ONCE = 4
LONGEST = received_files.LEASE.total_seconds() - 30  # seconds, for one file


class Downloads:
    """graph: asked for each time, since connections belong to the event loop."""

    def __init__(self, graph: Callable[[], Graph], look_every: float = LOOK_EVERY) -> None:
        self._graph = graph
        self._look_every = look_every
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks = [self._loop.create_task(self._work()) for _ in range(AT_ONCE)]

    async def stop(self) -> None:
        """What is under way is begun again after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def wake(self) -> None:
        """There is a new file; said from any thread."""
        on(self._loop, self._news.set)

    async def _work(self) -> None:
        while True:
            self._news.clear()  # before the look: news that comes while it goes on is news
            try:
                if await self.fetch_one():
                    continue
            except Exception as error:  # the database is away: the row stays
                logger.warning("downloads wait: %s", type(error).__name__)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), self._look_every)

    async def fetch_one(self) -> bool:
        """Try the next file; False where none is due."""
        due = await asyncio.to_thread(_in_transaction, lambda session: received_files.next_due(session, CHANNEL, _now()))
        if due is None:
            return False
        note = await self._tried(due)
        await asyncio.to_thread(_in_transaction, note)
        return True

    async def _tried(self, due: Due) -> Callable[[Session], None]:
        """What is to be written down of this try."""
        try:
            sha256, mime_type, size = await asyncio.wait_for(self._fetched(due), LONGEST)
        except (FileRefused, ValueError) as error:
            words = str(error)
            logger.warning("a received file is not kept: %s", words)
            return lambda session: received_files.note_failure(session, due, words, _now(), for_good=True)
        except (GraphFailure, OSError, asyncio.TimeoutError) as error:
            words = f"{type(error).__name__}: {error}"
            return lambda session: received_files.note_failure(session, due, words, _now())
        return lambda session: _note_stored(session, due, sha256, mime_type, size)

    async def _fetched(self, due: Due) -> tuple[str, str, int]:
        """Both hops, anew in each try: an address does not live long."""
        graph = self._graph()
        stored = await graph.file(due.provider_id)
        if stored.size > due.most_bytes:
            raise FileRefused(f"it has {stored.size} bytes, and {due.most_bytes} are taken")
        content = await graph.download(stored.url, due.most_bytes)
        sha256, mime_type = await asyncio.to_thread(received_files.keep, home_folder(), due, content)
        return sha256, mime_type, len(content)


def _note_stored(session: Session, due: Due, sha256: str, mime_type: str, size: int) -> None:
    if not received_files.note_stored(session, due, sha256, mime_type, size) and not received_files.is_wanted(session, sha256):
        received_files.path_of(home_folder(), sha256).unlink(missing_ok=True)


def _in_transaction(work: Callable[[Session], T]) -> T:
    with transaction() as session:
        return work(session)


def _now() -> datetime:
    return datetime.now(timezone.utc)
