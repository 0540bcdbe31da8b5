"""Files of the web chat: taken in if they are what they may be, and shown by signed addresses.

FileRefused    it is not taken; `why` is one of the protocol's
UnknownFile    there is no such file of this visitor's that could be said
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.channels.webchat.file_names import harmless
from bot.channels.webchat.settings import CHANNEL, ROUTES
from database import home_folder
from messaging import received_files
from messaging.models import ReceivedFile
from messaging.received_files import MEGABYTE
from messaging.secret import secret_key
from messaging.writes import one_at_a_time

Why = Literal["too_large", "wrong_type", "too_many"]

KINDS = {  # by type: how a kind of message it is, and what such a file begins with
    "image/jpeg": ("image", b"\xff\xd8\xff"),
    "image/png": ("image", b"\x89PNG\r\n\x1a\n"),
    "image/webp": ("image", b"RIFF"),
    "application/pdf": ("document", b"%PDF-"),
}
TYPES = tuple(KINDS)
MOST_BYTES = {"image": 5 * MEGABYTE, "document": 10 * MEGABYTE}
LARGEST = max(MOST_BYTES.values())
ENOUGH_TO_KNOW = 4096  # bytes, after which a picture is known from a document
MOST_UNSAID = 10  # files of one visitor that wait to be said
COMMANDS = {"image": "/share_picture", "document": "/share_document"}
HOLDS = timedelta(days=1)  # an address, at least
TOLD = ("provider_id", "kind", "mime_type", "file_name", "size")
OF_THE_PAGE = "/static/"  # how answers name what lies in `web`


class FileRefused(Exception):
    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


class UnknownFile(Exception):
    pass


@dataclass(frozen=True)
class StoredFile:
    """A file that was taken, and not said yet. type: as its bytes say. size: bytes."""

    id: str
    name: str
    type: str
    size: int


# Taking in


async def read(chunks: AsyncIterator[bytes], promised: int | None = None) -> bytes:
    """The body, read no further than a file may be long. promised: its length, as the sender says. Raises FileRefused."""
    if promised is not None and promised > LARGEST:
        raise FileRefused("too_large")
    body = bytearray()
    most = LARGEST
    async for chunk in chunks:
        is_known = len(body) >= ENOUGH_TO_KNOW
        body += chunk
        if not is_known and len(body) >= ENOUGH_TO_KNOW:
            most = MOST_BYTES[_kind_by_its_head(body)]
        if len(body) > most:
            raise FileRefused("too_large")
    return bytes(body)


def store(session: Session, visitor_id: str, body: bytes, name: str, home: Path, now: datetime) -> StoredFile:
    """Keep it: the visitor's, and shown to nobody before it was said. Raises FileRefused, OSError."""
    mime_type = type_of_upload(body)
    kind = KINDS[mime_type][0]
    one_at_a_time(session, f"files:{visitor_id}")
    if _unsaid(session, visitor_id) >= MOST_UNSAID:
        raise FileRefused("too_many")
    file = StoredFile(secrets.token_urlsafe(16), harmless(name, mime_type), mime_type, len(body))
    sha256 = received_files.keep_content(home, body)
    session.add(
        ReceivedFile(
            channel=CHANNEL,
            provider_id=file.id,
            sender_id=visitor_id,
            message_id=received_files.UNSAID,
            kind=kind,
            mime_type=mime_type,
            file_name=file.name,
            state="stored",
            sha256=sha256,
            size=file.size,
            received_at=now,
        )
    )
    session.flush()
    return file


def attach(session: Session, visitor_id: str, ids: Sequence[str], message_id: str, now: datetime) -> list[dict[str, Any]]:
    """The files belong to this message from now on. What is told of them: Inbound.details["files"]. Raises UnknownFile.

    message_id: the inbox's `provider_id`. The same again gives the same; a file of another message is unknown.
    """
    rows = [_attached(session, visitor_id, id, message_id, now) for id in dict.fromkeys(ids)]
    return [{name: getattr(row, name) for name in TOLD} for row in rows]


def command_for(files: Iterable[dict[str, Any]]) -> str:
    """The text of a message that has files and no words; files: as `attach` tells them."""
    return next((COMMANDS[str(file["kind"])] for file in files), "")


def _attached(session: Session, visitor_id: str, id: str, message_id: str, now: datetime) -> ReceivedFile:
    theirs = (ReceivedFile.channel == CHANNEL, ReceivedFile.provider_id == id, ReceivedFile.sender_id == visitor_id)
    unsaid = update(ReceivedFile).where(*theirs, ReceivedFile.message_id == received_files.UNSAID)
    said = unsaid.values(message_id=message_id, received_at=now)  # its age is that of the message: a claim looks at it
    session.execute(said.execution_options(synchronize_session=False))
    query = select(ReceivedFile).where(*theirs, ReceivedFile.message_id == message_id)
    row = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise UnknownFile(id)
    return row


def _unsaid(session: Session, visitor_id: str) -> int:
    theirs = (ReceivedFile.channel == CHANNEL, ReceivedFile.sender_id == visitor_id)
    waiting = select(func.count()).where(*theirs, ReceivedFile.message_id == received_files.UNSAID)
    return int(session.execute(waiting).scalar_one())


def type_of_upload(body: bytes) -> str:
    """One of TYPES, and not too large for it. Raises FileRefused.

    The library looks at both ends of a file; one of ours has to begin as it should, too.
    """
    mime_type = received_files.type_of(body)
    if mime_type not in KINDS or not body.startswith(KINDS[mime_type][1]):
        raise FileRefused("wrong_type")
    if len(body) > MOST_BYTES[KINDS[mime_type][0]]:
        raise FileRefused("too_large")
    return mime_type


def _kind_by_its_head(head: bytes | bytearray) -> str:
    return next((kind for kind, begins in KINDS.values() if head.startswith(begins)), "image")


# Showing


def address(path_or_id: str, now: datetime) -> str:
    """Where a page finds it, below the assistant's own address; it holds for a day at least, and is the same for a while.

    path_or_id: id of an uploaded file; path of one of ours below TENDERO_HOME; "/static/...". Other addresses stay as they are.
    """
    if path_or_id.startswith(OF_THE_PAGE):
        return ROUTES + path_or_id
    if path_or_id.startswith(("https://", "http://")):
        return path_or_id
    until = (int(now.timestamp()) // _STEP + 1) * _STEP + int(HOLDS.total_seconds())
    return f"{ROUTES}/v1/files/{until:x}.{_signature(path_or_id, until)}/{quote(path_or_id)}"


def opened(signed: str, path_or_id: str, now: datetime) -> bool:
    """Whether this address was given out by us, and still holds. signed: its part before the name."""
    digits, _, signature = signed.partition(".")
    try:
        until = int(digits, 16)
        is_ours = hmac.compare_digest(signature, _signature(path_or_id, until))
    except (ValueError, TypeError):
        return False
    return is_ours and now.timestamp() < until


_STEP = 12 * 60 * 60  # seconds, for which a file keeps its address: a browser need not fetch it again


def _signature(name: str, until: int) -> str:
    return hmac.new(secret_key(home_folder()), f"webchat-file:{until}:{name}".encode(), hashlib.sha256).hexdigest()[:40]
