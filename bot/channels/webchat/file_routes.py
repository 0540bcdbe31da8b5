"""The routes of files: `POST /v1/files` takes one in, `GET /v1/files/...` shows one by its signed address."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import unquote

from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError

from bot.channels.webchat import files, origins, visitors
from bot.channels.webchat.file_names import disposition
from bot.channels.webchat.files import FileRefused, StoredFile
from bot.channels.webchat.limits import Limits
from bot.channels.webchat.settings import CHANNEL, WebChatSettings
from database import home_folder, transaction
from messaging import received_files
from messaging.models import ReceivedFile, WebVisitor

logger = logging.getLogger(__name__)

STATUSES = {"too_large": 413, "wrong_type": 415, "too_many": 429}
LATER = {"too_many": 3600, "not_now": 5}  # seconds, where nothing better is known
OURS = {  # of our own files only these are shown, whatever an answer names: never the database, the secret or somebody's mail
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
}
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
}
KEPT = {"Cache-Control": "private, max-age=43200, immutable"}
NOT_KEPT = {"Cache-Control": "no-store"}


def add_routes(routes: Blueprint, settings: WebChatSettings, limits: Limits) -> None:
    """Also those that browsers ask first (CORS)."""

    @routes.post("/v1/files", stream=True)
    async def upload(request: Request) -> HTTPResponse:
        answer = await _upload(request, settings, limits)
        answer.headers.update({**origins.cors(request, settings), **NOT_KEPT})
        return answer

    @routes.options("/v1/files")
    async def may_upload(request: Request) -> HTTPResponse:
        return origins.preflight(request, settings)

    @routes.get("/v1/files/<signed:str>/<name:path>")
    async def show(request: Request, signed: str, name: str) -> HTTPResponse:
        return await _show(signed, unquote(name))


# Taking in


async def _upload(request: Request, settings: WebChatSettings, limits: Limits) -> HTTPResponse:
    if not origins.allowed(request, settings):
        return _refused("origin", 403)
    address = limits.address(request)
    try:
        visitor_id = await asyncio.to_thread(_visitor, _token(request), origins.origin_of(request) or "")
        if visitor_id is None:
            return _refused("unknown_visitor", 401)
        if wait := limits.allows("file", visitor_id, address):
            return _refused("too_many", 429, math.ceil(wait))
        body = await files.read(_chunks(request), _promised(request))
        file = await asyncio.to_thread(_store, visitor_id, body, unquote(request.headers.get("x-file-name", "")))
    except FileRefused as refused:
        return _refused(refused.why, STATUSES[refused.why], LATER.get(refused.why))
    except (DBAPIError, OSError) as error:
        logger.warning("webchat: a file was not taken: %s", type(error).__name__)
        return _refused("not_now", 503, LATER["not_now"])
    return response.json({"id": file.id, "name": file.name, "type": file.type, "size": file.size}, status=201)


def _visitor(token: str, origin: str) -> str | None:
    with transaction(is_optimistic=True) as session:
        return visitors.known(session, token, origin, _now())


def _store(visitor_id: str, body: bytes, name: str) -> StoredFile:
    with transaction() as session:
        return files.store(session, visitor_id, body, name, home_folder(), _now())


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _promised(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    while (chunk := await request.stream.read()) is not None:
        yield chunk


def _refused(why: str, status: int, after: int | None = None) -> HTTPResponse:
    return response.json({"error": why}, status=status, headers={"Retry-After": str(after)} if after else {})


# Showing


@dataclass(frozen=True)
class _Shown:
    path: Path
    mime_type: str
    name: str


async def _show(signed: str, name: str) -> HTTPResponse:
    if not files.opened(signed, name, _now()):
        return _not_there()
    try:
        shown = await asyncio.to_thread(_found, name)
        content = await asyncio.to_thread(shown.path.read_bytes) if shown else None
    except DBAPIError:
        return _refused("not_now", 503, LATER["not_now"])
    except OSError:
        content = None
    if shown is None or content is None:
        return _not_there()
    is_picture = shown.mime_type.startswith("image/")
    headers = {**SAFE, **KEPT, "Content-Disposition": disposition(shown.name, is_inline=is_picture)}
    return response.raw(content, content_type=shown.mime_type, headers=headers)


def _found(name: str) -> _Shown | None:
    return _of_ours(name) if "/" in name or "." in name else _uploaded(name)


def _of_ours(path: str) -> _Shown | None:
    home = home_folder()
    file = (home / path).resolve()
    mime_type = OURS.get(file.suffix.lower())
    return _Shown(file, mime_type, file.name) if mime_type and file.is_relative_to(home) else None


def _uploaded(id: str) -> _Shown | None:
    """What a visitor sent; not once their conversation can be opened no more."""
    holds = or_(WebVisitor.revoked_at.is_(None), WebVisitor.revoked_at > _now())
    query = select(ReceivedFile).join(WebVisitor, WebVisitor.sender_id == ReceivedFile.sender_id)
    stored = (ReceivedFile.channel == CHANNEL, ReceivedFile.provider_id == id, ReceivedFile.state == "stored")
    with transaction(is_optimistic=True) as session:
        row = session.execute(query.where(*stored, holds)).scalar_one_or_none()
        return _Shown(received_files.path_of(home_folder(), row.sha256), row.mime_type, row.file_name) if row else None


def _not_there() -> HTTPResponse:
    return response.json({"error": "not_found"}, status=404, headers={**NOT_KEPT, "X-Content-Type-Options": "nosniff"})


def _now() -> datetime:
    return datetime.now(timezone.utc)
