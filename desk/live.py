"""What happens in conversations, at each agent's page within a second, whoever did it: one look at the database for all agents.

Each agent is told of what they may see only; that is asked again whenever a conversation, or what an agent may do, changes.
Everything here runs on the event loop of the connections but `_Look`, which runs in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from itertools import count
from typing import Any, Protocol

import psycopg
from sqlalchemy import and_, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from database import default_url
from desk import files, news, same_person
from desk.database_work import reading
from desk.items import Item, items_of, open_items
from desk.permissions import Me
from desk.same_person import Talk
from desk.transcript import Rows, Transcript
from messaging import handoffs, typing
from messaging.models import Handoff, InboundMessage, OutboundMessage, ReceivedFile
from messaging.notifications import notices_of
from messaging.turns.own_loop import on as on_loop
from messaging.typing import Typing

logger = logging.getLogger(__name__)

Json = dict[str, Any]

EVERY = 0.3  # seconds between two looks
SOON = 0.02  # seconds: after something was done here
SWEEP_EVERY = 4.0  # seconds: for what no row told of
LOOKS_WHO_EVERY = 5  # sweeps: whether other conversations are proven to be a watched shopper's, or are no more
RETRY_AFTER = 1.0
MARKS_FOLLOWED = 60  # newest replies of a watched shopper
TOLD_AGAIN = 12  # messages and replies of a conversation in which one was taken back
UNSETTLED = ("pending", "sending", "sent", "delivered", "held")
ALERTS = {  # by kinds of events
    "assigned": "assigned",
    "transferred": "transferred",
    "lost": "lost",
    "woken": "woken",
    "warned": "warning",
    "breached": "breached",
}


class Line(Protocol):
    """A page of an agent's."""

    me: Me

    def tell(self, *frames: Json) -> None:
        """Send these."""

    def tell_text(self, text: str) -> None:
        """A frame that many get: it is written once."""

    def note(self, items: Iterable[Item]) -> None:
        """These conversations have changed."""

    def hang_up(self, why: str, after: float) -> None: ...


@dataclass
class Watch:
    """A conversation that somebody looks at. states: of replies whose marks may change; files: messages that wait for theirs."""

    handoff: Handoff
    talks: list[Talk]
    lines: set[Line] = field(default_factory=set)
    states: dict[int, str] = field(default_factory=dict)
    files: set[int] = field(default_factory=set)

    @property
    def id(self) -> int:
        return int(self.handoff.id)


@dataclass(frozen=True)
class Looked:
    watch: Watch
    entries: list[Json]

    @property
    def handoff(self) -> Handoff:
        return self.watch.handoff


@dataclass(frozen=True)
class _Found:
    marks: news.Marks
    items: list[Item]
    entries: Mapping[int, list[Json]]  # by handoff
    events: list[Row]
    wrote: set[str]  # conversations in which a shopper has written


