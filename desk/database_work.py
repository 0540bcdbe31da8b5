"""Transactions of the desk's, from its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from database import despite_others, transaction

T = TypeVar("T")


async def in_transaction(work: Callable[[Session], T]) -> T:
    """Done in a thread, before those who are in no hurry: somebody waits for it. `work` may be called again, where the database
    has ended its transaction in favour of another one; nothing of the first time is left then."""

    def run() -> T:
        with transaction(in_a_hurry=True) as session:
            return work(session)

    return await asyncio.to_thread(despite_others, run)


async def reading(work: Callable[[Session], T]) -> T:
    """The same, where nothing is written."""

    def run() -> T:
        with transaction(is_optimistic=True) as session:
            return work(session)

    return await asyncio.to_thread(run)
