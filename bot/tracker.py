"""The tracker of a conversation: into which no card number or password gets, and whose copies cost little."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    AllSlotsReset,
    Event,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.utils.common import all_subclasses

from messaging.masking import mask

MOST_TURNS, FEWEST_TURNS = 24, 12  # kept in a tracker: more than the first are cut down to the second


class ConversationTracker(DialogueStateTracker):
    """`stored`: how many of its events need not be saved any more. `version`: of the state in the database it was made from.

    `domain`: whose slots it has.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.stored = 0
        self.version = 0
        self.domain: Domain | None = None

    def update(self, event: Event, domain: Domain | None = None) -> None:
        """Take the event up, a shopper's message masked: Rasa's debug logs show what a tracker holds."""
        if isinstance(event, UserUttered) and event.text:
            mask_message(event)
        super().update(event, domain)

    def copy(self) -> ConversationTracker:
        """The same state. Rasa's own copy applies each event once more, which costs as much as the conversation is long."""
        same: ConversationTracker = copy.copy(self)
        same.events = copy.copy(self.events)
        same.slots = {name: copy.copy(slot) for name, slot in self.slots.items()}
        same.active_loop = copy.copy(self.active_loop)
        return same

    def window(self, turns: int) -> ConversationTracker:
        """The same state with the events of the newest turns only: policies look no further back, and replay all they get."""
        events = list(self.events)
        heard = [index for index, event in enumerate(events) if isinstance(event, UserUttered)]
        if len(heard) <= turns:
            return self
        begin = heard[-turns]
        same: ConversationTracker = copy.copy(self)
        same.events = self._create_events([*self._summary(events[:begin]), *events[begin:]])
        return same

    def _summary(self, events: Sequence[Event]) -> list[Event]:
        """What policies can know of these events: featurized slots and the form that is active after them."""
        values: dict[str, Any] = {}
        loop: str | None = None
        for event in events:
            kind = type(event)
            if kind is SlotSet:
                values[event.key] = event.value
            elif kind is ActiveLoop:
                loop = event.name
            elif kind in (SessionStarted, Restarted, AllSlotsReset):
                values = {}
                loop = None if kind is not AllSlotsReset else loop
        seen = {name: value for name, value in values.items() if name in self.slots and self.slots[name].has_features()}
        return _beginning_with(seen, loop)

    @property
    def new_events(self) -> list[Event]:
        """What is not in the database yet."""
        return list(self.events)[self.stored :]


def mask_message(event: UserUttered) -> None:
    """Take cards and passwords out of a message and of what was understood of it."""
    masked = mask(event.text)
    if not masked.found:
        return
    event.text = masked.text
    event.entities = [entity for entity in event.entities if not mask(str(entity.get("value"))).found]
    event.parse_data = {**event.parse_data, "text": masked.text, "entities": event.entities, "requests": [], "faq": []}


def cut(tracker: ConversationTracker) -> int | None:
    """Where to cut a long tracker: the index of the first event to keep; None where it is short enough."""
    turns = [index for index, event in enumerate(tracker.events) if isinstance(event, UserUttered)]
    return turns[-FEWEST_TURNS] if len(turns) > MOST_TURNS else None


def prefix_of(tracker: ConversationTracker, events: Sequence[Event]) -> list[Event]:
    """Events that lead to the same slots and the same active form as these, the first ones of the tracker, do."""
    until = ConversationTracker.from_events(tracker.sender_id, list(events), list(_initial(tracker).values()))
    changed = {name: slot.value for name, slot in until.slots.items() if slot.value != slot.initial_value}
    return _beginning_with(changed, until.active_loop_name)


def _beginning_with(slots: Mapping[str, Any], loop: str | None) -> list[Event]:
    """A session that begins with these slots and this active form."""
    filled = [SlotSet(name, value) for name, value in slots.items()]
    active = [ActiveLoop(loop)] if loop else []
    return [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted(), *filled, *active, ActionExecuted(ACTION_LISTEN_NAME)]


def _initial(tracker: ConversationTracker) -> dict[str, Any]:
    slots = {name: copy.copy(slot) for name, slot in tracker.slots.items()}
    for slot in slots.values():
        slot.reset()
    return slots


def as_json(event: Event) -> str:
    """The event for the database and for actions; made once, since it costs more than all else that is done with one."""
    known = event.__dict__.get("_json")
    if known is not None and known[:2] == (event.timestamp, id(event.metadata)):  # both are set when a tracker takes it up
        return str(known[2])
    made = json.dumps(event.as_dict(), ensure_ascii=False, separators=(",", ":"))
    event.__dict__["_json"] = (event.timestamp, id(event.metadata), made)
    return made


def from_json(text: str) -> Event | None:
    """The event again. Rasa's own way looks through all classes of events for each one."""
    data = json.loads(text)
    kind = _kinds().get(data.get("event"))
    event = kind._from_parameters(data) if kind is not None else Event.from_parameters(data)
    if event is not None:
        event.__dict__["_json"] = (event.timestamp, id(event.metadata), text)
    return event


@lru_cache(maxsize=1)
def _kinds() -> dict[str, type[Event]]:
    return {kind.type_name: kind for kind in all_subclasses(Event)}
