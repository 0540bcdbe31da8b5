"""The routes of acts: propose, confirm and undo, as docs/desk-protocol.md has them."""

from __future__ import annotations

from collections.abc import Callable

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.orm import Session

from desk import acts
from desk.asked import Asked
from desk.conversation_routes import answered
from desk.database_work import in_transaction
from desk.errors import DeskError
from desk.guard import guarded
from desk.in_words import Json
from desk.live import Live
from desk.requests import BIGGEST_NUMBER, fields_of
from desk.welcome import asked_language

Work = Callable[[Session], "Json | DeskError"]

LONGEST_NAME = 64  # of a proposal


def add_act_routes(routes: Blueprint, live: Live) -> None:
    @routes.post("/v1/handoffs/<handoff:str>/acts/<kind:str>/propose", stream=True)
    async def propose(request: Request, handoff: str, kind: str) -> HTTPResponse:
        asked, fields = Asked.of(await guarded(request), handoff, live.now()), await fields_of(request)
        return answered(await _done(lambda session: acts.propose(session, asked, kind, fields, asked_language(request))))

    @routes.post("/v1/handoffs/<handoff:str>/acts/<kind:str>/confirm", stream=True)
    async def confirm(request: Request, handoff: str, kind: str) -> HTTPResponse:
        asked, fields = Asked.of(await guarded(request), handoff, live.now()), await fields_of(request)
        proposal = fields.text("proposal", LONGEST_NAME)
        told = await _done(lambda session: acts.confirm(session, asked, kind, proposal, asked_language(request)))
        _changed(request, live)
        return answered(told)

    @routes.post("/v1/handoffs/<handoff:str>/acts/undo", stream=True)
    async def undo(request: Request, handoff: str) -> HTTPResponse:
        asked, fields = Asked.of(await guarded(request), handoff, live.now()), await fields_of(request)
        effect = fields.number("effect", 1, BIGGEST_NUMBER)
        told = await _done(lambda session: acts.undo(session, asked, effect, asked_language(request)))
        _changed(request, live)
        return answered(told)


async def _done(work: Work) -> Json:
    """What came of it, committed. What was refused is committed too, with its line in the audit log, and then raised."""
    outcome = await in_transaction(work)
    if isinstance(outcome, DeskError):
        raise outcome
    return outcome


def _changed(request: Request, live: Live) -> None:
    request.app.ctx.agent.engine.stir_timers()  # another conversation may have been told to say something
    live.look_soon()
