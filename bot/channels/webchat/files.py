"""STUB until branch server-b is merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf")
LARGEST = 10 * 1024 * 1024


class UnknownFile(Exception):
    pass


@dataclass(frozen=True)
class StoredFile:
    id: str
    name: str
    type: str
    size: int


def address(path_or_id: str, now: datetime) -> str:
    return path_or_id


def attach(session: Session, visitor_id: str, ids: Sequence[str], message_id: str, now: datetime) -> list[dict[str, Any]]:
    raise UnknownFile(ids[0])


def command_for(files: Iterable[dict[str, Any]]) -> str:
    return "/share_picture"
