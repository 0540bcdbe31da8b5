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

from bot.channels.pages import page_at, web_file
from bot.channels.webchat import origins
from bot.channels.webchat.conversation import Service
from bot.channels.webchat.exchange import exchange
from bot.channels.webchat.file_routes import add_routes
from bot.channels.webchat.hub import Hub
from bot.channels.webchat.limits import Limits
from bot.channels.webchat.sending import WebChatSender
from bot.channels.webchat.settings import CHANNEL, WebChatSettings
from bot.channels.webchat.socket import SocketLine
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

    @classmethod
    def name(cls) -> str:
        return CHANNEL

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WebChatInput:
        return cls(WebChatSettings.of(credentials))

    def sender(self) -> WebChatSender:
        """What the turn engine sends replies with."""
        return self._sender

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

        add_routes(routes, self._settings, self._limits)

        @routes.get("/static/<path:path>")
        async def static(request: Request, path: str) -> HTTPResponse:
            return web_file(path, origins.cors(request, self._settings))

        @routes.listener("before_server_start")
        async def begin(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
            self._hub.begin()
            app.register_middleware(page_at("/", lambda: web_file("index.html")), "request")

        @routes.listener("before_server_stop")
        async def end(_app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
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

    async def _exchange(self, request: Request) -> HTTPResponse:
        if not origins.allowed(request, self._settings):
            return response.json({"error": "origin"}, status=403)
        answer = await exchange(request, self._service(request))
        answer.headers.update(origins.cors(request, self._settings))
        return answer

    def _service(self, request: Request) -> Service:
        return Service(self._hub, request.app.ctx.agent.engine, self._settings, self._limits)
