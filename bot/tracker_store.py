"""Conversations in the shop's own database: saved with the turn that they belong to, read only as far as they are needed.

Rasa's table `events` keeps all that ever happened. A tracker is made of the newest turns and of a short prefix that stands for
everything before them, so that a turn costs the same however long the conversation is.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from typing import Any

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from bot.tracker import ConversationTracker, as_json, cut, from_json, prefix_of
from database import transaction
from database.engine import default_url
from messaging.models import TrackerState
from messaging.turns import calls
from messaging.writes import insert_once

FORGET = "forget_conversation"  # the slot by which an action says that nothing of this conversation may stay
MOST_CACHED = 256  # trackers, of up to half a megabyte: more are read again

_STATES = TrackerState.__table__
_VERSION = select(_STATES.c.version).where(_STATES.c.sender_id == bindparam("sender_id"))
_RAISE_VERSION = (
    update(_STATES)
    .where(_STATES.c.sender_id == bindparam("of_sender"), _STATES.c.version == bindparam("known"))
    .values(version=_STATES.c.version + 1)
)


class SavedMeanwhile(Exception):
    """Another turn of this conversation has been saved since the tracker was read: this one cannot be."""


class ConversationTrackerStore(SQLTrackerStore):
    """Rasa's SQL tracker store on ``TENDERO_DATABASE_URL`` (default: SQLite below ``TENDERO_HOME``)."""

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        **kwargs: Any,
    ) -> None:
        self._url = host or default_url()
        super().__init__(domain=domain, host=self._url, event_broker=event_broker, **kwargs)
        TrackerState.__table__.create(self.engine, checkfirst=True)  # for stock commands on a database that nobody migrated
        self._events = self.SQLEvent.__table__
        self._insertion = insert(self._events)
        self._cache: OrderedDict[str, ConversationTracker] = OrderedDict()

    # What Rasa calls

    def init_tracker(self, sender_id: str, domain: Domain | None = None) -> ConversationTracker:
        """A new conversation. domain: without it, the one in use."""
        tracker = ConversationTracker(sender_id, (domain or self.domain).slots)
        tracker.domain = domain or self.domain
        return tracker

    async def retrieve(self, sender_id: str) -> ConversationTracker | None:
        """The conversation as far as it is needed to go on; None where there is none."""
        return await asyncio.to_thread(self._retrieve_now, sender_id)

    async def retrieve_full_tracker(self, conversation_id: str) -> ConversationTracker | None:
        """All that ever happened in the conversation; None where there is none."""
        return await asyncio.to_thread(self._retrieve_all, conversation_id)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store (and stream) the new events; or forget them all. Raises SavedMeanwhile."""
        await self.stream_events(tracker)
        await asyncio.to_thread(self._save_now, tracker)

    # What the turn engine calls

    def load(self, sender_id: str, domain: Domain | None = None) -> ConversationTracker:
        """A tracker for one turn, new where there is none. What is done with it changes nothing until it is kept.

        domain: of the model that takes the turn; without it, the one in use.
        """
        domain = domain or self.domain
        with transaction(self._url, is_optimistic=True) as session:
            version = session.execute(_VERSION, {"sender_id": sender_id}).scalar_one_or_none()
            cached = self._cache.get(sender_id)
            if cached is not None and cached.version == version and cached.domain is domain:
                return cached.copy()
            self.drop(sender_id)
            return self._read(session, sender_id, domain) or self.init_tracker(sender_id, domain)

    def write(self, session: Session, tracker: ConversationTracker, withheld: bool = False) -> None:
        """Save the new events in this transaction; withheld: without what the bot said. Raises SavedMeanwhile.

        Where the action said so by the slot FORGET, everything goes instead: it erased the earlier turns in its own
        transaction, and without this the tracker would write them all again.
        """
        if tracker.get_slot(FORGET):
            self._forget(session, tracker.sender_id)
            return
        new = [event for event in tracker.new_events if not (withheld and isinstance(event, BotUttered))]
        if not new:
            return
        self._raise_version(session, tracker)
        self._insert(session, tracker.sender_id, new)
        self._move_tail(session, tracker, new)

    def keep(self, tracker: ConversationTracker) -> None:
        """After the transaction of `write`: the next turn begins with this tracker."""
        began_anew = any(isinstance(event, SessionStarted) for event in tracker.new_events)
        if tracker.get_slot(FORGET) or (began_anew and tracker.stored):
            self.drop(tracker.sender_id)
            return
        is_newer = bool(tracker.new_events)  # where nothing was written, another process may have the next version
        kept = tracker
        if (first := cut(tracker)) is not None:
            kept = self._shortened(tracker, first)
        kept.version, kept.stored = tracker.version + is_newer, len(kept.events)
        self._cache[tracker.sender_id] = kept
        self._cache.move_to_end(tracker.sender_id)
        while len(self._cache) > MOST_CACHED:
            self._cache.popitem(last=False)

    def go_on_with(self, domain: Domain) -> None:
        """From now on conversations have this domain's slots, unless they are asked for with another's."""
        self.domain = domain
        self._cache.clear()

    def actions_done_in(self, turn_id: int) -> list[str]:
        """What a try of this turn did that was not saved as a turn."""
        with transaction(self._url) as session:
            return calls.made_in(session, turn_id)

    def drop(self, sender_id: str) -> None:
        """The next turn reads the conversation from the database."""
        self._cache.pop(sender_id, None)

    # Reading

    def _retrieve_now(self, sender_id: str) -> ConversationTracker | None:
        with transaction(self._url) as session:
            return self._read(session, sender_id, self.domain)

    def _retrieve_all(self, sender_id: str) -> ConversationTracker | None:
        with transaction(self._url) as session:
            rows = session.execute(self._rows(sender_id)).scalars().all()
            return self._made_of(sender_id, [from_json(data) for data in rows], 0, self.domain) if rows else None

    def _read(self, session: Session, sender_id: str, domain: Domain) -> ConversationTracker | None:
        state = session.execute(
            select(TrackerState.version, TrackerState.prefix, TrackerState.tail_from).where(TrackerState.sender_id == sender_id)
        ).one_or_none()
        tail_from = state.tail_from if state is not None else self._session_begins(session, sender_id)
        rows = session.execute(self._rows(sender_id).where(self._events.c.id >= tail_from)).scalars().all()
        if not rows:
            return None
        prefix = [json.dumps(each) for each in json.loads(state.prefix)] if state is not None else []
        version = state.version if state is not None else 0
        return self._made_of(sender_id, [from_json(data) for data in [*prefix, *rows]], version, domain)

    def _rows(self, sender_id: str) -> Any:
        return select(self._events.c.data).where(self._events.c.sender_id == sender_id).order_by(self._events.c.id)

    def _session_begins(self, session: Session, sender_id: str) -> int:
        """For a conversation that was saved by Rasa's own store."""
        started = (self._events.c.sender_id == sender_id, self._events.c.type_name == SessionStarted.type_name)
        return int(session.execute(select(func.max(self._events.c.id)).where(*started)).scalar_one() or 0)

    def _made_of(self, sender_id: str, events: list[Event | None], version: int, domain: Domain) -> ConversationTracker:
        known = [event for event in events if event is not None]
        tracker = ConversationTracker.from_events(sender_id, known, domain.slots)
        tracker.stored, tracker.version, tracker.domain = len(tracker.events), version, domain
        return tracker

    # Writing

    def _save_now(self, tracker: DialogueStateTracker) -> None:
        ours = tracker if isinstance(tracker, ConversationTracker) else self._adopted(tracker)
        with transaction(self._url) as session:
            self.write(session, ours)
        self.drop(ours.sender_id)
        if not ours.get_slot(FORGET) and ours.new_events:
            ours.version, ours.stored = ours.version + 1, len(ours.events)

    def _adopted(self, tracker: DialogueStateTracker) -> ConversationTracker:
        """A tracker that Rasa made by itself: what the database has of it is not new."""
        known = self._retrieve_now(tracker.sender_id)
        ours = ConversationTracker.from_events(tracker.sender_id, list(tracker.events), self.domain.slots)
        if known is not None:
            ours.stored, ours.version = min(known.stored, len(ours.events)), known.version
        return ours

    def _raise_version(self, session: Session, tracker: ConversationTracker) -> None:
        if tracker.version == 0:
            values = {"sender_id": tracker.sender_id, "version": 1, "prefix": "[]", "tail_from": 0}
            is_first = insert_once(session, TrackerState, values)
        else:
            same = {"of_sender": tracker.sender_id, "known": tracker.version}
            is_first = bool(session.execute(_RAISE_VERSION, same).rowcount)
        if not is_first:
            raise SavedMeanwhile(f"the conversation has moved on from version {tracker.version}")

    def _insert(self, session: Session, sender_id: str, events: list[Event]) -> None:
        session.execute(self._insertion, [self._row(sender_id, event) for event in events])

    def _row(self, sender_id: str, event: Event) -> dict[str, Any]:
        said = getattr(event, "parse_data", None) or {}
        return {
            "sender_id": sender_id,
            "type_name": event.type_name,
            "timestamp": event.timestamp,
            "intent_name": (said.get("intent") or {}).get("name"),
            "action_name": getattr(event, "action_name", None) or getattr(event, "name", None),
            "data": as_json(event),
        }

    def _move_tail(self, session: Session, tracker: ConversationTracker, new: list[Event]) -> None:
        """Let the tail begin with a new session, or, where it has grown long, with the newest turns."""
        started = [index for index, event in enumerate(new) if isinstance(event, SessionStarted)]
        if started:
            begins = max(0, started[-1] - 1)  # with the action that starts a session
            self._set_tail(session, tracker.sender_id, len(new) - begins, [])
        elif tracker.version == 0:
            self._set_tail(session, tracker.sender_id, len(tracker.events), [])
        elif (first := cut(tracker)) is not None:
            events = list(tracker.events)
            self._set_tail(session, tracker.sender_id, len(events) - first, prefix_of(tracker, events[:first]))

    def _set_tail(self, session: Session, sender_id: str, length: int, prefix: list[Event]) -> None:
        newest = select(self._events.c.id).where(self._events.c.sender_id == sender_id).order_by(self._events.c.id.desc())
        tail_from = session.execute(newest.offset(length - 1).limit(1)).scalar_one_or_none() or 0
        written = json.dumps([json.loads(as_json(event)) for event in prefix], ensure_ascii=False)
        moved = update(TrackerState).where(TrackerState.sender_id == sender_id).values(tail_from=tail_from, prefix=written)
        session.execute(moved.execution_options(synchronize_session=False))

    def _shortened(self, tracker: ConversationTracker, first: int) -> ConversationTracker:
        events = list(tracker.events)
        shortened = [*prefix_of(tracker, events[:first]), *events[first:]]
        return self._made_of(tracker.sender_id, shortened, 0, tracker.domain or self.domain)

    def _forget(self, session: Session, sender_id: str) -> None:
        session.execute(delete(self._events).where(self._events.c.sender_id == sender_id))
        session.execute(delete(TrackerState).where(TrackerState.sender_id == sender_id))