class Live:
    """every: seconds between two looks. now: the clock."""

    def __init__(self, every: float = EVERY, now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        self._every = every
        self.now = now
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lines: set[Line] = set()
        self._items: dict[int, Item] = {}
        self._by_sender: dict[str, int] = {}
        self._watches: dict[int, Watch] = {}
        self._read: dict[int, dict[str, int]] = {}  # how far, by agent and conversation
        self._typing: dict[str, asyncio.TimerHandle] = {}  # shoppers, by conversation
        self._marks: news.Marks | None = None  # None: nobody is connected, and nothing is known
        self._warming = asyncio.Lock()
        self._nudged = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._unlisten: Callable[[], None] = lambda: None
        self.is_closed = False

    def begin(self) -> None:
        """On the event loop of the connections."""
        self._loop = asyncio.get_running_loop()
        self._unlisten = typing.listen(lambda told: on_loop(self._loop, self._note_typing, told))
        works = [self._look_again_and_again, self._sweep_again_and_again]
        works += [self._hear_others] if default_url().startswith("postgresql") else []
        self._tasks = [self._loop.create_task(self._for_ever(work)) for work in works]

    def end(self) -> None:
        self.is_closed = True
        self._unlisten()
        for task in self._tasks:
            task.cancel()
        for ends in self._typing.values():
            ends.cancel()

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except (SQLAlchemyError, psycopg.Error, OSError) as error:
                logger.warning("desk: what is new is not known: %s", type(error).__name__)
            except Exception:
                logger.exception("desk: what is new is not known")
            await asyncio.sleep(RETRY_AFTER)

    # Who is connected

    @property
    def lines(self) -> Collection[Line]:
        return self._lines

    async def join(self, line: Line) -> None:
        """From now on this page is told. Raises what the database raises."""
        async with self._warming:
            if self._marks is None:
                await self._warm_up()
        self._lines.add(line)

    def leave(self, line: Line) -> None:
        self._lines.discard(line)
        self.unwatch(line)
        if not any(other.me.id == line.me.id for other in self._lines):
            self._read.pop(line.me.id, None)
        if not self._lines:
            self._marks = None
            self._items.clear()
            self._by_sender.clear()

    async def _warm_up(self) -> None:
        now = self.now()

        def read(session: Session) -> tuple[news.Marks, list[Item]]:
            return news.now_at(session), open_items(session, now)  # in this order: what comes between the two is told again

        marks, items = await reading(read)
        self._items = {item.id: item for item in items}
        self._by_sender = {item.sender_id: item.id for item in items}
        self._marks = marks

    def items(self, me: Me) -> list[Item]:
        """Every open conversation that they may see, by id."""
        return [item for _, item in sorted(self._items.items()) if item.may_be_seen_by(me)]

    @property
    def open_items(self) -> Collection[Item]:
        return self._items.values()

    def item(self, handoff_id: int) -> Item | None:
        return self._items.get(handoff_id)

    def types(self, sender_id: str) -> bool:
        """Whether the shopper is writing."""
        return sender_id in self._typing

    # Reading

    def read_by(self, agent_id: int) -> dict[str, int]:
        """How far this agent has read, by conversation."""
        return self._read.setdefault(agent_id, {})

    def note_read(self, agent_id: int, sender_id: str, read_up_to: int) -> None:
        """For the agent's other pages, too."""
        marks = self.read_by(agent_id)
        if marks.get(sender_id, 0) >= read_up_to:
            return
        marks[sender_id] = read_up_to
        item = self._items.get(self._by_sender.get(sender_id, 0))
        if item is not None:
            for line in [each for each in self._lines if each.me.id == agent_id]:
                line.note([item])

    # Watching

    async def watch(self, line: Line, handoff_id: int) -> Looked | None:
        """The newest entries; whatever comes after them is sent. None: there is no such conversation that they may see."""
        me, now = line.me, self.now()
        looked = await reading(lambda session: _watch(session, handoff_id, me, now))
        if looked is None:
            self.unwatch(line)
            return None
        watch = looked.watch
        known = self._watches.setdefault(handoff_id, watch)
        known.states.update(watch.states)
        known.files.update(watch.files)
        self.unwatch(line, but=handoff_id)
        known.lines.add(line)
        self.look_soon()
        return looked

    def unwatch(self, line: Line, but: int | None = None) -> None:
        for watch in [each for each in self._watches.values() if line in each.lines and each.id != but]:
            watch.lines.discard(line)
            if not watch.lines:
                del self._watches[watch.id]

    def look_after(self, line: Line) -> None:
        """What this agent may see has changed."""
        for watch in [each for each in self._watches.values() if line in each.lines]:
            item = self._items.get(watch.id)
            if item is None or not item.may_be_seen_by(line.me):
                self.unwatch(line)

    # Typing

    def type(self, line: Line, item: Item, on: bool) -> None:
        """An agent types: for the colleagues who look at it."""
        self._tell_typing(item.id, line.me.name, on, but=line)

    def _note_typing(self, told: Typing) -> None:
        handoff_id = self._by_sender.get(told.sender_id)
        if handoff_id is None:
            return
        if told.by:
            self._tell_typing(handoff_id, told.by, told.on)
            return
        before = self._typing.pop(told.sender_id, None)
        if before is not None:
            before.cancel()
        if told.on and self._loop is not None:
            ended = Typing(told.sender_id, False)
            self._typing[told.sender_id] = self._loop.call_later(typing.HOLDS, self._note_typing, ended)
        if told.on != (before is not None):
            self._tell_typing(handoff_id, "shopper", told.on)

    def _tell_typing(self, handoff_id: int, by: str, on: bool, but: Line | None = None) -> None:
        watch, item = self._watches.get(handoff_id), self._items.get(handoff_id)
        assignee = item.handoff.assignee if item is not None else None
        told = set(watch.lines) if watch is not None else set()
        told |= {line for line in self._lines if assignee is not None and line.me.name == assignee}
        for line in told:
            if line is not but and line.me.name != by and item is not None and item.may_be_seen_by(line.me):
                line.tell({"type": "typing", "handoff": handoff_id, "by": by, "on": on})

    async def _hear_others(self) -> None:
        async with notices_of(typing.CHANNEL) as told:
            async for each in told:
                typing.hear(each)

    # Looking

    def look_soon(self) -> None:
        """Something was done: look now, and not in a while. From any thread."""
        on_loop(self._loop, self._nudged.set)

    async def _look_again_and_again(self) -> None:
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), self._every)
                await asyncio.sleep(SOON)
            self._nudged.clear()
            if self._marks is not None:
                await self._look(self._marks)

    async def _sweep_again_and_again(self) -> None:
        for number in count(1):
            await asyncio.sleep(SWEEP_EVERY)
            watches = [] if number % LOOKS_WHO_EVERY else self._watching()
            if self._marks is not None:
                now = self.now()
                known = {id_: _print(item.handoff) for id_, item in self._items.items()}
                old = {id_ for id_, item in self._items.items() if item.is_old(now)}
                items, talks = await reading(partial(_swept, known, old, watches, now))
                self._tell(items)
                for handoff_id, found in talks.items():
                    if handoff_id in self._watches:
                        self._watches[handoff_id].talks = found

    def _watching(self) -> list[Watch]:
        return list(self._watches.values())

    async def _look(self, marks: news.Marks) -> None:
        look = _Look(marks, self._by_sender, self._watching(), self.now())
        found = await reading(look.found)
        if self._marks is not marks:
            return  # everybody has gone meanwhile, and perhaps somebody has come
        self._marks = found.marks
        for sender_id in found.wrote & self._typing.keys():
            self._note_typing(Typing(sender_id, False))
        self._tell(found.items)
        self._tell_entries(found.entries)
        self._alert(found.events)

    def _tell(self, items: Iterable[Item]) -> None:
        changed = [item for item in items if not item.is_as(self._items.get(item.id))]
        for item in changed:
            if item.is_open:
                self._items[item.id] = item
                self._by_sender[item.sender_id] = item.id
            elif self._items.pop(item.id, None) is not None and self._by_sender.get(item.sender_id) == item.id:
                del self._by_sender[item.sender_id]
            self._stop_watching(item)
        if changed:
            for line in list(self._lines):
                line.note(changed)

    def _stop_watching(self, item: Item) -> None:
        """Whoever may not see it any more, looks at it no more."""
        watch = self._watches.get(item.id)
        for line in list(watch.lines) if watch is not None else ():
            if not item.may_be_seen_by(line.me):
                self.unwatch(line)
                line.tell({"type": "changed", "items": [], "gone": [item.id]})

    def _tell_entries(self, entries: Mapping[int, list[Json]]) -> None:
        for handoff_id, several in entries.items():
            watch = self._watches.get(handoff_id)
            told = text_of({"type": "entries", "handoff": handoff_id, "entries": several})
            for line in list(watch.lines) if watch is not None else ():
                line.tell_text(told)

    def _alert(self, events: Iterable[Row]) -> None:
        for event in events:
            item = self._items.get(event.handoff_id)
            for line in list(self._lines) if item is not None else ():
                if item is not None and (alert := _alert_for(event, item, line.me)) is not None:
                    line.tell(alert)


