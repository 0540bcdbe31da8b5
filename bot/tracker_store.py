"""Conversations in the shop's own database, with card numbers and passwords masked before anything is stored."""

from __future__ import annotations

from typing import Any

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from database.engine import default_url
from messaging.masking import mask

FORGET = "forget_conversation"  # the slot by which an action says that nothing of this conversation may stay


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


def _mask_message(event: UserUttered) -> None:
    masked = mask(event.text)
    if not masked.found:
        return
    event.text = masked.text
    event.parse_data = {**event.parse_data, "text": masked.text, "entities": [], "requests": []}
    event.entities = []
