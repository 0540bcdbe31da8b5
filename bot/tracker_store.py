"""Conversations in the shop's own database, with card numbers and passwords masked before anything is stored."""

from __future__ import annotations

from typing import Any, TypeVar

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from database.engine import default_url
from messaging.masking import mask

FORGET = "forget_conversation"  # the slot by which an action says that nothing of this conversation may stay


class MaskingTracker(DialogueStateTracker):
    """A conversation into which no card number or password gets: Rasa's debug logs show what a tracker holds."""

    def update(self, event: Event, domain: Domain | None = None) -> None:
        """Take the event up, a shopper's message masked."""
        if isinstance(event, UserUttered) and event.text:
            _mask_message(event)
        super().update(event, domain)


class MaskingTrackerStore(SQLTrackerStore):
    """Rasa's SQL tracker store on ``TENDERO_DATABASE_URL`` (default: SQLite below ``TENDERO_HOME``)."""

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain=domain, host=host or default_url(), event_broker=event_broker, **kwargs)

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        """A new conversation."""
        return _masking(super().init_tracker(sender_id))

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The conversation since its session began; None where there is none."""
        return _masking(await super().retrieve(sender_id))

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """The conversation of all sessions; None where there is none."""
        return _masking(await super().retrieve_full_tracker(conversation_id))

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Mask what shoppers should not have sent, then store (and stream) the new events; or forget them all."""
        if tracker.get_slot(FORGET):
            self._forget(tracker.sender_id)
            return
        for event in tracker.events:
            if isinstance(event, UserUttered) and event.text:
                _mask_message(event)
        await super().save(tracker)

    def _forget(self, sender_id: str) -> None:
        """The action erased the earlier turns in its own transaction; without this, Rasa would write them all again."""
        with self.session_scope() as session:
            session.query(self.SQLEvent).filter(self.SQLEvent.sender_id == sender_id).delete()
            session.commit()


Tracker = TypeVar("Tracker", DialogueStateTracker, DialogueStateTracker | None)


def _masking(tracker: Tracker) -> Tracker:
    if tracker is not None:
        tracker.__class__ = MaskingTracker  # Rasa makes its trackers itself; this one only adds to `update`
    return tracker


def _mask_message(event: UserUttered) -> None:
    masked = mask(event.text)
    if not masked.found:
        return
    event.text = masked.text
    event.entities = [entity for entity in event.entities if not mask(str(entity.get("value"))).found]
    event.parse_data = {**event.parse_data, "text": masked.text, "entities": event.entities, "requests": []}
