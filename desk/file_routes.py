"""The routes of files: `POST handoffs/<id>/files` takes in what an agent wants to send, `GET files/...` shows one."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.orm import Session

from bot.channels.bodies import body_of
from bot.channels.webchat.file_names import disposition
from bot.channels.webchat.file_routes import SAFE, STATUSES
from bot.channels.webchat.files import FileRefused
from database import home_folder
from desk import audit, errors, files
from desk.asked import Asked
from desk.database_work import in_transaction, reading
from desk.errors import NOT_KEPT, DeskError
from desk.files import Shown, Stored
from desk.guard import guarded
from desk.live import Live
from desk.permissions import may_work_on

KEPT = {"Cache-Control": "private, max-age=3600"}


def add_file_routes(routes: Blueprint, live: Live) -> None:
    @routes.post("/v1/handoffs/<handoff:str>/files", stream=True)
    async def upload(request: Request, handoff: str) -> HTTPResponse:
        asked = Asked.of(await guarded(request), handoff, live.now())
        row = await reading(asked.handoff)
        if not may_work_on(asked.me, row):
            raise DeskError(409, "not_yours")
        body = await body_of(request, files.LARGEST)
        if body is None:
            raise DeskError(413, "too_large", most=files.LARGEST)
        stored = await _stored(asked, body, unquote(str(request.args.get("name") or "")))
        told = {"id": stored.id, "name": stored.name, "type": stored.type, "size": stored.size}
        return response.json(told, status=201, headers=NOT_KEPT, ensure_ascii=False)

    @routes.get("/v1/files/<signed:str>/<name:path>")
    async def show(request: Request, signed: str, name: str) -> HTTPResponse:
        me, name = await guarded(request), unquote(name)
        handoff_id = files.opened(signed, name, live.now())
        if handoff_id is None:
            raise errors.not_found()
        asked = Asked.of(me, str(handoff_id), live.now())
        shown = await reading(lambda session: _found(session, asked, name))
        try:
            content = await asyncio.to_thread(shown.path.read_bytes)
        except OSError:
            raise errors.not_found() from None
        is_picture = shown.mime_type.startswith("image/")
        headers = {**SAFE, **KEPT, "Cross-Origin-Resource-Policy": "same-origin"}
        headers["Content-Disposition"] = disposition(shown.name, is_inline=is_picture)
        return response.raw(content, content_type=shown.mime_type, headers=headers)


async def _stored(asked: Asked, body: bytes, name: str) -> Stored:
    def store(session: Session) -> Stored:
        row = asked.handoff(session)
        stored = files.store(asked.me, row, body, name, home_folder())
        audit.note(session, asked.me, "uploaded_file", handoff=row, details={"size": stored.size}, now=asked.now)
        return stored

    try:
        return await in_transaction(store)
    except FileRefused as refused:
        after = {"after": 60} if refused.why == "too_many" else {}
        raise DeskError(STATUSES[refused.why], refused.why, **after) from None


def _found(session: Session, asked: Asked, name: str) -> Shown:
    asked.handoff(session)
    shown = files.found(session, name, home_folder())
    if shown is None:
        raise errors.not_found()
    return shown
