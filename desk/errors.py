"""What the desk's routes refuse, as docs/desk-protocol.md has it: raised anywhere below a route, answered in one place."""

from __future__ import annotations

import logging
import math
from typing import Any

from sanic import Blueprint, response
from sanic.exceptions import InvalidUsage
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.exc import DBAPIError

from desk import accounts
from desk.passwords import PasswordRefused
from messaging.handoffs import AlreadyTaken, IllegalMove, NoSuchHandoff, Unread

logger = logging.getLogger(__name__)

COME_BACK = 2  # seconds, where the database is busy
FOREIGN = (AlreadyTaken, IllegalMove, NoSuchHandoff, Unread, accounts.AccountError, PasswordRefused)
NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class DeskError(Exception):
    """status: of HTTP. code: one of the protocol's. values: what the page needs to say it in words."""

    def __init__(self, status: int, code: str, **values: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.values = status, code, values


def signed_out(**values: Any) -> DeskError:
    return DeskError(401, "signed_out", **values)


def forbidden(permission: str) -> DeskError:
    return DeskError(403, "forbidden", needs=permission)


def not_found() -> DeskError:
    """Also for what is there and not theirs to see."""
    return DeskError(404, "not_found")


def bad_request(field: str, **values: Any) -> DeskError:
    return DeskError(400, "bad_request", field=field, **values)


def too_many(seconds: float) -> DeskError:
    return DeskError(429, "too_many", after=math.ceil(seconds))


def answer(error: DeskError) -> HTTPResponse:
    """The error as the page is told it."""
    headers = {**NOT_KEPT, **({"Retry-After": str(error.values["after"])} if "after" in error.values else {})}
    return response.json({"error": error.code, **error.values}, status=error.status, headers=headers)


def add_error_answers(routes: Blueprint) -> None:
    """The routes of this blueprint answer errors by the protocol; what is nobody's fault but ours stays an exception."""

    @routes.exception(DeskError, *FOREIGN, DBAPIError, InvalidUsage)
    async def in_the_protocols_words(_request: Request, error: Exception) -> HTTPResponse:
        return answer(_as_desk_error(error))


def _as_desk_error(error: Exception) -> DeskError:
    if isinstance(error, DeskError):
        return error
    if isinstance(error, AlreadyTaken):
        return DeskError(409, "taken", by=error.by)
    if isinstance(error, IllegalMove):
        return DeskError(409, "illegal")
    if isinstance(error, Unread):
        return DeskError(409, "stale", newest=f"i{error.newest}")
    if isinstance(error, NoSuchHandoff | accounts.NoSuchAgent):
        return not_found()
    if isinstance(error, accounts.NameTaken):
        return DeskError(409, "name_taken", field=error.field)
    if isinstance(error, accounts.LastAdmin):
        return DeskError(409, "last_admin")
    if isinstance(error, accounts.WrongValue):
        return bad_request(error.field, **({"known": list(error.known)} if error.known else {}))
    if isinstance(error, PasswordRefused):
        return DeskError(422, "refused", rule=error.rule, values=error.values)
    if isinstance(error, DBAPIError):
        logger.warning("desk: the database was not to be had: %s", type(error.orig).__name__)
        return DeskError(503, "busy", after=COME_BACK)
    return bad_request("")
