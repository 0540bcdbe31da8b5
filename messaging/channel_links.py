"""STUB until branch memory is merged."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

CODE_LIFETIME = WINDOW = timedelta(minutes=15)


def offer(session: Session, sender_id: str, now: datetime) -> str | None:
    return "A7K2-9QPM"


def text_with(code: str, language: str) -> str:
    return code


def undo(session: Session, sender_id: str, now: datetime) -> bool:
    return False
