"""The web chat's routes, below `/webhooks/webchat/`, and its pages at `/` and `/chat`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.channels.pages import page, page_at
from bot.channels.webchat import origins
from bot.channels.webchat.conversation import Service
from bot.channels.webchat.exchange import exchange
from bot.channels.webchat.file_routes import add_routes as add_file_routes
from bot.channels.webchat.hub import Hub
from bot.channels.webchat.limits import Limits
from bot.channels.webchat.listening import Listening
from bot.channels.webchat.sending import WebChatSender
from bot.channels.webchat.settings import CHANNEL, WebChatSettings
from bot.channels.webchat.socket import SocketLine
from bot.channels.webchat.static import web_file, words
from bot.channels.webchat.websocket import WebSocket, takes_over, upgraded

COME_BACK = (0.5, 4.0)  # seconds, at random: not all at once

OnMessage = Callable[[UserMessage], Awaitable[Any]]


class WebChatInput(InputChannel):
    """Messages go through the turn engine's inbox; replies are pushed by `sender()`."""

    def __init__(self, settings: WebChatSettings) -> None:
        self._settings = settings
        self._limits = Limits(settings)
        self._hub = Hub(settings.idle_seconds)
        self._sender = WebChatSender(self._hub)
        self._listening = Listening(self._hub)

    @classmethod
    def name(cls) -> str:
        return CHANNEL

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WebChatInput:
        return cls(WebChatSettings.of(credentials))

    def sender(self) -> WebChatSender:
        """What the turn engine sends replies with."""
        return self._sender

    @property
    def connections(self) -> int:
        """How many this process has: sockets, and requests that wait."""
        return self._hub.lines

    def blueprint(self, on_new_message: OnMessage) -> Blueprint:
        routes = Blueprint("webchat_routes")

        @routes.get("/")
        async def health(_request: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @takes_over
        async def socket(request: Request) -> HTTPResponse | None:
            return self._socket(request)

        routes.add_route(socket, "/v1/socket", methods=["GET"])

        @routes.post("/v1/exchange", stream=True)
        async def exchanged(request: Request) -> HTTPResponse:
            return await self._exchange(request)

        @routes.options("/v1/exchange")
        async def may_exchange(request: Request) -> HTTPResponse:
            return origins.preflight(request, self._settings)

        add_file_routes(routes, self._settings, self._limits)

        @routes.get("/v1/words/<file:str>")
        async def shown_words(request: Request, file: str) -> HTTPResponse:
            return words(request, file.removesuffix(".json"), origins.cors(request, self._settings))

        @routes.get("/static/<path:path>")
        async def static(request: Request, path: str) -> HTTPResponse:
            return web_file(request, path, origins.cors(request, self._settings))

        @routes.listener("before_server_start")
        async def begin(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
            self._hub.begin()
            self._listening.begin()
            app.register_middleware(page_at("/chat", lambda: page("demo/chat.html")), "request")
            app.register_middleware(page_at("/", lambda: response.redirect("/chat")), "request")
            app.register_middleware(self._widget, "request")

        @routes.listener("before_server_stop")
        async def end(_app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
            self._listening.end()
            await self._hub.end(lambda: round(random.uniform(*COME_BACK), 1))  # noqa: S311

        return routes

    def _socket(self, request: Request) -> HTTPResponse | None:
        if not origins.allowed(request, self._settings):
            return response.json({"error": "origin"}, status=403)
        socket = upgraded(request)
        if not isinstance(socket, WebSocket):
            return socket
        origin, address = origins.origin_of(request) or "", self._limits.address(request)
        SocketLine(self._service(request), socket, origin, address).begin()
        return None

    def _widget(self, request: Request) -> HTTPResponse | None:
        """The one address that a shop writes into its page."""
        if request.path != "/widget.js" or request.method not in ("GET", "HEAD"):
            return None
        return web_file(request, "widget.js", origins.cors(request, self._settings))

    async def _exchange(self, request: Request) -> HTTPResponse:
        if not origins.allowed(request, self._settings):
            return response.json({"error": "origin"}, status=403)
        answer = await exchange(request, self._service(request))
        answer.headers.update(origins.cors(request, self._settings))
        return answer

    def _service(self, request: Request) -> Service:
        return Service(self._hub, request.app.ctx.agent.engine, self._settings, self._limits)
