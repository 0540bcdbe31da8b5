"""STUB until branch server-b is merged."""

from __future__ import annotations

from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.channels.webchat.settings import WebChatSettings


def origin_of(request: Request) -> str | None:
    return request.headers.get("origin")


def allowed(request: Request, settings: WebChatSettings) -> bool:
    origin = origin_of(request)
    return origin is not None and (origin in settings.origins or origin.partition("://")[2] == request.host)


def cors(request: Request, settings: WebChatSettings) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": request.headers["origin"], "Vary": "Origin"} if allowed(request, settings) else {}


def preflight(request: Request, settings: WebChatSettings) -> HTTPResponse:
    return response.empty(headers=cors(request, settings))
