"""The routes of conversations: looked for, opened, taken and passed on, written in. docs/desk-protocol.md has them.

What somebody sees or does is in the audit log with it, in one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy import select
from sqlalchemy.orm import Session
from throttled import MemoryStore, Throttled, per_min

from desk import audit, canned, conversation, errors, report, searching
from desk.asked import Asked
from desk.database_work import in_transaction, reading
from desk.errors import NOT_KEPT, bad_request
from desk.file_routes import add_file_routes
from desk.guard import guarded
from desk.live import Live
from desk.models import Agent
from desk.permissions import may_work_on
from desk.requests import Fields, asked_number, fields_of
from desk.rules import DeskRules, kept_rules
from desk.saying import say
from desk.welcome import asked_language
from messaging import handoffs
from messaging.handoffs import AlreadyTaken
from messaging.masking import mask
from messaging.models import HandoffNote
from messaging.writes import insert_once

Json = dict[str, Any]
Move = Callable[[Session, Asked, Fields], Mapping[str, Any]]

LONGEST_NOTE = 4000  # characters
REPORT_DAYS, LONGEST_REPORT = 7, 366
MOST_SEEN = 50  # of the shopper's messages
LONGEST_ID = 60  # of the page's names of messages and notes
WRITES = per_min(120, burst=40)  # messages, notes and moves of one agent

_SHOPPERS = re.compile(r"i\d{1,10}", re.ASCII)  # entries


def counted_writes() -> Throttled:
    """What agents write, by their number."""
    return Throttled(using="gcra", quota=WRITES, store=MemoryStore(), key_prefix="desk-writes")


_writes = counted_writes()


def add_conversation_routes(routes: Blueprint, live: Live) -> None:
    """Those of the protocol's table "Conversations", but acts."""
    _add_reading(routes, live)
    _add_moves(routes, live)
    _add_writing(routes, live)
    _add_canned(routes, live)
    add_file_routes(routes, live)
    _add_report(routes, live)


# Reading


def _add_reading(routes: Blueprint, live: Live) -> None:
    @routes.get("/v1/handoffs")
    async def search(request: Request) -> HTTPResponse:
        me, now = await guarded(request), live.now()
        asked = searching.asked_in(request)

        def found(session: Session) -> Json:
            found = searching.search(session, me, asked, now)
            audit.note(session, me, "searched", details={"found": len(found["items"])}, now=now)
            return found

        return answered(await in_transaction(found))

    @routes.get("/v1/handoffs/<handoff:str>")
    async def opened(request: Request, handoff: str) -> HTTPResponse:
        asked = await _asked(request, handoff, live)
        language = asked_language(request)

        def found(session: Session) -> Json:
            row = asked.handoff(session)
            audit.note(session, asked.me, "opened_conversation", handoff=row, now=asked.now)
            return conversation.shown(session, row, asked, language)

        return answered(await in_transaction(found))

    @routes.get("/v1/handoffs/<handoff:str>/entries")
    async def entries(request: Request, handoff: str) -> HTTPResponse:
        asked, before = await _asked(request, handoff, live), str(request.args.get("before") or "")
        return answered(await reading(lambda session: conversation.page(session, asked.handoff(session), asked, before)))


# Moves


def _add_moves(routes: Blueprint, live: Live) -> None:
    for name, move in MOVES.items():
        _add_move(routes, live, name, move)


def _add_move(routes: Blueprint, live: Live, name: str, move: Move) -> None:
    async def moved(request: Request, handoff: str) -> HTTPResponse:
        asked, fields = await _asked(request, handoff, live, writes=True), await fields_of(request)

        def work(session: Session) -> Json:
            row = asked.handoff(session)
            details = move(session, asked, fields)
            audit.note(session, asked.me, DONE[name], handoff=row, details=details, now=asked.now)
            return {"item": conversation.item(session, asked.handoff_id, asked)}

        told = await in_transaction(work)
        request.app.ctx.agent.engine.stir_timers()  # the shopper is told who is there now, or the assistant goes on
        live.look_soon()
        return answered(told)

    moved.__name__ = f"moved_{name.replace('-', '_')}"
    routes.add_route(moved, f"/v1/handoffs/<handoff:str>/{name}", methods=["POST"], stream=True)


