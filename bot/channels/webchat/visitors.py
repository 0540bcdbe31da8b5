"""STUB until branch server-b is merged."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from database import home_folder
from messaging.models import WebVisitor
from messaging.secret import secret_key


@dataclass(frozen=True)
class Visitor:
    sender_id: str
    token_to_keep: str
    customer: str | None
    read_seq: int
    language: str


def resume(session: Session, token: str, origin: str, now: datetime) -> Visitor | None:
    sender_id, _, _mark = token.rpartition(".")
    row = session.get(WebVisitor, sender_id) if token == _token(sender_id) else None
    if row is None or row.revoked_at is not None or row.origin != origin:
        return None
    return Visitor(sender_id, token, row.customer, row.read_seq, row.language)


def begin(session: Session, origin: str, language: str, now: datetime) -> Visitor:
    sender_id = f"web-{secrets.token_urlsafe(18)}"
    session.add(WebVisitor(sender_id=sender_id, origin=origin, rotated_at=now, language=language, created_at=now, seen_at=now))
    session.flush()
    return Visitor(sender_id, _token(sender_id), None, 0, language)


def current(session: Session, sender_id: str, now: datetime) -> Visitor | None:
    row = session.get(WebVisitor, sender_id, populate_existing=True)
    if row is None or row.revoked_at is not None:
        return None
    return Visitor(sender_id, _token(sender_id), row.customer, row.read_seq, row.language)


def revoke(session: Session, sender_id: str, now: datetime) -> None:
    session.execute(update(WebVisitor).where(WebVisitor.sender_id == sender_id).values(revoked_at=now))


def public_name(sender_id: str) -> str:
    return _mark(f"conversation:{sender_id}")


def _token(sender_id: str) -> str:
    return f"{sender_id}.{_mark(sender_id)}"


def _mark(text: str) -> str:
    return hmac.new(secret_key(home_folder()), f"visitor:{text}".encode(), hashlib.sha256).hexdigest()[:32]
