"""The routes of acts: propose, confirm and undo, as docs/desk-protocol.md has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.orm import Session

from database import transaction
from desk import acts
from desk.errors import NOT_KEPT, DeskError, not_found
from desk.guard import guarded
from desk.in_words import Json
from desk.requests import BIGGEST_NUMBER, fields_of
from desk.welcome import language_of

Work = Callable[[Session], "Json | DeskError"]

LONGEST_NAME = 64  # of a proposal


def add_act_routes(routes: Blueprint, after: Callable[[Request], Any] = lambda request: None) -> None:
    """after: what is to be done once something has changed, for the shopper and for whoever looks at it."""

    @routes.post("/v1/handoffs/<handoff:str>/acts/<kind:str>/propose", stream=True)
    async def propose(request: Request, handoff: str, kind: str) -> HTTPResponse:
        me, fields = await guarded(request), await fields_of(request)
        number, language = _number(handoff), _language(request)
        return _answer(await _done(lambda session: acts.propose(session, me, number, kind, fields.values, _now(), language)))

    @routes.post("/v1/handoffs/<handoff:str>/acts/<kind:str>/confirm", stream=True)
    async def confirm(request: Request, handoff: str, kind: str) -> HTTPResponse:
        me, fields = await guarded(request), await fields_of(request)
        number, language, proposal = _number(handoff), _language(request), fields.text("proposal", LONGEST_NAME)
        told = await _done(lambda session: acts.confirm(session, me, number, kind, proposal, _now(), language))
        after(request)
        return _answer(told)

    @routes.post("/v1/handoffs/<handoff:str>/acts/undo", stream=True)
    async def undo(request: Request, handoff: str) -> HTTPResponse:
        me, fields = await guarded(request), await fields_of(request)
        number, language, effect = _number(handoff), _language(request), fields.number("effect", 1)
        told = await _done(lambda session: acts.undo(session, me, number, effect, _now(), language))
        after(request)
        return _answer(told)


async def _done(work: Work) -> Json:
    """What came of it, committed. What was refused is committed too, with its line in the audit log, and then raised."""

    def run() -> Json | DeskError:
        with transaction() as session:
            return work(session)

    outcome = await asyncio.to_thread(run)
    if isinstance(outcome, DeskError):
        raise outcome
    return outcome


def _number(handoff: str) -> int:
    if not (handoff.isascii() and handoff.isdecimal() and len(handoff) < 11 and 0 < int(handoff) <= BIGGEST_NUMBER):
        raise not_found()
    return int(handoff)


def _language(request: Request) -> str:
    return str(request.args.get("language") or language_of(request.headers.get("accept-language", "")))


def _answer(told: Json) -> HTTPResponse:
    return response.json(told, headers=NOT_KEPT)


def _now() -> datetime:
    return datetime.now(timezone.utc)
