"""The channel connector for WhatsApp: webhooks of Meta's Cloud API below `/webhooks/whatsapp/`.

Nothing slow happens before Meta has its "200": the messages are in the inbox then, and are answered by the turn engine.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.bodies import body_of
from bot.channels.whatsapp.downloads import Downloads
from bot.channels.whatsapp.parsing import parse
from bot.channels.whatsapp.receiving import Receiver
from bot.channels.whatsapp.sending import WhatsAppSender
from bot.channels.whatsapp.settings import CHANNEL, WhatsAppSettings
from bot.channels.whatsapp.signature import HEADER, is_signed
from bot.channels.whatsapp.updates import Edit, Message, Update
from database import home_folder
from messaging.secret import secret_key
from messaging.turns.inbox import Overloaded

logger = logging.getLogger(__name__)

LARGEST_BODY = 3_000_000  # bytes: what Meta sends at most, and a bit of it
LARGE = 50_000  # bytes: reading more than this would hold up the others

OnMessage = Callable[[UserMessage], Awaitable[Any]]


class WhatsAppInput(InputChannel):
    """Routes: `webhook` (GET: Meta checks that it is ours; POST: what has happened), `/` (health)."""

    takes_bursts = True

    def __init__(self, settings: WhatsAppSettings) -> None:
        self._settings = settings
        self._receiver: Receiver | None = None
        self._sender = WhatsAppSender(settings)
        self._downloads = Downloads(lambda: self._sender.graph)

    @classmethod
    def name(cls) -> str:
        return CHANNEL

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WhatsAppInput:
        return cls(WhatsAppSettings.of(credentials))

    def sender(self) -> WhatsAppSender:
        """What the turn engine sends replies with."""
        return self._sender

    async def start(self) -> None:
        """Begin with what goes on beside the turns."""
        if self._settings.access_token:
            self._downloads.start()

    async def stop(self) -> None:
        await self._downloads.stop()
        await self._sender.close()

    def blueprint(self, on_new_message: OnMessage) -> Blueprint:
        routes = Blueprint("whatsapp_routes")

        @routes.get("/")
        async def health(_request: Request) -> HTTPResponse:
            return response.json({"status": "ok" if not self._settings.missing else "not_configured"})

        @routes.get("/webhook")
        async def verify(request: Request) -> HTTPResponse:
            return self._verify(request)

        @routes.post("/webhook", stream=True)
        async def webhook(request: Request) -> HTTPResponse:
            return await self._webhook(request)

        return routes

    def _verify(self, request: Request) -> HTTPResponse:
        if not self._settings.verify_token:
            return _refusal("not_configured", 503)
        given = request.args.get("hub.verify_token") or ""
        is_ours = hmac.compare_digest(given.encode("utf-8", "replace"), self._settings.verify_token.encode())
        if request.args.get("hub.mode") != "subscribe" or not is_ours:
            return _refusal("wrong_token", 403)
        return response.text(request.args.get("hub.challenge") or "", headers={"X-Content-Type-Options": "nosniff"})

    async def _webhook(self, request: Request) -> HTTPResponse:
        if not self._settings.app_secret or not self._settings.phone_number_id:
            return _refusal("not_configured", 503)
        body = await body_of(request, LARGEST_BODY)
        if body is None:
            return _refusal("too_large", 413)
        if not is_signed(body, request.headers.get(HEADER), self._settings.app_secret):
            return _refusal("wrong_signature", 401)
        updates = await asyncio.to_thread(_updates, body) if len(body) > LARGE else _updates(body)
        if updates is None:
            return _refusal("bad_json", 400)
        return await self._keep(request, updates)

    async def _keep(self, request: Request, updates: list[Update]) -> HTTPResponse:
        try:
            await self._receiving().receive(request.app.ctx.agent.engine, updates)
        except Overloaded:
            return _refusal("busy", 503)
        except (SQLAlchemyError, OSError, RuntimeError) as error:
            logger.error("whatsapp: a webhook could not be kept: %s", type(error).__name__)
            return _refusal("not_now", 503)
        if any(isinstance(update, (Message, Edit)) for update in updates):
            self._downloads.wake()
        return response.json({"status": "ok"})

    def _receiving(self) -> Receiver:
        if self._receiver is None:
            self._receiver = Receiver(self._settings, secret_key(home_folder()))
        return self._receiver


def _updates(body: bytes) -> list[Update] | None:
    """None where it is no JSON object."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parse(content) if isinstance(content, dict) else None


def _refusal(why: str, status: int) -> HTTPResponse:
    """Says nothing that somebody could use who is not Meta."""
    return response.json({"error": why}, status=status)