# In a thread


class _Look:
    """marks: where the last look has ended. open_: the open handoffs by conversation."""

    def __init__(self, marks: news.Marks, open_: Mapping[str, int], watches: list[Watch], now: datetime) -> None:
        self._marks = marks
        self._open = open_
        self._watches = watches
        self._now = now

    def found(self, session: Session) -> _Found:
        added, marks = news.since(session, self._marks)
        told = {row.handoff_id for row in added["e"]} | {row.id for row in added["h"]}
        wrote = {row.sender_id for row in added["i"]}
        told |= {self._open[sender] for sender in wrote | {row.sender_id for row in added["o"]} if sender in self._open}
        items = items_of(session, told, self._now) if told else []
        changed = _changed_marks(session, self._watches)
        entries = {watch.id: self._entries(session, watch, added, changed) for watch in self._watches}
        events = [row for row in added["e"] if row.kind in ALERTS]
        return _Found(marks, items, {id_: some for id_, some in entries.items() if some}, events, wrote)

    def _entries(self, session: Session, watch: Watch, added: news.News, changed: Mapping[int, str]) -> list[Json]:
        theirs = {talk.sender_id for talk in watch.talks}
        ids = {letter: {row.id for row in added[letter] if row.sender_id in theirs} for letter in "ione"}
        if any(row.kind == "note" and row.id in ids["i"] for row in added["i"]):
            ids["i"] |= set(_newest_ids(session, theirs, TOLD_AGAIN))
        ids["o"] |= watch.states.keys() & changed.keys()
        come = _come(session, watch.files) if watch.files else set()
        ids["i"] |= come
        rows = Rows(**ids)
        if not rows:
            return []
        states = _states(session, ids["o"])
        for id_ in ids["o"]:
            watch.states.pop(id_, None)
        watch.states.update({id_: state for id_, state in states.items() if state in UNSETTLED})
        for id_ in sorted(watch.states)[:-MARKS_FOLLOWED]:
            del watch.states[id_]
        watch.files -= come
        watch.files |= _waiting_files(session, ids["i"] - come)
        return Transcript(session, watch.handoff, watch.talks, _address(watch.handoff, self._now)).entries_of(rows)


