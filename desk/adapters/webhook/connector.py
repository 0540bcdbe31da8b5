"""Where another desk calls: `POST /webhooks/other_desk/v1/handoffs/<id>`, signed as we sign what we tell it.

Takes no messages of shoppers. docs/desk-adapters.md has the bodies and answers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from rasa.core.channels.channel import InputChannel
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.channels.bodies import body_of
from database import transaction
from desk.adapters.forwarding import Forwarder, messages_told
from desk.adapters.other_desk import is_of, is_with, named
from desk.adapters.webhook.desk import WebhookDesk
from desk.adapters.webhook.settings import DESK, OtherDeskSettings
from desk.signature import HEADER, TIMESTAMP, is_signed
from messaging import handoffs
from messaging.handoffs import AlreadyTaken, IllegalMove, NoSuchHandoff, Unread
from messaging.handoffs.errors import NotYours
from messaging.masking import mask
from messaging.models import Handoff, HandoffNote
from messaging.writes import insert_once

logger = logging.getLogger(__name__)

LARGEST_BODY = 200_000  # bytes
LONGEST_TEXT = 4000
LONGEST_ID = 64


class _Wrong(Exception):
    def __init__(self, status: int, error: str, **values: Any) -> None:
        super().__init__(error)
        self.status, self.answer = status, {"error": error, **values}


@dataclass(frozen=True)
class Call:
    """What somebody over there has done. id: the same when it is told again."""

    id: str
    kind: str
    agent: str
    text: str


class OtherDeskInput(InputChannel):
    """It is closed until an address and a secret are told."""

    def __init__(self, settings: OtherDeskSettings, desk: WebhookDesk | None = None) -> None:
        self._settings = settings
        self._forwarder = Forwarder(desk or WebhookDesk(settings))

    @classmethod
    def name(cls) -> str:
        return "other_desk"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> OtherDeskInput:
        return cls(OtherDeskSettings.of(credentials))

    async def start(self) -> None:
        if self._settings.is_there:
            self._forwarder.start()

    async def stop(self) -> None:
        await self._forwarder.stop()

    def blueprint(self, on_new_message: Any) -> Blueprint:
        routes = Blueprint("other_desk_routes")
        if self._settings.is_there:
            self._forwarder.announce()

        @routes.get("/")
        async def health(_request: Request) -> HTTPResponse:
            return response.json({"status": "ok" if self._settings.is_there else "not_configured"})

        @routes.post("/v1/handoffs/<handoff_id:int>", stream=True)
        async def called(request: Request, handoff_id: int) -> HTTPResponse:
            try:
                return response.json(await self._called(request, handoff_id))
            except _Wrong as wrong:
                return response.json(wrong.answer, status=wrong.status)

        return routes

    async def _called(self, request: Request, handoff_id: int) -> Mapping[str, Any]:
        if not self._settings.is_there:
            raise _Wrong(503, "not_configured")
        body = await body_of(request, LARGEST_BODY)
        if body is None:
            raise _Wrong(413, "too_large")
        if not is_signed(body, request.headers.get(HEADER), request.headers.get(TIMESTAMP), self._settings.secret, time.time()):
            raise _Wrong(401, "wrong_signature")
        call = _call(body, self._settings.title)
        now = datetime.now(timezone.utc)
        try:
            if call.kind == "message":
                return await self._say(request, handoff_id, call, now)
            await asyncio.to_thread(self._do, handoff_id, call, now)
            return {"status": "ok"}
        except NoSuchHandoff as error:
            raise _Wrong(404, "not_found") from error
        except AlreadyTaken as error:
            raise _Wrong(409, "taken", by=error.by) from error
        except Unread as error:
            raise _Wrong(409, "stale", newest=error.newest) from error
        except (IllegalMove, NotYours) as error:
            raise _Wrong(409, "illegal", why=str(error)) from error
        except (SQLAlchemyError, OSError) as error:
            logger.error("other desk: a call could not be kept: %s", type(error).__name__)
            raise _Wrong(503, "not_now") from error

    async def _say(self, request: Request, handoff_id: int, call: Call, now: datetime) -> Mapping[str, Any]:
        if not call.text:
            raise _Wrong(422, "bad_request", field="text")
        await asyncio.to_thread(self._hold, handoff_id, call, now)
        said = await request.app.ctx.agent.engine.say_for_agent(handoff_id, call.agent, call.id, {"text": call.text})
        return {"status": "ok", "is_new": said.is_new}

    def _hold(self, handoff_id: int, call: Call, now: datetime) -> None:
        """Whoever over there writes has it from then on: who may do so is their desk's to say."""
        with transaction() as session:
            handoff = self._theirs(session, handoff_id)
            is_free = handoff.status in handoffs.UNTAKEN
            if handoff.status == "assigned" and handoff.assignee != call.agent:
                is_free = is_of(str(handoff.assignee), self._settings.title)
            if is_free:
                handoffs.take(session, handoff_id, call.agent, now, over=True)

    def _do(self, handoff_id: int, call: Call, now: datetime) -> None:
        with transaction() as session:
            handoff = self._theirs(session, handoff_id)
            is_done = handoff.status == {"taken": "assigned", "given_back": "given_back", "resolved": "resolved"}.get(call.kind)
            if is_done and (call.kind != "taken" or handoff.assignee == call.agent):
                return  # it is told again
            is_theirs = is_of(str(handoff.assignee or ""), self._settings.title)
            seen = messages_told(session, DESK, handoff_id)
            match call.kind:
                case "taken":
                    handoffs.take(session, handoff_id, call.agent, now, over=is_theirs)
                case "given_back":
                    handoffs.give_back(session, handoff_id, now, call.text, by=call.agent, over=is_theirs, seen=seen)
                case "resolved":
                    handoffs.resolve(session, handoff_id, now, call.text, by=call.agent, over=is_theirs, seen=seen)
                case "note":
                    _note(session, handoff, call, now)
                case _:
                    raise _Wrong(422, "bad_request", field="kind")

    def _theirs(self, session: Session, handoff_id: int) -> Handoff:
        """Handoffs of others are none that they could know of."""
        handoff = handoffs.by_id(session, handoff_id)
        if not is_with(handoff, DESK):
            raise _Wrong(404, "not_found")
        return handoff


def _note(session: Session, handoff: Handoff, call: Call, now: datetime) -> None:
    if not call.text:
        raise _Wrong(422, "bad_request", field="text")
    values = {"handoff_id": handoff.id, "sender_id": handoff.sender_id, "name": call.id, "by": call.agent}
    insert_once(session, HandoffNote, {**values, "text": mask(call.text).text, "at": now})


def _call(body: bytes, title: str) -> Call:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise _Wrong(400, "bad_json")
    for name, longest in (("id", LONGEST_ID), ("kind", LONGEST_ID), ("agent", LONGEST_ID)):
        if not isinstance(content.get(name), str) or not 0 < len(content[name].strip()) <= longest:
            raise _Wrong(422, "bad_request", field=name)
    text = content.get("text") or ""
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise _Wrong(422, "bad_request", field="text")
    return Call(content["id"].strip(), content["kind"].strip(), named(content["agent"], title), text.strip())
