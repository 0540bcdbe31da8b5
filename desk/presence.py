"""Who of the agents is there: as long as a page of theirs says something, they keep their conversations and are given more."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from desk import accounts, audit, sessions
from desk.database_work import in_transaction, reading
from desk.live import Line, text_of
from desk.models import Agent
from desk.permissions import Me
from desk.rules import kept_rules
from messaging import handoffs

logger = logging.getLogger(__name__)

Json = dict[str, Any]

LOOK_EVERY = 1.0  # seconds: who is signed out, who has come, gone or changed
RENEW_EVERY = 20.0
VISIT_EVERY = 300.0  # a session that is used goes on
IDLE = 75.0  # seconds of silence, after which a connection ends; pages say something every 25
LOADS_EVERY = 3.0  # how much each has in hand changes all the time
PAGES_OF_AGENT = 20
GOODBYE_EVERY = 0.02  # seconds between two looks whether all have gone


class Page(Line, Protocol):
    """An agent's connection."""

    token: str

    @property
    def heard_at(self) -> float:
        """Since when it has said nothing, by time.monotonic()."""

    def become(self, me: Me) -> None: ...


class Presence:
    """idle: seconds. now: the clock. Runs on the event loop of the connections."""

    def __init__(self, now: Callable[[], datetime], idle: float = IDLE) -> None:
        self._now = now
        self._idle = idle
        self._pages: set[Page] = set()
        self._counted: Counter[int] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._renewed_at: dict[int, float] = {}  # by agent
        self._visited_at = time.monotonic()
        self._agents_at = self._loads_at = 0.0
        self.agents: list[Json] = []  # as pages have been told

    def begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._look_again_and_again())

    async def end(self, after: Callable[[], float], patience: float = 2.0) -> None:
        """Every page is told to come back after so many seconds."""
        if self._task is not None:
            self._task.cancel()
        for page in list(self._pages):
            page.hang_up("restart", after())
        for _ in range(int(patience / GOODBYE_EVERY)):
            if not self._pages:
                break
            await asyncio.sleep(GOODBYE_EVERY)

    @property
    def pages(self) -> Collection[Page]:
        return self._pages

    def open(self, page: Page) -> bool:
        """False: this agent has too many already."""
        self._pages.add(page)
        self._counted[page.me.id] += 1
        return self._counted[page.me.id] <= PAGES_OF_AGENT

    def close(self, page: Page) -> None:
        if page in self._pages:
            self._pages.discard(page)
            self._counted[page.me.id] -= 1

    async def arrive(self, page: Page) -> None:
        """They are there from now on. Others are told within a second, of all who have come by then."""
        if self._renewed_at.get(page.me.id, 0.0) <= time.monotonic() - RENEW_EVERY:
            await self._renew([page.me])
        if time.monotonic() - self._agents_at > LOOK_EVERY:
            await self._tell_agents()

    async def set_status(self, page: Page, status: str) -> None:
        """What the agent says of themselves: available or away."""
        me, now = page.me, self._now()

        def set_it(session: Session) -> None:
            theirs = update(Agent).where(Agent.id == me.id, Agent.status != status).values(status=status)
            if session.execute(theirs.execution_options(synchronize_session=False)).rowcount:
                audit.note(session, me, "set_status", details={"status": status}, now=now)

        await in_transaction(set_it)
        await self._look()

    # Again and again

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if self._pages:
                    await self._look()
            except (SQLAlchemyError, OSError) as error:
                logger.warning("desk: who is there is not known: %s", type(error).__name__)
            except Exception:
                logger.exception("desk: who is there is not known")

    async def _look(self) -> None:
        self._end_silent()
        await self._check_sessions()
        clock = time.monotonic()
        due = {page.me for page in self._pages if self._renewed_at.get(page.me.id, 0.0) <= clock - RENEW_EVERY}
        if due:
            await self._renew(list({me.id: me for me in due}.values()))
        if clock - self._visited_at > VISIT_EVERY:
            self._visited_at = clock
            for token in {page.token for page in self._pages}:
                await asyncio.to_thread(sessions.visit, token, self._now())
        await self._tell_agents()

    def _end_silent(self) -> None:
        silent_since = time.monotonic() - self._idle
        for page in [each for each in self._pages if each.heard_at < silent_since]:
            page.hang_up("idle", 0)

    async def _check_sessions(self) -> None:
        """Those who are signed out, or put out, see nothing more; those who may see other things than before, see those."""
        ids, now = {page.me.session_id for page in self._pages}, self._now()
        known = await reading(lambda session: sessions.those_open(session, ids, now))
        for page in list(self._pages):
            me = known.get(page.me.session_id)
            if me is None and page.me.session_id in ids:
                page.hang_up("signed_out", 0)
            elif me is not None and me != page.me:
                page.become(me)

    async def _renew(self, several: Collection[Me]) -> None:
        now, lease = self._now(), kept_rules().limits.absent
        clock = time.monotonic()

        def renew(session: Session) -> None:
            seen = update(Agent).where(Agent.id.in_([me.id for me in several])).values(seen_at=now)
            session.execute(seen.execution_options(synchronize_session=False))
            handoffs.renew(session, [me.name for me in several], now, lease)

        await in_transaction(renew)
        self._renewed_at.update({me.id: clock for me in several})

    async def _tell_agents(self) -> None:
        now, clock = self._now(), time.monotonic()
        self._agents_at = clock
        agents = await reading(lambda session: accounts.colleagues(session, now))
        has_news = _without_load(agents) != _without_load(self.agents)
        if not has_news and (agents == self.agents or clock - self._loads_at < LOADS_EVERY):
            return
        self.agents, self._loads_at = agents, clock
        told = text_of({"type": "agents", "agents": agents})
        for page in list(self._pages):
            page.tell_text(told)


def _without_load(agents: list[Json]) -> list[Json]:
    return [{key: value for key, value in agent.items() if key != "load"} for agent in agents]
