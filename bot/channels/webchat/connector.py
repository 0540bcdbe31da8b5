"""The channel connector of the web page: a signed visitor token in, the assistant's messages out.

The page is served at `/chat`. A visitor's conversation is named by a token that this server signed: nobody can write into
another visitor's conversation by naming it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from sanic import Blueprint, Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.exc import DBAPIError

from bot.channels.pages import page, page_at, web_file
from database import home_folder
from messaging.secret import secret_key
from messaging.turns.inbox import Overloaded

LONGEST_TEXT = 2000  # characters
LONGEST_ID = 64

OnMessage = Callable[[UserMessage], Awaitable[Any]]


class WebChatInput(InputChannel):
    """Routes below `/webhooks/webchat/`: `session` (a new visitor), `webhook` (a message, answered with its replies)."""

    @classmethod
    def name(cls) -> str:
        return "webchat"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WebChatInput:
        return cls()

    def blueprint(self, on_new_message: OnMessage) -> Blueprint:
        routes = Blueprint("webchat_routes")

        @routes.get("/")
        async def health(_request: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @routes.post("/session")
        async def session(_request: Request) -> HTTPResponse:
            return response.json({"token": new_token()})

        @routes.post("/webhook")
        async def webhook(request: Request) -> HTTPResponse:
            return await self._answer(request, on_new_message)

        @routes.get("/static/<path:path>")
        async def static(_request: Request, path: str) -> HTTPResponse:
            return web_file(path)

        @routes.listener("before_server_start")
        async def serve_page(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
            app.register_middleware(page_at("/chat", lambda: page("demo/chat.html")), "request")
            app.register_middleware(page_at("/", lambda: response.redirect("/chat")), "request")

        return routes

    async def _answer(self, request: Request, on_new_message: OnMessage) -> HTTPResponse:
        body = request.json if isinstance(request.json, dict) else {}
        visitor = visitor_of(str(body.get("token", "")))
        text = body.get("message")
        if visitor is None:
            return response.json({"error": "unknown_visitor"}, status=401)
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TEXT:
            return response.json({"error": "bad_message", "longest": LONGEST_TEXT}, status=400)
        replies = CollectingOutputChannel()
        message = UserMessage(
            text.strip(),
            replies,
            visitor,
            input_channel=self.name(),
            message_id=_message_id(visitor, body.get("id")),
            metadata={"language": body.get("language"), "page": body.get("page")},
        )
        try:
            await on_new_message(message)
        except Overloaded:
            return response.json({"error": "busy"}, status=503, headers={"Retry-After": "30"})
        except DBAPIError:
            return response.json({"error": "not_now"}, status=503, headers={"Retry-After": "5"})
        except asyncio.TimeoutError:  # it is kept, and will be answered: the same message again gets the replies
            return response.json({"error": "still_working"}, status=504)
        return response.json([_without_recipient(reply) for reply in replies.messages])


def _message_id(visitor: str, id_on_page: Any) -> str | None:
    """The page's name of the message makes a repetition known: it is answered once, with the same replies each time."""
    known = isinstance(id_on_page, str) and 0 < len(id_on_page) <= LONGEST_ID
    return f"{visitor}/{id_on_page}" if known else None


def new_token() -> str:
    """A token for a new visitor: a random name and its signature."""
    visitor = secrets.token_urlsafe(18)
    return f"{visitor}.{_signature(visitor)}"


def visitor_of(token: str) -> str | None:
    """The visitor whom this token names, or None where we did not sign it."""
    visitor, _, signature = token.rpartition(".")
    return f"web-{visitor}" if visitor and hmac.compare_digest(signature, _signature(visitor)) else None


def _signature(visitor: str) -> str:
    return hmac.new(secret_key(home_folder()), f"visitor:{visitor}".encode(), hashlib.sha256).hexdigest()[:32]


def _without_recipient(reply: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in reply.items() if key != "recipient_id"}
