"""The outbox folder, read back: what `tendero outbox` shows."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path


@dataclass(frozen=True)
class SavedMail:
    """A mail as it stands in the outbox folder."""

    path: Path
    at: str  # RFC 5322 date
    recipient: str
    subject: str
    body: str
    attachments: tuple[str, ...]  # file names


def newest(folder: Path, count: int) -> list[SavedMail]:
    """The newest `count` mails of an outbox folder, newest first."""
    files = sorted(folder.glob("*.eml"), key=lambda file: file.name, reverse=True)
    return [_read(file) for file in files[: max(count, 0)]]


def _read(file: Path) -> SavedMail:
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    return SavedMail(
        path=file,
        at=str(message["Date"] or ""),
        recipient=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        body=body.get_content().replace("\r\n", "\n") if body else "",
        attachments=tuple(part.get_filename() or "" for part in message.iter_attachments()),
    )
