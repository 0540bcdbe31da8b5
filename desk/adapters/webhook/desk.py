"""What happens to a handoff, told to another desk's address."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx

from bot.channels.whatsapp.graph import is_far
from database import transaction
from desk.adapters.other_desk import Delivery, NotNow, Refused, mark
from desk.adapters.packet import as_json
from desk.adapters.webhook.settings import DESK, OtherDeskSettings
from desk.signature import signed_headers
from messaging import handoffs
from messaging.models import Handoff, HandoffEvent, InboundMessage

PATIENCE = httpx.Timeout(15.0, connect=5.0)
AGAIN = (401, 403, 404, 408, 409, 425, 429)  # as much a mistake over there, which somebody will mend, as one of ours
LONGEST_NAME = 100


class WebhookDesk:
    """An `OtherDesk`. transport: for tests."""

    name = DESK
    events = frozenset(
        {"opened", "called_back", "cancelled", "given_back", "resolved", "assigned", "released", "lost", "transferred"}
    )
    wants_messages = True

    def __init__(self, settings: OtherDeskSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self.title = settings.title
        self._transport = transport
        self._kept: httpx.AsyncClient | None = None

    def concerns(self, handoff: Handoff) -> bool:
        chosen = self._settings.channels
        return handoff.channel in chosen if chosen else handoff.channel != "chatwoot"

    def external_of(self, handoff: Handoff) -> str:
        return mark(DESK)

    async def close(self) -> None:
        if self._kept is not None:
            await self._kept.aclose()

    async def deliver(self, delivery: Delivery) -> None:
        body = await asyncio.to_thread(self._body, delivery)
        headers = signed_headers(body, delivery.name, self._settings.secret, time.time())
        try:
            answer = await self._client.post(self._settings.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise NotNow(type(error).__name__) from error
        if answer.status_code in AGAIN or answer.status_code >= 500 or 300 <= answer.status_code < 400:
            raise NotNow(f"HTTP {answer.status_code}")
        if answer.status_code >= 400:
            raise Refused(f"HTTP {answer.status_code}")
        await asyncio.to_thread(self._learn, delivery, answer)

    @property
    def _client(self) -> httpx.AsyncClient:
        """It follows no redirection: the address is the shop's own word, and what it is told is not for others."""
        if self._kept is None:
            trusts = is_far(self._settings.url)
            self._kept = httpx.AsyncClient(timeout=PATIENCE, transport=self._transport, trust_env=trusts, follow_redirects=False)
        return self._kept

    def _body(self, delivery: Delivery) -> bytes:
        with transaction(is_optimistic=True) as session:
            handoff = handoffs.by_id(session, delivery.handoff_id)
            told: dict[str, Any] = {"id": delivery.name, "handoff": as_json(handoff) | {"status": handoff.status}}
            if delivery.source == "message":
                message = session.get(InboundMessage, delivery.source_id)
                told |= {"kind": "message", "message": _shown(message)}
            else:
                event = session.get(HandoffEvent, delivery.source_id)
                told |= {"kind": event.kind, "by": event.by, "at": event.at.isoformat(), "details": event.details}
        return json.dumps(told, ensure_ascii=False).encode()

    def _learn(self, delivery: Delivery, answer: httpx.Response) -> None:
        """Its own name of the matter, where it says one."""
        try:
            name = answer.json().get("external")
        except (ValueError, AttributeError):
            return
        if isinstance(name, (str, int)) and str(name).strip():
            with transaction() as session:
                handoffs.by_id(session, delivery.handoff_id).external = mark(DESK, str(name).strip()[:LONGEST_NAME])


def _shown(message: InboundMessage | None) -> dict[str, Any] | None:
    """None where it was erased."""
    if message is None:
        return None
    details = message.details or {}
    files = [
        {"kind": each.get("kind"), "name": each.get("name")} for each in details.get("files") or () if isinstance(each, dict)
    ]
    text = details.get("tapped") or details.get("words") or ("" if str(message.text).startswith("/") else message.text)
    return {
        "id": message.id,
        "text": text,
        "files": files,
        "location": details.get("location"),
        "at": message.received_at.isoformat(),
    }
