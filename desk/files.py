"""Files at the desk: those that agents send, taken in if a shopper's channel can show them; and addresses that hold for one
conversation and for a day, for whoever may see it.

FileRefused    it is not taken; `why` is one of the protocol's
UnknownFile    there is no such file of this agent's for this conversation
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from bot.channels.webchat import files as webchat_files
from bot.channels.webchat.file_names import harmless
from bot.channels.webchat.file_routes import OURS
from bot.channels.webchat.files import FileRefused, type_of_upload
from bot.channels.webchat.settings import ROUTES as WEBCHAT_ROUTES
from database import home_folder
from desk.permissions import Me
from desk.settings import ROUTES
from messaging import file_references, received_files
from messaging.models import Handoff, ReceivedFile
from messaging.secret import secret_key

FOLDER = "desk/files"  # below TENDERO_HOME
LARGEST = webchat_files.LARGEST
MOST_WAITING = 20  # files of one agent for one conversation that were not sent
HOLDS, STEP = timedelta(days=1), 12 * 60 * 60  # an address, at least; seconds, for which it stays the same
FORGOTTEN_AFTER = timedelta(days=180)
SENT = ".sent"  # a sign beside a file: it is a message's


class UnknownFile(Exception):
    pass


@dataclass(frozen=True)
class Stored:
    """path: below TENDERO_HOME. type: as its bytes say. size: bytes."""

    id: str
    name: str
    type: str
    size: int
    path: str

    @property
    def content(self) -> dict[str, Any]:
        """As replies have it."""
        if self.type.startswith("image/"):
            return {"image": self.path}
        return {"attachment": {"type": "document", "payload": {"src": self.path, "name": self.name}}}


# What agents send


def store(me: Me, handoff: Handoff, body: bytes, name: str, home: Path) -> Stored:
    """Keep it: this agent's, for this conversation, and not sent yet. Raises FileRefused, OSError."""
    mime_type = type_of_upload(body)
    if handoff.channel == "whatsapp" and mime_type == "image/webp":
        raise FileRefused("wrong_type")  # there only stickers are
    folder = _folder(me, handoff)
    if len([each for each in (home / folder).glob("*") if not (each / SENT).exists()]) >= MOST_WAITING:
        raise FileRefused("too_many")
    id_, named = secrets.token_urlsafe(16), harmless(name, mime_type)
    place = home / folder / id_
    place.mkdir(parents=True, mode=0o700)
    (place / named).write_bytes(body)
    return Stored(id_, named, mime_type, len(body), f"{folder}/{id_}/{named}")


def of_agent(me: Me, handoff: Handoff, id_: str, home: Path) -> Stored:
    """A file that they have stored for this conversation. Raises UnknownFile."""
    if not id_.replace("-", "").replace("_", "").isalnum():
        raise UnknownFile(id_)
    folder = f"{_folder(me, handoff)}/{id_}"
    found = next((each for each in sorted((home / folder).glob("*")) if each.name != SENT), None)
    if found is None:
        raise UnknownFile(id_)
    kind = OURS[found.suffix.lower()]
    return Stored(id_, found.name, kind, found.stat().st_size, f"{folder}/{found.name}")


def note_sent(stored: Stored, home: Path) -> None:
    (home / stored.path).with_name(SENT).touch()


def purge(home: Path, now: datetime, kept: timedelta = FORGOTTEN_AFTER, unsent: timedelta = timedelta(days=1)) -> int:
    """Delete what is old, and what was not sent within a day; how many files."""
    gone = 0
    for folder in (home / FOLDER).glob("*/*/*"):
        limit = kept if (folder / SENT).exists() else unsent
        if folder.stat().st_mtime < (now - limit).timestamp():
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone


def _folder(me: Me, handoff: Handoff) -> str:
    return f"{FOLDER}/{handoff.id}/{me.id}"


# Showing


@dataclass(frozen=True)
class Shown:
    path: Path
    mime_type: str
    name: str


def address(handoff_id: int, name: str, now: datetime) -> str:
    """Where the page finds it. name: a reference to a file that came in; a path below TENDERO_HOME; "/static/..."."""
    if name.startswith(webchat_files.OF_THE_PAGE):
        return WEBCHAT_ROUTES + name
    until = (int(now.timestamp()) // STEP + 1) * STEP + int(HOLDS.total_seconds())
    return f"{ROUTES}/v1/files/{handoff_id:x}.{until:x}.{_signature(handoff_id, name, until)}/{quote(name)}"


def opened(signed: str, name: str, now: datetime) -> int | None:
    """Of which handoff's shopper it is; None: the address is none of ours, or holds no more."""
    try:
        handoff_id, until = (int(part, 16) for part in signed.split(".")[:2])
        is_ours = hmac.compare_digest(signed, f"{handoff_id:x}.{until:x}.{_signature(handoff_id, name, until)}")
    except (ValueError, TypeError):
        return None
    return handoff_id if is_ours and now.timestamp() < until else None


def found(session: Session, name: str, home: Path) -> Shown | None:
    """None: it is not there (any more), or none that is shown."""
    file = file_references.referred(session, [name]).get(name)
    if file is not None:
        return _received(file, home)
    path = (home / name).resolve()
    kind = OURS.get(path.suffix.lower())
    return Shown(path, kind, path.name) if kind and path.is_relative_to(home) and path.is_file() else None


def _received(file: ReceivedFile, home: Path) -> Shown | None:
    if file.state != "stored" or not file.sha256:
        return None
    return Shown(received_files.path_of(home, file.sha256), file.mime_type, file.file_name or "file")


def _signature(handoff_id: int, name: str, until: int) -> str:
    return hmac.new(secret_key(home_folder()), f"desk-file:{handoff_id}:{until}:{name}".encode(), hashlib.sha256).hexdigest()[:40]
