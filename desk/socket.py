"""An agent's page: what it says by its WebSocket, and what it is told."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from throttled import MemoryStore, Quota, Throttled, per_sec

from bot.channels.webchat.websocket import WebSocket
from desk import audit
from desk.account_routes import shown_me
from desk.database_work import in_transaction, reading
from desk.frames import BadFrame, Frame, Hello, LookAt, Ping, Status, Types, parse
from desk.items import Item, open_read_marks
from desk.live import Json, Live, text_of
from desk.permissions import Me
from desk.presence import Presence
from desk.typing_there import TypingThere
from desk.welcome import opens_tomorrow_at, titles

logger = logging.getLogger(__name__)

MOST_WAITING = 32  # frames, before nothing more is read
FRAMES = per_sec(10, burst=60)  # of one page
MOST_BAD = 20  # frames that are none, before the connection ends
BUSY, CROWDED = 5, 60  # seconds after which to come back
MOST_KEPT = 2000  # frames for a page that reads too slowly, before it has to begin anew


@dataclass(frozen=True)
class Service:
    """What all pages of this process share."""

    live: Live
    presence: Presence
    typing: TypingThere


class AgentLine:
    """As `live.Line`. A task works for it only while there is something to do."""

    def __init__(self, service: Service, socket: WebSocket, me: Me, token: str, language: str, frames: Quota = FRAMES) -> None:
        self.me = me
        self.token = token
        self._heard_at = time.monotonic()
        self._service = service
        self._socket = socket
        self._language = language
        self._limit = Throttled(key=f"{id(self)}", using="gcra", quota=frames, store=MemoryStore())
        self._waiting: deque[bytes] = deque()
        self._kept: deque[str] = deque()
        self._changed: dict[int, Item] = {}
        self._shown: set[int] = set()
        self._is_welcome = self._is_held = False
        self._bad = 0
        self._work: asyncio.Task[None] | None = None
        socket.heard, socket.ended, socket.can_go_on = self._hear, self._end, self._go_on_sending

    def begin(self) -> None:
        self._socket.begin()
        if self._service.live.is_closed:
            self.hang_up("restart", 1)
        elif not self._service.presence.open(self):
            self.hang_up("too_many", CROWDED)

    @property
    def heard_at(self) -> float:
        """Nobody is silent whose frames wait for us."""
        return self._heard_at if self._work is None else time.monotonic()

    # What it is told

    def tell(self, *frames: Json) -> None:
        """Nothing, before it is welcome."""
        for frame in frames:
            self.tell_text(text_of(frame))

    def tell_text(self, text: str) -> None:
        if self._is_welcome:
            self._send(text)

    def _answer(self, frame: Json) -> None:
        self._send(text_of(frame))

    def note(self, items: Iterable[Item]) -> None:
        if self._is_welcome:
            self._changed.update({item.id: item for item in items})
            self._tell_changes()

    def hang_up(self, why: str, after: float) -> None:
        self._kept.clear()
        self._socket.send(json.dumps({"type": "bye", "why": why, "after": after}))
        self._socket.close()

    def become(self, me: Me) -> None:
        """What they may see may be other than it was."""
        before, self.me = self.me, me
        is_as_before = (before.permissions, before.queues, before.languages) == (me.permissions, me.queues, me.languages)
        if is_as_before or not self._is_welcome:
            return
        live = self._service.live
        self.note([item for item in live.open_items if item.may_be_seen_by(me) != (item.id in self._shown)])
        live.look_after(self)

    def _tell_changes(self) -> None:
        """All of those that have changed; later, where the page cannot read any more at present."""
        if self._socket.is_full or not self._changed:
            return
        items, self._changed = list(self._changed.values()), {}
        seen = [item for item in items if item.may_be_seen_by(self.me) and (item.is_open or item.id in self._shown)]
        ids = {item.id for item in seen}
        gone = [item.id for item in items if item.id not in ids and item.id in self._shown]
        self._shown |= {item.id for item in seen if item.is_open}
        self._shown -= {*gone, *(item.id for item in seen if not item.is_open)}
        if seen or gone:
            self._send(f'{{"type":"changed","items":[{self._texts(seen)}],"gone":{json.dumps(gone)}}}')

    def _texts(self, items: Iterable[Item]) -> str:
        marks = self._service.live.read_by(self.me.id)
        return ",".join(item.text_for(marks.get(item.sender_id, 0)) for item in items)

    def _send(self, text: str) -> None:
        if self._kept or self._socket.is_full:
            self._kept.append(text)
            if len(self._kept) > MOST_KEPT:
                self.hang_up("restart", BUSY)
        else:
            self._socket.send(text)

    def _go_on_sending(self) -> None:
        while self._kept and not self._socket.is_full:
            self._socket.send(self._kept.popleft())
        self._tell_changes()
        self._go_on()

    # What it says

    def _hear(self, data: bytes) -> None:
        self._heard_at = time.monotonic()
        if self._limit.limit().limited:
            self.hang_up("too_many", BUSY)
            return
        self._waiting.append(data)
        if len(self._waiting) >= MOST_WAITING and not self._is_held:
            self._is_held = True
            self._socket.hold()
        self._go_on()

    def _end(self) -> None:
        self._waiting.clear()
        self._kept.clear()
        self._service.typing.leave(self)
        self._service.live.leave(self)
        self._service.presence.close(self)

    def _go_on(self) -> None:
        if self._work is None and self._socket.is_open and self._waiting:
            self._work = asyncio.get_running_loop().create_task(self._do())

    async def _do(self) -> None:
        try:
            while self._socket.is_open and self._waiting:
                await self._take(self._waiting.popleft())
                self._heard_at = time.monotonic()
                if self._is_held and not self._waiting:
                    self._is_held = False
                    self._socket.let_go()
        finally:
            self._work = None
            if not self._socket.is_open:
                self._end()  # a frame may have joined after the connection had ended

    async def _take(self, data: bytes) -> None:
        try:
            await self._done(parse(data))
        except BadFrame:
            self._bad += 1
            self._answer({"type": "error", "error": "bad_request"})
            if self._bad >= MOST_BAD:
                self.hang_up("too_many", CROWDED)
        except (SQLAlchemyError, OSError) as error:
            logger.warning("desk: a frame could not be answered: %s", type(error).__name__)
            self.hang_up("restart", BUSY)

    async def _done(self, frame: Frame) -> None:
        if isinstance(frame, Ping):
            self._answer({"type": "pong"})
        elif isinstance(frame, Hello):
            await self._hello(frame)
        elif not self._is_welcome:
            raise BadFrame("hello comes first")
        elif isinstance(frame, LookAt):
            await self._look_at(frame.handoff)
        elif isinstance(frame, Types):
            self._service.typing.type(self, frame.handoff, frame.on)
        elif isinstance(frame, Status):
            await self._service.presence.set_status(self, frame.status)

    async def _hello(self, hello: Hello) -> None:
        live, presence = self._service.live, self._service.presence
        await live.join(self)
        await presence.arrive(self)
        marks = await reading(lambda session: open_read_marks(session, self.me.id))
        known = live.read_by(self.me.id)
        known.update({sender_id: max(read, known.get(sender_id, 0)) for sender_id, read in marks.items()})
        items = live.items(self.me)  # as they are now: from here on nothing is waited for
        self._is_welcome, self._changed = True, {}
        self._shown = {item.id for item in items}
        head = {"me": shown_me(self.me), "agents": presence.agents, "opens_tomorrow_at": opens_tomorrow_at(live.now())}
        head |= titles(hello.language or self._language)
        told = text_of({"type": "welcome", **head})
        self._send(f'{told[:-1]},"items":[{self._texts(items)}]}}')
        types = [item for item in items if live.types(item.sender_id)]
        self.tell(*({"type": "typing", "handoff": item.id, "by": "shopper", "on": True} for item in types))

    async def _look_at(self, handoff_id: int | None) -> None:
        live = self._service.live
        if handoff_id is None:
            live.unwatch(self)
            return
        found = await live.watch(self, handoff_id)
        if found is None:
            self.tell({"type": "error", "error": "not_found", "handoff": handoff_id})
            return
        await in_transaction(lambda session: audit.note(session, self.me, "watched", handoff=found.handoff, now=live.now()))
        self.tell({"type": "entries", "handoff": handoff_id, "entries": found.entries})
