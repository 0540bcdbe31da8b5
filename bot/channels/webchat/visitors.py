"""Who writes in the web chat: a browser keeps a token that we signed, for one conversation, one origin and one generation.

A token older than a day is replaced by the next generation's. The one before holds until the new one was shown to us, since its
answer may have been lost, and an hour longer, for requests that are under way.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database import home_folder
from messaging.models import WebVisitor
from messaging.secret import secret_key
from messaging.web_visitors import end_sign_in

ROTATED_AFTER = timedelta(days=1)
HELD_ON = timedelta(hours=1)  # the token before, once the new one was shown
SEEN_AGAIN = timedelta(hours=1)  # between two notes of when somebody was seen
LONGEST_TOKEN = 200

_TOKEN = re.compile(r"([A-Za-z0-9_-]{24})\.([1-9]\d{0,8})\.([0-9a-f]{64})")


@dataclass(frozen=True)
class Visitor:
    """customer: the number of the customer whom the shop's sign-in vouches for now. read_seq: what the shop has read."""

    sender_id: str
    token_to_keep: str
    customer: str | None
    read_seq: int
    language: str


def begin(session: Session, origin: str, language: str, now: datetime) -> Visitor:
    """A new visitor. origin: of the page, as `origins.origin_of` has it; the token is good there only."""
    row = WebVisitor(
        sender_id=f"web-{secrets.token_urlsafe(18)}",
        origin=origin,
        generation=1,
        rotated_at=now,
        language=language[:5],
        read_seq=0,
        created_at=now,
        seen_at=now,
    )
    session.add(row)
    session.flush()
    return _visitor(row, now)


def resume(session: Session, token: str, origin: str, now: datetime) -> Visitor | None:
    """Whose token this is, with the one to keep from now on. None, without a reason: it opens nothing here."""
    named = _named(token, origin)
    row = _row(session, named[0]) if named else None
    if named is None or row is None or not _holds(row, named[1], origin, now):
        return None
    if _has_news(row, named[1], now):
        row = _row(session, named[0], to_write=True)
        if row is None or not _holds(row, named[1], origin, now):
            return None
        _note(row, named[1], now)
        session.flush()
    return _visitor(row, now)


def known(session: Session, token: str, origin: str, now: datetime) -> str | None:
    """The `sender_id` that this token opens; nothing is written, and no new token given."""
    named = _named(token, origin)
    row = _row(session, named[0]) if named else None
    return str(row.sender_id) if named and row is not None and _holds(row, named[1], origin, now) else None


def current(session: Session, sender_id: str, now: datetime) -> Visitor | None:
    """The visitor as they are now, by name; None where they are no more."""
    row = _row(session, sender_id)
    return None if row is None or _is_revoked(row, now) else _visitor(row, now)


def revoke(session: Session, sender_id: str, now: datetime) -> None:
    """No token opens this conversation from `now` on, and the shop's sign-in proves nothing in it any more."""
    end_sign_in(session, sender_id, now)
    ended = update(WebVisitor).where(WebVisitor.sender_id == sender_id, WebVisitor.revoked_at.is_(None)).values(revoked_at=now)
    session.execute(ended.execution_options(synchronize_session=False))


def public_name(sender_id: str) -> str:
    """By which a page knows its conversation from another; it opens nothing."""
    return _keyed(f"webchat-conversation:{sender_id}")[:32]


# Tokens


def _token(sender_id: str, generation: int, origin: str) -> str:
    return f"{sender_id.removeprefix('web-')}.{generation}.{_signature(sender_id, generation, origin)}"


def _named(token: str, origin: str) -> tuple[str, int] | None:
    """(sender_id, generation) of a token that we signed for this origin."""
    parts = _TOKEN.fullmatch(token) if len(token) <= LONGEST_TOKEN else None
    if parts is None:
        return None
    sender_id, generation = f"web-{parts[1]}", int(parts[2])
    return (sender_id, generation) if hmac.compare_digest(parts[3], _signature(sender_id, generation, origin)) else None


def _signature(sender_id: str, generation: int, origin: str) -> str:
    return _keyed(f"webchat-visitor:{sender_id}:{generation}:{origin}")


def _keyed(text: str) -> str:
    return hmac.new(secret_key(home_folder()), text.encode(), hashlib.sha256).hexdigest()


# Rows


def _row(session: Session, sender_id: str, to_write: bool = False) -> WebVisitor | None:
    query = select(WebVisitor).where(WebVisitor.sender_id == sender_id).execution_options(populate_existing=True)
    return session.execute(query.with_for_update() if to_write else query).scalar_one_or_none()


def _holds(row: WebVisitor, generation: int, origin: str, now: datetime) -> bool:
    if _is_revoked(row, now) or row.origin != origin:
        return False
    is_before = generation == row.generation - 1
    may_be_lost = row.confirmed_at is None or now < row.confirmed_at + HELD_ON
    return generation == row.generation or (is_before and may_be_lost)


def _is_revoked(row: WebVisitor, now: datetime) -> bool:
    return row.revoked_at is not None and row.revoked_at <= now


def _has_news(row: WebVisitor, generation: int, now: datetime) -> bool:
    return _is_shown_first(row, generation) or _is_old(row, generation, now) or now - row.seen_at >= SEEN_AGAIN


def _note(row: WebVisitor, generation: int, now: datetime) -> None:
    row.seen_at = now
    if _is_shown_first(row, generation):
        row.confirmed_at = now
    elif _is_old(row, generation, now):
        row.generation, row.rotated_at, row.confirmed_at = row.generation + 1, now, None


def _is_shown_first(row: WebVisitor, generation: int) -> bool:
    return bool(generation == row.generation and row.confirmed_at is None)


def _is_old(row: WebVisitor, generation: int, now: datetime) -> bool:
    """Never in the hour in which the token before holds on: it would end too soon."""
    is_settled = row.confirmed_at is not None and now - row.confirmed_at >= HELD_ON
    return bool(generation == row.generation and is_settled and now - row.rotated_at >= ROTATED_AFTER)


def _visitor(row: WebVisitor, now: datetime) -> Visitor:
    is_signed_in = row.customer is not None and row.customer_until is not None and row.customer_until > now
    token = _token(row.sender_id, row.generation, row.origin)
    return Visitor(row.sender_id, token, row.customer if is_signed_in else None, row.read_seq, row.language)
