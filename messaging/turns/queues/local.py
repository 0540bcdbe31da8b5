"""The queue of the only process on its database: tasks in this event loop, and the tables as memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from messaging.turns.queues import Work, WorkLeft

logger = logging.getLogger(__name__)


class LocalQueue:
    """One task a key; a key that is woken while its task runs is served once more after it."""

    alone = True

    def __init__(self) -> None:
        self._lanes: dict[str, tuple[Work, asyncio.Semaphore]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._again: set[tuple[str, str]] = set()
        self._stopping = False

    def put(self, session: Session, lane: str, key: str) -> None:
        """The row that was just written is all that is kept."""

    def wake(self, lane: str, key: str) -> None:
        name = (lane, key)
        if self._stopping or lane not in self._lanes:
            return
        if name in self._tasks:
            self._again.add(name)
            return
        task = asyncio.get_running_loop().create_task(self._serve(lane, key))
        self._tasks[name] = task
        task.add_done_callback(lambda _task: self._ended(name))

    def announce(self, session: Session, turn_id: int) -> None:
        """There is nobody else."""

    async def start(self, lanes: Mapping[str, tuple[Work, int]], on_done: Callable[[int], None]) -> None:
        self._lanes = {lane: (work, asyncio.Semaphore(at_once)) for lane, (work, at_once) in lanes.items()}

    async def stop(self, grace: float) -> None:
        self._stopping = True
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=grace)
        for task in list(self._tasks.values()):
            task.cancel()

    async def _serve(self, lane: str, key: str) -> None:
        work, slots = self._lanes[lane]
        async with slots:
            try:
                await work(key)
            except WorkLeft:
                pass  # the tables say so at the next start
            except Exception:
                logger.exception("work in lane %s failed", lane)  # the row stays: a new message or start takes it up

    def _ended(self, name: tuple[str, str]) -> None:
        self._tasks.pop(name, None)
        if name in self._again:
            self._again.discard(name)
            self.wake(*name)