def _watch(session: Session, handoff_id: int, me: Me, now: datetime) -> Looked | None:
    item = next(iter(items_of(session, [handoff_id], now)), None)
    if item is None or not item.may_be_seen_by(me):
        return None
    handoff = handoffs.by_id(session, handoff_id)
    talks = same_person.talks_of(session, handoff, now)
    entries, _ = Transcript(session, handoff, talks, _address(handoff, now)).page()
    watch = Watch(item.handoff, talks)
    theirs = [talk.sender_id for talk in talks]
    newest = select(OutboundMessage.id).where(OutboundMessage.sender_id.in_(theirs)).order_by(OutboundMessage.id.desc())
    replies = list(session.execute(newest.limit(MARKS_FOLLOWED)).scalars())
    watch.states = {id_: state for id_, state in _states(session, replies).items() if state in UNSETTLED}
    watch.files = _waiting_files(session, _newest_ids(session, theirs, MARKS_FOLLOWED))
    return Looked(watch, entries)


def _address(handoff: Handoff, now: datetime) -> Callable[[str], str]:
    return lambda name: files.address(int(handoff.id), name, now)


def _changed_marks(session: Session, watches: list[Watch]) -> dict[int, str]:
    """The replies of watched conversations whose state is another one now."""
    known: dict[str, set[int]] = {}
    for watch in watches:
        for id_, state in list(watch.states.items()):
            known.setdefault(state, set()).add(id_)
    if not known:
        return {}
    is_other = [and_(OutboundMessage.id.in_(list(ids)), OutboundMessage.state != state) for state, ids in known.items()]
    changed = select(OutboundMessage.id, OutboundMessage.state).where(or_(*is_other))
    return {row.id: row.state for row in session.execute(changed)}


