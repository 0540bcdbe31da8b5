"""An event loop in a thread of its own, for the turns: what is taken in meanwhile does not wait until they have thought.

A turn is Python that computes; on one event loop, whoever delivers a message would wait behind every turn that can go on. Two
threads share the interpreter by `SWITCH_EVERY` at the latest.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

SWITCH_EVERY = 0.001  # seconds; Python's own 5 ms would be waited for several times in each webhook


class OwnLoop:
    """Everything that belongs together (connections, tasks, locks) has to be begun, used and ended here."""

    def __init__(self, name: str = "turns") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)

    def begin(self) -> None:
        sys.setswitchinterval(SWITCH_EVERY)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result, for a caller on another event loop. It goes on if the caller is cancelled: what is begun is ended."""
        done = asyncio.run_coroutine_threadsafe(work, self._loop)
        return await asyncio.shield(asyncio.wrap_future(done))

    async def end(self) -> None:
        """Once nothing of it is needed any more."""
        await self.run(_cancel_the_rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()


def on(loop: asyncio.AbstractEventLoop | None, call: Callable[..., Any], *arguments: Any) -> None:
    """Call it on this event loop: at once if that is the one that runs here, else soon. None: at once."""
    if loop is None or loop is _running():
        call(*arguments)
    elif not loop.is_closed():
        loop.call_soon_threadsafe(call, *arguments)


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _cancel_the_rest() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
