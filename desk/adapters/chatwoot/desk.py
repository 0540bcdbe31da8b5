"""Handoffs of conversations that run through Chatwoot: opened there for their people, who read first what the assistant knows."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone

from database import transaction
from desk.adapters.chatwoot.api import Api, ApiError, NoAnswer, NotReached
from desk.adapters.chatwoot.settings import CHANNEL, TITLE, ChatwootSettings, address_of
from desk.adapters.other_desk import Delivery, NotNow, Refused, mark
from desk.adapters.packet import as_text
from messaging import handoffs
from messaging.models import Handoff, HandoffEvent

OPENS = frozenset({"opened", "called_back"})
ENDS = {"cancelled": "pending", "given_back": "pending", "resolved": "resolved"}
BUSY, STOPPED = 5.0, 60.0  # seconds


class ChatwootDesk:
    """An `OtherDesk`."""

    name, title = CHANNEL, TITLE
    events = OPENS | frozenset(ENDS)
    wants_messages = False  # they are written there

    def __init__(self, settings: ChatwootSettings, api: Api) -> None:
        self._settings = settings
        self._api = api

    def concerns(self, handoff: Handoff) -> bool:
        return bool(handoff.channel == CHANNEL)

    def external_of(self, handoff: Handoff) -> str:
        return mark(CHANNEL, *address_of(handoff.sender_id))

    async def close(self) -> None:
        await self._api.close()

    async def deliver(self, delivery: Delivery) -> None:
        if self._settings.missing:
            raise NotNow("it is not set up", STOPPED)
        kind, place, note = await asyncio.to_thread(self._read, delivery)
        try:
            if kind in ENDS:
                await self._api.set_status(place, ENDS[kind])
            elif note:
                await self._api.set_status(place, "open")  # first: what is told twice is better a note than nothing
                await self._api.say(place, {"content": note, "message_type": "outgoing", "private": True})
                await asyncio.to_thread(self._take, delivery)
        except ApiError as error:
            raise _after(error) from error
        except (NotReached, NoAnswer) as error:
            raise NotNow(str(error), BUSY) from error

    def _read(self, delivery: Delivery) -> tuple[str, tuple[int, int], str]:
        """(what happened, where, what to say to their people); nothing to say where nobody is needed now."""
        with transaction(is_optimistic=True) as session:
            handoff, event = handoffs.by_id(session, delivery.handoff_id), session.get(HandoffEvent, delivery.source_id)
            note = as_text(handoff, self._settings.language, transcript=False) if _waits(handoff) else ""
            return str(event.kind), address_of(handoff.sender_id), note

    def _take(self, delivery: Delivery) -> None:
        """Their people have it, whoever of them takes it: the assistant is silent, as over there."""
        with transaction() as session:
            if _waits(handoffs.by_id(session, delivery.handoff_id)):  # else one of them has been faster
                handoffs.take(session, delivery.handoff_id, TITLE, datetime.now(timezone.utc), announce=False)


def _waits(handoff: Handoff) -> bool:
    return bool(handoff.status == "waiting")


def _after(error: ApiError) -> NotNow | Refused:
    if error.status in (401, 403, 408, 409, 425, 429):
        return NotNow(str(error), error.retry_after or STOPPED)
    return Refused(str(error))
