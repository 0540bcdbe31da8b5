"""The desk's routes, below `/webhooks/desk/`, and its page at `/desk`. It takes no messages."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, Sanic
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.channels.pages import page, page_at
from bot.channels.webchat.static import web_file
from bot.channels.webchat.websocket import WebSocket, takes_over, upgraded
from desk.account_routes import add_account_routes
from desk.act_routes import add_act_routes
from desk.conversation_routes import add_conversation_routes
from desk.errors import DeskError, add_error_answers, answer
from desk.guard import guarded, token_of
from desk.live import Live
from desk.presence import Presence
from desk.rounds import Rounds
from desk.settings import PAGE, DeskSettings
from desk.socket import AgentLine, Service
from desk.typing_there import TypingThere
from desk.welcome import language_of
from messaging.turns.engine import TurnEngine

COME_BACK = (0.5, 4.0)  # seconds, at random: not all at once


class DeskInput(InputChannel):
    """For the people of the shop: docs/desk-protocol.md."""

    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings
        self._live = Live()
        self._presence = Presence(self._live.now)
        self._rounds = Rounds()
        self._app: Sanic | None = None
        self._service = Service(self._live, self._presence, TypingThere(self._live, self._engine))

    @classmethod
    def name(cls) -> str:
        return "desk"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> DeskInput:
        return cls(DeskSettings.of(credentials))

    async def start(self) -> None:
        """Begin with what goes on beside the turns."""
        self._rounds.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self._rounds.stop)

    @property
    def connections(self) -> int:
        """How many pages of agents this process has."""
        return len(self._presence.pages)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("desk_routes")
        add_error_answers(routes)
        add_account_routes(routes)
        add_conversation_routes(routes, self._live)
        add_act_routes(routes, self._live)

        @takes_over
        async def socket(request: Request) -> HTTPResponse | None:
            return await self._socket(request)

        routes.add_route(socket, "/v1/socket", methods=["GET"])

        @routes.get("/static/<path:path>")
        async def static(request: Request, path: str) -> HTTPResponse:
            return web_file(request, path, {})

        @routes.listener("before_server_start")
        async def begin(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
            self._app = app
            app.ctx.desk_settings = self._settings
            app.register_middleware(page_at(PAGE, lambda: page("desk/index.html")), "request")
            self._live.begin()
            self._presence.begin()

        @routes.listener("before_server_stop")
        async def end(_app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
            self._live.end()
            await self._presence.end(lambda: round(random.uniform(*COME_BACK), 1))  # noqa: S311

        return routes

    async def _socket(self, request: Request) -> HTTPResponse | None:
        try:
            me = await guarded(request, is_socket=True)
        except DeskError as error:  # the handler of errors is not asked where a connection may be taken over
            return answer(error)
        socket = upgraded(request)
        if not isinstance(socket, WebSocket):
            return socket
        language = language_of(request.headers.get("accept-language", ""))
        AgentLine(self._service, socket, me, token_of(request), language).begin()
        return None

    def _engine(self) -> TurnEngine:
        """Set once the server has begun: Rasa makes its agent meanwhile."""
        assert self._app is not None
        engine: TurnEngine = self._app.ctx.agent.engine
        return engine