def _states(session: Session, ids: Collection[int]) -> dict[int, str]:
    if not ids:
        return {}
    named = select(OutboundMessage.id, OutboundMessage.state).where(OutboundMessage.id.in_(list(ids)))
    return {row.id: row.state for row in session.execute(named)}


def _newest_ids(session: Session, sender_ids: Collection[str], most: int) -> list[int]:
    newest = select(InboundMessage.id).where(InboundMessage.sender_id.in_(list(sender_ids)))
    return list(session.execute(newest.order_by(InboundMessage.id.desc()).limit(most)).scalars())


def _files_of(session: Session, message_ids: Collection[int]) -> Any:
    same = and_(ReceivedFile.sender_id == InboundMessage.sender_id, ReceivedFile.message_id == InboundMessage.provider_id)
    return select(InboundMessage.id).join(ReceivedFile, same).where(InboundMessage.id.in_(list(message_ids)))


def _waiting_files(session: Session, message_ids: Collection[int]) -> set[int]:
    """Those of these messages of whose files one is not there yet."""
    if not message_ids:
        return set()
    return set(session.execute(_files_of(session, message_ids).where(ReceivedFile.state == "waiting")).scalars())


def _come(session: Session, message_ids: Collection[int]) -> set[int]:
    return set(message_ids) - _waiting_files(session, message_ids)


PRINTED = ("status", "assignee", "queue", "language", "priority", "customer_id", "snoozed_until", "awaiting_since", "callback_at")


def _print(handoff: Any) -> tuple[Any, ...]:
    return tuple(getattr(handoff, name) for name in PRINTED)


def _swept(
    known: Mapping[int, tuple[Any, ...]], old: set[int], watches: list[Watch], now: datetime, session: Session
) -> tuple[list[Item], dict[int, list[Talk]]]:
    """What no row has told of: conversations that are not as they are known, and who is proven to be whom."""
    different = _differing(session, known) | old
    talks = {watch.id: same_person.talks_of(session, watch.handoff, now) for watch in watches}
    return (items_of(session, different, now) if different else []), talks


def _differing(session: Session, known: Mapping[int, tuple[Any, ...]]) -> set[int]:
    """The handoffs that are not as they are known, or are open and not known, or known and not open."""
    columns = [getattr(Handoff, name) for name in PRINTED]
    rows = session.execute(select(Handoff.id, *columns).where(Handoff.status.in_(handoffs.OPEN)))
    now = {row.id: _print(row) for row in rows}
    return {id_ for id_ in now.keys() | known.keys() if now.get(id_) != known.get(id_)}


# Alerts


def _alert_for(event: Row, item: Item, me: Me) -> Json | None:
    """For whom something came, from whom it was taken; what clocks say also for those who look after all."""
    details = event.details or {}
    whom = details.get("agent") or item.handoff.assignee
    kind = ALERTS[event.kind]
    if event.kind in ("warned", "breached"):
        concerns = item.handoff.assignee in (None, me.name) or me.may("see_all")
    elif details.get("earlier") == me.name and whom != me.name:
        kind, concerns = "lost", True
    else:
        concerns = me.name == whom
    if not concerns or me.name == event.by or not item.may_be_seen_by(me):
        return None
    needed = {name: details[name] for name in ("level", "due_at") if details.get(name)}
    return {"type": "alert", "kind": kind, "handoff": event.handoff_id, "by": event.by, **needed}


def text_of(frame: Json) -> str:
    """A frame on its way."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