def _take(session: Session, asked: Asked, fields: Fields) -> Mapping[str, Any]:
    over = fields.flag("over")
    if over and not asked.me.may("take_over"):
        raise errors.forbidden("take_over")
    try:
        handoffs.take(session, asked.handoff_id, asked.me.name, asked.now, lease=_lease(), over=over)
    except AlreadyTaken as taken:
        if taken.by != asked.me.name:
            raise
    return {"over": over}


def _release(session: Session, asked: Asked, _fields: Fields) -> Mapping[str, Any]:
    row = asked.handoff(session)
    whose = row.assignee if asked.me.may("take_over") and row.assignee else asked.me.name
    handoffs.release(session, asked.handoff_id, whose, asked.now)
    return {"from": whose}


def _transfer(session: Session, asked: Asked, fields: Fields) -> Mapping[str, Any]:
    queue, agent = fields.text_or_none("queue"), fields.text_or_none("agent")
    if (queue is None) == (agent is None):
        raise bad_request("queue")
    if queue is not None and not kept_rules().has_queue(queue):
        raise bad_request("queue")
    if agent is not None and not _is_colleague(session, agent):
        raise bad_request("agent")
    _check_work(session, asked)
    handoffs.transfer(
        session,
        asked.handoff_id,
        asked.now,
        by=asked.me.name,
        queue=queue,
        agent=agent,
        lease=_lease(),
        note=fields.text_or_none("note", LONGEST_NOTE) or "",
        over=asked.me.may("take_over"),
    )
    return {"queue": queue, "agent": agent}


def _snooze(session: Session, asked: Asked, fields: Fields) -> Mapping[str, Any]:
    until = _instant(fields.text("until"))
    if not asked.now < until <= asked.now + _rules().limits.most_snooze:
        raise bad_request("until")
    handoffs.snooze(session, asked.handoff_id, asked.me.name, until, asked.now, _seen(fields))
    return {"until": until.isoformat(timespec="minutes")}


def _wake(session: Session, asked: Asked, _fields: Fields) -> Mapping[str, Any]:
    _check_work(session, asked)
    handoffs.wake(session, asked.handoff_id, asked.now, by=asked.me.name)
    return {}


def _resolve(session: Session, asked: Asked, fields: Fields) -> Mapping[str, Any]:
    reason, topic = fields.text("reason"), fields.text("topic")
    if reason not in _rules().reasons:
        raise bad_request("reason")
    if topic not in _rules().topics:
        raise bad_request("topic")
    _check_work(session, asked)
    note, over = fields.text_or_none("note", LONGEST_NOTE) or "", asked.me.may("take_over")
    named: Json = {"by": asked.me.name, "reason": reason, "topic": topic, "seen": _seen(fields)}
    handoffs.resolve(session, asked.handoff_id, asked.now, note, over=over, **named)
    return {"reason": reason, "topic": topic}


def _give_back(session: Session, asked: Asked, fields: Fields) -> Mapping[str, Any]:
    instruction = fields.text_or_none("instruction", LONGEST_NOTE) or ""
    _check_work(session, asked)
    over = asked.me.may("take_over")
    handoffs.give_back(session, asked.handoff_id, asked.now, instruction, by=asked.me.name, over=over, seen=_seen(fields))
    return {"with_instruction": bool(instruction)}


MOVES: Mapping[str, Move] = {
    "take": _take,
    "release": _release,
    "transfer": _transfer,
    "snooze": _snooze,
    "wake": _wake,
    "resolve": _resolve,
    "give-back": _give_back,
}
DONE = {  # as the audit log calls it
    "take": "took",
    "release": "released",
    "transfer": "transferred",
    "snooze": "snoozed",
    "wake": "woke",
    "resolve": "resolved",
    "give-back": "gave_back",
}


def _check_work(session: Session, asked: Asked) -> None:
    """Raises AlreadyTaken where a colleague has it; what has ended is for the move to refuse."""
    row = asked.handoff(session)
    if row.status == "assigned" and not may_work_on(asked.me, row):
        raise AlreadyTaken(row.id, str(row.assignee))


def _seen(fields: Fields) -> list[int] | None:
    """Of the inbox: the shopper's messages that the page shows; None where it does not say. Raises DeskError."""
    told = fields.values.get("seen")
    if told is None:
        return None
    if not isinstance(told, list) or len(told) > MOST_SEEN:
        raise bad_request("seen")
    if not all(isinstance(each, str) and _SHOPPERS.fullmatch(each) for each in told):
        raise bad_request("seen")
    return [int(each[1:]) for each in told]


