"""What comes in at the same time is kept together, and each learns of its own outcome only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from messaging.turns.gathering import MOST, Gatherer


class Keeper:
    """Keeps texts, all of a call or none; `bad` ones cannot be kept."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.open = asyncio.Event()

    async def keep(self, works: Sequence[str]) -> list[int]:
        self.calls.append(list(works))
        await self.open.wait()
        for work in works:
            if work.startswith("bad"):
                raise ValueError(work)
        return [len(work) for work in works]


async def test_what_comes_while_one_is_kept_is_kept_together() -> None:
    keeper = Keeper()
    gatherer = Gatherer(keeper.keep)
    asked = [asyncio.ensure_future(gatherer.done("a" * number)) for number in range(1, 6)]
    await asyncio.sleep(0)
    keeper.open.set()
    assert await asyncio.gather(*asked) == [1, 2, 3, 4, 5]
    assert len(keeper.calls) == 2 or keeper.calls == [["a" * number for number in range(1, 6)]]


async def test_one_that_cannot_be_kept_takes_none_of_the_others_with_it() -> None:
    keeper = Keeper()
    keeper.open.set()
    gatherer = Gatherer(keeper.keep)
    asked = [asyncio.ensure_future(gatherer.done(each)) for each in ("first", "good", "bad one", "better")]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(each) for each in outcomes] == ["5", "4", "bad one", "6"]


async def test_many_are_kept_in_portions() -> None:
    keeper = Keeper()
    keeper.open.set()
    gatherer = Gatherer(keeper.keep)
    await asyncio.gather(*(gatherer.done("x") for _ in range(3 * MOST)))
    assert max(len(call) for call in keeper.calls) == MOST
    assert sum(len(call) for call in keeper.calls) == 3 * MOST


async def test_whoever_is_gone_meanwhile_stops_nobody() -> None:
    keeper = Keeper()
    gatherer = Gatherer(keeper.keep)
    gone, here = (asyncio.ensure_future(gatherer.done(each)) for each in ("gone", "here"))
    await asyncio.sleep(0)
    gone.cancel()
    keeper.open.set()
    assert await here == 4
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_error_that_concerns_all_is_told_to_all_at_once() -> None:
    keeper = Keeper()
    keeper.open.set()
    gatherer = Gatherer(keeper.keep, lambda error: "bad database" in str(error))
    asked = [asyncio.ensure_future(gatherer.done(each)) for each in ("first", "good", "bad database", "better")]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(each) for each in outcomes] == ["bad database"] * 4 or outcomes[0] == 5
    assert len(keeper.calls) <= 2
