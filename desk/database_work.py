"""Transactions of the desk's, from its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from database import transaction

T = TypeVar("T")


async def in_transaction(work: Callable[[Session], T]) -> T:
    """Done in a thread, before those who are in no hurry: somebody waits for it."""

    def run() -> T:
        with transaction(in_a_hurry=True) as session:
            return work(session)

    return await asyncio.to_thread(run)


async def reading(work: Callable[[Session], T]) -> T:
    """The same, where nothing is written."""

    def run() -> T:
        with transaction(is_optimistic=True) as session:
            return work(session)

    return await asyncio.to_thread(run)
