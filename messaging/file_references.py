"""Files that came with messages, named by references: these hold from the moment a file is announced, before it is downloaded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from messaging.models import ReceivedFile
from messaging.received_files import UNSAID, below_home

PICTURES = ("image", "video", "document")  # the kinds that show something
KINDS = (*PICTURES, "voice", "audio")  # all but stickers, which say nothing
_REFERENCE = "received:"


def reference(file: ReceivedFile | Row) -> str:
    return f"{_REFERENCE}{file.id}"


def since(session: Session, sender_id: str, begin: datetime, kinds: Collection[str], limit: int) -> list[ReceivedFile]:
    """The conversation's newest files from that instant on, the oldest of them first.

    Without those that cannot be had, and those that were uploaded and are not part of a message."""
    found = (
        select(ReceivedFile)
        .where(ReceivedFile.sender_id == sender_id, ReceivedFile.received_at >= begin)
        .where(ReceivedFile.kind.in_(kinds), ReceivedFile.state != "failed", ReceivedFile.message_id != UNSAID)
        .order_by(ReceivedFile.id.desc())
        .limit(limit)
    )
    return list(session.execute(found).scalars())[::-1]


def referred(session: Session, references: Iterable[str]) -> dict[str, ReceivedFile]:
    """The files by reference; one that was erased is not among them, nor is what is no reference."""
    ids = [int(number) for each in references if (number := each.removeprefix(_REFERENCE)) != each and number.isdigit()]
    found = session.execute(select(ReceivedFile).where(ReceivedFile.id.in_(ids))).scalars() if ids else []
    return {reference(file): file for file in found}


def references_in(value: Any) -> set[str]:
    """All that are anywhere in a value as JSON has them."""
    if isinstance(value, str):
        return {value} if value.startswith(_REFERENCE) else set()
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return {each for part in inner for each in references_in(part)}


def erase(session: Session, references: Iterable[str]) -> list[str]:
    """Forget these files. The paths, below TENDERO_HOME, of what is to be deleted: nobody else has sent the same."""
    files = list(referred(session, references).values())
    ids = [file.id for file in files]
    hashes = {file.sha256 for file in files if file.sha256}
    session.execute(delete(ReceivedFile).where(ReceivedFile.id.in_(ids)).execution_options(synchronize_session=False))
    same = select(ReceivedFile.sha256).where(ReceivedFile.sha256.in_(hashes))
    return sorted(below_home(sha256) for sha256 in hashes - set(session.execute(same).scalars()))
