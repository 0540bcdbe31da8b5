"""The channel connector for Chatwoot's agent bots: `POST /webhooks/chatwoot/webhook`, or with the secret as the last part.

Chatwoot gives a bot 5 seconds; after that, and after any error, it opens the conversation for its people. Nothing slow happens
before the answer: the message is in the inbox then.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.bodies import body_of
from desk.adapters.chatwoot.desk import ChatwootDesk
from desk.adapters.chatwoot.parsing import Event, parse
from desk.adapters.chatwoot.receiving import receive
from desk.adapters.chatwoot.sending import ChatwootSender
from desk.adapters.chatwoot.settings import CHANNEL, ChatwootSettings
from desk.adapters.chatwoot.signature import HEADER, TIMESTAMP, is_address
from desk.adapters.forwarding import Forwarder
from desk.signature import is_signed
from messaging.turns.inbox import Overloaded

logger = logging.getLogger(__name__)

LARGEST_BODY = 1_000_000  # bytes

OnMessage = Callable[[UserMessage], Awaitable[Any]]


class ChatwootInput(InputChannel):
    """Routes: `webhook`, `webhook/<secret>`, `/` (health)."""

    def __init__(self, settings: ChatwootSettings, sender: ChatwootSender | None = None) -> None:
        self._settings = settings
        self._sender = sender or ChatwootSender(settings)
        self._forwarder = Forwarder(ChatwootDesk(settings, self._sender.api))

    @classmethod
    def name(cls) -> str:
        return CHANNEL

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> ChatwootInput:
        return cls(ChatwootSettings.of(credentials))

    def sender(self) -> ChatwootSender:
        """What the turn engine sends replies with."""
        return self._sender

    async def start(self) -> None:
        if not self._settings.missing:
            self._forwarder.start()

    async def stop(self) -> None:
        await self._forwarder.stop()

    def blueprint(self, on_new_message: OnMessage) -> Blueprint:
        routes = Blueprint("chatwoot_routes")
        if not self._settings.missing:
            self._forwarder.announce()

        @routes.get("/")
        async def health(_request: Request) -> HTTPResponse:
            return response.json({"status": "ok" if not self._settings.missing else "not_configured"})

        @routes.post("/webhook", stream=True)
        async def webhook(request: Request) -> HTTPResponse:
            return await self._webhook(request, "")

        @routes.post("/webhook/<secret:str>", stream=True)
        async def secret_webhook(request: Request, secret: str) -> HTTPResponse:
            return await self._webhook(request, secret)

        return routes

    async def _webhook(self, request: Request, secret: str) -> HTTPResponse:
        if not self._settings.webhook_secret:
            return _refusal("not_configured", 503)
        body = await body_of(request, LARGEST_BODY)
        if body is None:
            return _refusal("too_large", 413)
        if not self._is_theirs(request, body, secret):
            return _refusal("wrong_signature", 401)
        content = _json(body)
        if content is None:
            return _refusal("bad_json", 400)
        event = parse(content)
        if event is None or not self._is_our_account(event):
            return response.json({"status": "ignored"})
        return await self._keep(request, event)

    def _is_theirs(self, request: Request, body: bytes, secret: str) -> bool:
        ours = self._settings.webhook_secret
        signature, timestamp = request.headers.get(HEADER), request.headers.get(TIMESTAMP)
        if secret:
            return is_address(secret, ours)
        return is_signed(body, signature, timestamp, ours, time.time())

    def _is_our_account(self, event: Event) -> bool:
        return self._settings.account in ("", str(event.place.account))

    async def _keep(self, request: Request, event: Event) -> HTTPResponse:
        now = datetime.now(timezone.utc)
        try:
            await request.app.ctx.agent.engine.take_in(CHANNEL, lambda session, keep: receive(session, keep, event, now))
        except Overloaded:
            return _refusal("busy", 503)
        except (SQLAlchemyError, OSError, RuntimeError) as error:
            logger.error("chatwoot: a webhook could not be kept: %s", type(error).__name__)
            return _refusal("not_now", 503)
        return response.json({"status": "ok"})


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _refusal(why: str, status: int) -> HTTPResponse:
    return response.json({"error": why}, status=status)