def _is_colleague(session: Session, name: str) -> bool:
    named = select(Agent.id).where(Agent.name == name, Agent.is_active.is_(True))
    return session.execute(named).scalar_one_or_none() is not None


def _instant(told: str) -> datetime:
    try:
        at = datetime.fromisoformat(told.strip().replace("Z", "+00:00"))
    except ValueError:
        raise bad_request("until") from None
    if at.tzinfo is None:
        raise bad_request("until")
    return at.astimezone(timezone.utc)


def _rules() -> DeskRules:
    return kept_rules()


def _lease() -> timedelta:
    return _rules().limits.absent


# Writing


def _add_writing(routes: Blueprint, live: Live) -> None:
    @routes.post("/v1/handoffs/<handoff:str>/message", stream=True)
    async def message(request: Request, handoff: str) -> HTTPResponse:
        asked, fields = await _asked(request, handoff, live, writes=True), await fields_of(request)
        told = await say(request.app.ctx.agent.engine, asked, fields)
        live.look_soon()
        return answered(told)

    @routes.post("/v1/handoffs/<handoff:str>/note", stream=True)
    async def note(request: Request, handoff: str) -> HTTPResponse:
        asked, fields = await _asked(request, handoff, live, writes=True), await fields_of(request)
        name, text = fields.text("id", LONGEST_ID), fields.text("text", LONGEST_NOTE)
        told = await in_transaction(lambda session: _note(session, asked, name, text))
        live.look_soon()
        return answered(told)

    @routes.post("/v1/handoffs/<handoff:str>/read", stream=True)
    async def read(request: Request, handoff: str) -> HTTPResponse:
        asked, fields = await _asked(request, handoff, live), await fields_of(request)
        entry = fields.text("entry")
        sender_id, up_to = await in_transaction(lambda session: conversation.read(session, asked, entry))
        live.note_read(asked.me.id, sender_id, up_to)
        return answered({})


def _note(session: Session, asked: Asked, name: str, text: str) -> Json:
    row = asked.handoff(session)
    about = {"handoff_id": row.id, "sender_id": row.sender_id, "by": asked.me.name, "at": asked.now}
    if insert_once(session, HandoffNote, {**about, "name": name, "text": mask(text).text}):
        audit.note(session, asked.me, "added_note", handoff=row, now=asked.now)
    return {"entry": conversation.note_entry(session, row, asked, name)}


# Canned replies


def _add_canned(routes: Blueprint, live: Live) -> None:
    @routes.get("/v1/canned")
    async def replies(request: Request) -> HTTPResponse:
        await guarded(request)
        found = canned.offered(str(request.args.get("language") or ""), str(request.args.get("q") or ""))
        return answered([canned.shown(each) for each in found])

    @routes.get("/v1/handoffs/<handoff:str>/canned")
    async def filled(request: Request, handoff: str) -> HTTPResponse:
        asked = await _asked(request, handoff, live)
        language, wanted = request.args.get("language"), str(request.args.get("q") or "")

        def found(session: Session) -> list[Json]:
            row = asked.handoff(session)
            values = canned.values_for(session, row, asked.me, asked.now)
            return [canned.shown(each, values) for each in canned.offered(str(language or row.language), wanted)]

        return answered(await reading(found))


# Reports


def _add_report(routes: Blueprint, live: Live) -> None:
    @routes.get("/v1/report")
    async def how_it_was(request: Request) -> HTTPResponse:
        me, now = await guarded(request, "reports"), live.now()
        days = asked_number(request, "days") or REPORT_DAYS
        if not 0 < days <= LONGEST_REPORT:
            raise bad_request("days")
        language = asked_language(request)

        def told(session: Session) -> Json:
            audit.note(session, me, "read_report", details={"days": days}, now=now)
            return report.shown(session, days, now, language)

        return answered(await in_transaction(told))


# What all of them do


async def _asked(request: Request, handoff: str, live: Live, writes: bool = False) -> Asked:
    """Who asks for which conversation. Raises DeskError. writes: it is counted."""
    me = await guarded(request)
    if writes and (result := _writes.limit(str(me.id))).limited:
        raise errors.too_many(result.state.retry_after)
    return Asked.of(me, handoff, live.now())


def answered(told: Any) -> HTTPResponse:
    return response.json(told, headers=NOT_KEPT, ensure_ascii=False)
