"""Files that shoppers send: kept once by their hash below TENDERO_HOME/received, if they are what they say they are.

FileRefused    the file is not kept, for good; the message says why
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import puremagic
from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from messaging.models import ReceivedFile

MEGABYTE = 1024 * 1024
MOST = {"image": 5, "sticker": 1, "audio": 16, "voice": 16, "video": 16, "document": 100}  # megabytes, as WhatsApp has them
KINDS = {  # what a file of a kind may be, by its bytes
    "image": ("image/jpeg", "image/png", "image/webp"),
    "sticker": ("image/webp",),
    "audio": ("audio/", "video/mp4", "application/ogg"),
    "voice": ("audio/", "video/mp4", "application/ogg"),
    "video": ("video/",),
    "document": ("application/pdf", "image/jpeg", "image/png", "text/plain", "application/msword", "application/vnd."),
}
DANGEROUS = ("application/vnd.microsoft.portable-executable", "application/vnd.android.package-archive")
LEASE = timedelta(minutes=15)  # of a download
PAUSES = (5, 15, 60, 300, 900, 3600, 3600, 3600)  # seconds after each try that failed
FOLDER = "received"
UNSAID = ""  # in the place of a message's id: the file was uploaded, and is part of no message yet


class FileRefused(Exception):
    """A file that is too large, or not what it says."""


@dataclass(frozen=True)
class Due:
    """A file to be downloaded now, leased to us."""

    id: int
    provider_id: str
    kind: str
    promised_hash: str | None
    tries: int

    @property
    def most_bytes(self) -> int:
        return MOST.get(self.kind, min(MOST.values())) * MEGABYTE


def next_due(session: Session, channel: str, now: datetime) -> Due | None:
    """The file that has waited longest, leased to us; what a dead process was downloading, after its lease."""
    is_due = or_(ReceivedFile.next_try_at.is_(None), ReceivedFile.next_try_at <= now)
    waits = and_(ReceivedFile.channel == channel, ReceivedFile.state == "waiting", is_due)
    row = session.execute(
        select(ReceivedFile).where(waits).order_by(ReceivedFile.id).limit(1).with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    if row is None:
        return None
    row.tries, row.next_try_at = row.tries + 1, now + LEASE
    return Due(row.id, row.provider_id, row.kind, row.promised_hash, row.tries)


def keep(home: Path, due: Due, content: bytes) -> tuple[str, str]:
    """(SHA-256, type by its bytes) of the file that is now on disk. Raises FileRefused, OSError."""
    sha256 = hashlib.sha256(content).hexdigest()
    if due.promised_hash and due.promised_hash != sha256:
        raise FileRefused("its hash is another one than was said")
    mime_type = type_of(content)
    if not _may_be(due.kind, mime_type):
        raise FileRefused(f"a file of the kind {due.kind} may not be {mime_type}")
    _write(path_of(home, sha256), content)
    return sha256, mime_type


def keep_content(home: Path, content: bytes) -> str:
    """SHA-256 of a file that came whole, and is on disk now. Raises OSError."""
    sha256 = hashlib.sha256(content).hexdigest()
    _write(path_of(home, sha256), content)
    return sha256


def path_of(home: Path, sha256: str) -> Path:
    """Where a stored file is."""
    return home / below_home(sha256)


def below_home(sha256: str) -> str:
    """The same, from TENDERO_HOME on."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}"


def type_of(content: bytes) -> str:
    """By its bytes, whatever its name and its sender say."""
    try:
        return str(puremagic.from_string(content, mime=True)) or "application/octet-stream"
    except (puremagic.PureError, ValueError):
        return "text/plain" if _is_text(content) else "application/octet-stream"


def note_stored(session: Session, due: Due, sha256: str, mime_type: str, size: int) -> bool:
    """The download is done, whoever began it too. False where nobody wants it any more: it was erased, or taken back."""
    values = {"state": "stored", "sha256": sha256, "mime_type": mime_type, "size": size, "error": None, "next_try_at": None}
    waits = update(ReceivedFile).where(ReceivedFile.id == due.id, ReceivedFile.state == "waiting")
    return bool(session.execute(waits.values(**values).execution_options(synchronize_session=False)).rowcount)


def is_wanted(session: Session, sha256: str) -> bool:
    """Whether any message has this file."""
    return session.execute(select(ReceivedFile.id).where(ReceivedFile.sha256 == sha256).limit(1)).first() is not None


def take_back(session: Session, channel: str, sender_id: str, message_id: str) -> None:
    """The files of a message that its sender has deleted: they are not fetched, and are evidence of nothing."""
    theirs = (ReceivedFile.channel == channel, ReceivedFile.sender_id == sender_id, ReceivedFile.message_id == message_id)
    gone = update(ReceivedFile).where(*theirs).values(state="failed", error="deleted by its sender", next_try_at=None)
    session.execute(gone.execution_options(synchronize_session=False))


def note_failure(session: Session, due: Due, error: str, now: datetime, for_good: bool = False) -> None:
    """This try failed; the next one comes after a pause, or none any more."""
    if for_good or due.tries > len(PAUSES):
        _note(session, due, state="failed", error=error[:300], next_try_at=None)
    else:
        _note(session, due, error=error[:300], next_try_at=now + timedelta(seconds=PAUSES[due.tries - 1]))


def _note(session: Session, due: Due, **values: object) -> None:
    ours = update(ReceivedFile).where(ReceivedFile.id == due.id, ReceivedFile.tries == due.tries, ReceivedFile.state == "waiting")
    session.execute(ours.values(**values).execution_options(synchronize_session=False))


def _may_be(kind: str, mime_type: str) -> bool:
    return mime_type.startswith(KINDS.get(kind, ())) and mime_type not in DANGEROUS


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _write(file: Path, content: bytes) -> None:
    if _is_there(file):
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
    draft.replace(file)


def _is_there(file: Path) -> bool:
    """If so, it is wanted again, and housekeeping sees that by its date."""
    try:
        os.utime(file)
    except FileNotFoundError:
        return False
    return True
