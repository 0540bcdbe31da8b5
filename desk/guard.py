"""Who may come in: each route of the desk that needs somebody signed in begins with `guarded`."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone

from sanic.request import Request
from sanic.response import HTTPResponse

from bot.channels.webchat import origins
from desk import errors, sessions
from desk.errors import DeskError
from desk.permissions import Me
from desk.sessions import LONGEST, SignedIn
from desk.settings import ROUTES, settings_of

COOKIE = "tendero_desk"
HEADER = "X-Tendero-Desk"
READING = ("GET", "HEAD")


async def guarded(request: Request, permission: str | None = None, *, is_socket: bool = False) -> Me:
    """Who is asking. Raises DeskError: from elsewhere than our page, nobody signed in, or without the permission.

    is_socket: what comes by it can do more than read, so its Origin is asked for, too.
    """
    if is_socket:
        check_origin(request)
    elif request.method not in READING:
        check_sender(request)
    me = await asyncio.to_thread(sessions.visit, token_of(request), datetime.now(timezone.utc))
    if me is None:
        raise errors.signed_out()
    if permission is not None and not me.may(permission):
        raise errors.forbidden(permission)
    return me


def check_sender(request: Request) -> None:
    """It comes from our page: another's could not set the header without being asked first, nor lie about its Origin."""
    check_origin(request)
    if request.headers.getall(HEADER, []) != ["1"]:
        raise DeskError(403, "forbidden", needs=HEADER)


def check_origin(request: Request) -> None:
    """The page that asks is ours. Raises DeskError."""
    origin = origins.origin_of(request)
    if origin is None or origin != origins.own(request, settings_of(request).proxies):
        raise DeskError(403, "forbidden", needs="Origin")


# The cookie


def token_of(request: Request) -> str:
    """Of the session, as the browser says; empty where it says none."""
    return str(request.cookies.get(COOKIE) or "")


def keep(answer: HTTPResponse, request: Request, signed_in: SignedIn) -> HTTPResponse:
    """The browser keeps the session from now on."""
    set_cookie(answer, request, COOKIE, signed_in.token, int(LONGEST.total_seconds()))
    return answer


def drop(answer: HTTPResponse, request: Request) -> HTTPResponse:
    """The browser keeps no session any more."""
    set_cookie(answer, request, COOKIE, "", 0)
    return answer


def set_cookie(
    answer: HTTPResponse, request: Request, name: str, value: str, seconds: int, same_site: str = "Strict", path: str = ROUTES
) -> None:
    """A cookie that no script reads, and that is sent by https only where the desk is reached by it."""
    answer.cookies[name] = value
    cookie = answer.cookies[name]
    cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"] = path, True, same_site, seconds
    if origins.scheme_of(request, settings_of(request).proxies) == "https":
        cookie["secure"] = True
