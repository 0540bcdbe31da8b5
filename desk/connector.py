"""The desk's routes, below `/webhooks/desk/`, and its page at `/desk`. It takes no messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, Sanic
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.channels.pages import page, page_at
from bot.channels.webchat.static import web_file
from desk.account_routes import add_account_routes
from desk.errors import add_error_answers
from desk.settings import PAGE, DeskSettings


class DeskInput(InputChannel):
    """For the people of the shop: docs/desk-protocol.md."""

    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings

    @classmethod
    def name(cls) -> str:
        return "desk"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> DeskInput:
        return cls(DeskSettings.of(credentials))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("desk_routes")
        add_error_answers(routes)
        add_account_routes(routes)

        @routes.get("/static/<path:path>")
        async def static(request: Request, path: str) -> HTTPResponse:
            return web_file(request, f"desk/{path}", {})

        @routes.listener("before_server_start")
        async def begin(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
            app.ctx.desk_settings = self._settings
            app.register_middleware(page_at(PAGE, lambda: page("desk/index.html")), "request")

        return routes
