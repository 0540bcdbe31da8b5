"""What comes in at the same time is kept in one transaction: each waits for one commit, and not for those of all the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
W = TypeVar("W")

MOST = 40  # works in one transaction


class Gatherer(Generic[W, T]):
    """do: all these works in one transaction, and what each came to; it may be called again. concerns_all: whether an error would
    be the same for each of them. For callers on one event loop."""

    def __init__(
        self,
        do: Callable[[Sequence[W]], Awaitable[Sequence[T]]],
        concerns_all: Callable[[Exception], bool] = lambda _error: False,
    ) -> None:
        self._do = do
        self._concerns_all = concerns_all
        self._waiting: list[tuple[W, asyncio.Future[T]]] = []
        self._doing: asyncio.Task[None] | None = None

    async def done(self, work: W) -> T:
        """What the work came to, once it is committed. Raises what the work raises, whatever becomes of the others."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        self._waiting.append((work, outcome))
        if self._doing is None or self._doing.done():
            self._doing = loop.create_task(self._do_all())
        return await outcome

    async def _do_all(self) -> None:
        while self._waiting:
            several, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                self._tell(several, await self._do([work for work, _ in several]))
            except Exception as error:
                if len(several) == 1 or self._concerns_all(error):
                    for _, outcome in several:
                        self._fail(outcome, error)
                else:
                    await self._one_by_one(several)

    async def _one_by_one(self, several: Sequence[tuple[W, asyncio.Future[T]]]) -> None:
        for work, outcome in several:
            try:
                self._tell([(work, outcome)], await self._do([work]))
            except Exception as error:
                self._fail(outcome, error)

    @staticmethod
    def _tell(several: Sequence[tuple[W, asyncio.Future[T]]], results: Sequence[T]) -> None:
        for (_, outcome), result in zip(several, results, strict=True):
            if not outcome.done():  # whoever asked may be gone
                outcome.set_result(result)

    @staticmethod
    def _fail(outcome: asyncio.Future[T], error: Exception) -> None:
        if not outcome.done():
            outcome.set_exception(error)
