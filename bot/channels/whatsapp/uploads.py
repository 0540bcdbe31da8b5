"""Files of ours on their way to Meta: uploaded once, and named by their id until that expires."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from bot.channels.pages import WEB
from bot.channels.whatsapp.graph import Graph, GraphError
from bot.channels.whatsapp.settings import CHANNEL
from database import home_folder, transaction
from messaging.models import UploadedFile
from messaging.turns.outbox import Undeliverable
from messaging.writes import insert_or_update

KEPT_FOR = timedelta(days=29)  # Meta keeps it for 30
OF_THE_FILE = (100, 131051, 131052, 131053)  # codes with which Meta refuses a file
KINDS = ("image", "video", "document", "audio", "sticker")
OF_THE_PAGE = "/static/"  # how answers name what lies in `web`


class FileMissing(Undeliverable):
    """There is no such file that would be ours to send."""


async def with_files(body: Mapping[str, Any], graph: Graph, account: str) -> dict[str, Any]:
    """The body with an id in the place of each path. Raises FileMissing and GraphFailure."""
    result = dict(body)
    if (kind := result.get("type")) in KINDS:
        result[kind] = await _named(result[kind], graph, account)
    header = (result.get("interactive") or {}).get("header")
    if isinstance(header, dict) and header.get("type") in KINDS:
        kind = header["type"]
        header = {**header, kind: await _named(header[kind], graph, account)}
        result["interactive"] = {**result["interactive"], "header": header}
    return result


async def forget_files(body: Mapping[str, Any], account: str) -> bool:
    """Meta does not know an id in this body any more: the next time they are uploaded anew. Whether one of them was kept."""
    header: Mapping[str, Any] = (body.get("interactive") or {}).get("header") or {}
    files = [place[kind] for place in (body, header) for kind in KINDS if kind in place]
    ids = [str(file["id"]) for file in files if "id" in file]
    return bool(ids) and await asyncio.to_thread(_forget, account, ids)


async def _named(file: Mapping[str, Any], graph: Graph, account: str) -> dict[str, Any]:
    if "path" not in file:
        return dict(file)
    path = own_file(str(file["path"]))
    content = await asyncio.to_thread(path.read_bytes)
    sha256 = hashlib.sha256(content).hexdigest()
    file_id = await asyncio.to_thread(_kept, account, sha256)
    if file_id is None:
        mime_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        file_id = await _uploaded(graph, content, path.name, mime_type)
        await asyncio.to_thread(_keep, account, sha256, file_id)
    return {"id": file_id, **{key: value for key, value in file.items() if key != "path"}}


async def _uploaded(graph: Graph, content: bytes, name: str, mime_type: str) -> str:
    try:
        return await graph.upload(content, name, mime_type)
    except GraphError as error:
        is_refused = error.code in OF_THE_FILE or (error.code is None and 400 <= error.status < 500)
        if mime_type.startswith("image/") and is_refused:  # its words need not wait for it
            raise FileMissing(f"Meta does not take its file: {error}") from error
        raise


def own_file(path: str) -> Path:
    """Only what lies below TENDERO_HOME is ours to send, and what the web page shows to everybody. Raises FileMissing."""
    of_the_page = path.startswith(OF_THE_PAGE)
    folder = (WEB if of_the_page else home_folder()).resolve()
    file = (folder / path.removeprefix(OF_THE_PAGE)).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise FileMissing("its file is not there")
    return file


def _kept(account: str, sha256: str) -> str | None:
    theirs = (UploadedFile.channel == CHANNEL, UploadedFile.account == account, UploadedFile.sha256 == sha256)
    with transaction(is_optimistic=True) as session:
        fresh = select(UploadedFile.provider_id).where(*theirs, UploadedFile.expires_at > _now())
        return session.execute(fresh).scalar_one_or_none()


def _keep(account: str, sha256: str, file_id: str) -> None:
    values = {"channel": CHANNEL, "account": account, "sha256": sha256, "provider_id": file_id, "expires_at": _now() + KEPT_FOR}
    with transaction() as session:
        insert_or_update(session, UploadedFile, key=("channel", "account", "sha256"), values=values)


def _forget(account: str, ids: Sequence[str]) -> bool:
    theirs = (UploadedFile.channel == CHANNEL, UploadedFile.account == account, UploadedFile.provider_id.in_(ids))
    with transaction() as session:
        return bool(session.execute(delete(UploadedFile).where(*theirs).execution_options(synchronize_session=False)).rowcount)


def _now() -> datetime:
    return datetime.now(timezone.utc)
