"""Everything that the simulator knows, in memory; gone when it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from tendero.simulator.account import Account
from tendero.simulator.clock import Clock
from tendero.simulator.delivery import Delivery
from tendero.simulator.faults import Faults
from tendero.simulator.media import Media
from tendero.simulator.names import Names
from tendero.simulator.pace import NumberLimit, PairLimit
from tendero.simulator.shoppers import Shoppers
from tendero.simulator.templates import Templates, some

READS = ("when_seen", "at_once", "never")


@dataclass
class StatusManner:
    """How statuses come about. Times are simulated seconds.

    read: `when_seen` once the chat is open on the page or a test says so. lost: statuses that never arrive. late: by so much.
    skip_delivered: where something is read at once, WhatsApp may leave `delivered` out.
    """

    sent_after: float = 0.05
    delivered_after: float = 0.15
    read_after: float = 0.3
    read: str = "when_seen"
    lost: list[str] = field(default_factory=list)
    late: float = 0.0
    is_doubled: bool = False
    is_shuffled: bool = False
    skip_delivered: bool = False


@dataclass
class World:
    """refused: what the shop was told off for, with Meta's error. unreachable: what went to nobody whom the simulator knows."""

    account: Account
    clock: Clock
    names: Names
    delivery: Delivery
    shoppers: Shoppers
    media: Media
    templates: Templates
    faults: Faults = field(default_factory=Faults)
    pair: PairLimit = field(default_factory=PairLimit)
    number: NumberLimit = field(default_factory=NumberLimit)
    status_manner: StatusManner = field(default_factory=StatusManner)
    refused: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=1000))
    unreachable: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=1000))
    counts: dict[str, int] = field(default_factory=lambda: {"accepted": 0, "refused": 0, "faults": 0, "received": 0, "marked": 0})
    version: int = 0
    is_verified: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def touch(self) -> None:
        """Something is to be seen that was not before."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed_since(self, version: int, seconds: float) -> None:
        """Return as soon as there is a newer version, or after this time."""
        if self.version <= version:
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), seconds)
            except asyncio.TimeoutError:
                return

    def begin_anew(self) -> None:
        """Forget chats, refusals, faults and what is under way, and take every manner and limit back."""
        for task in self._tasks:
            task.cancel()
        for shopper in self.shoppers:
            shopper.forget()
        self.delivery.begin_anew()
        self.clock.run(1.0)
        self.account.has_expired = False
        self.faults, self.pair, self.number, self.status_manner = Faults(), PairLimit(), NumberLimit(), StatusManner()
        self.refused.clear()
        self.unreachable.clear()
        self.counts.update(dict.fromkeys(self.counts, 0))
        self.touch()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """After simulated seconds."""

        async def wait() -> None:
            await self.clock.sleep(seconds)
            act()

        self.spawn(wait())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def make_world(account: Account, webhook: str, seed: int | str) -> World:
    clock, names = Clock(), Names(seed)
    delivery = Delivery(webhook, account, clock, names, lambda: world.touch())
    shoppers = Shoppers(account.business_account_id)
    world = World(account, clock, names, delivery, shoppers, Media(clock, names), Templates(some()))
    return world
