"""One-time codes that prove who writes: six digits, for ten minutes, once, with five tries.

Nothing here tells whether anybody has the address: a request for an unknown one leaves the same row, counts for the same
limits and gives the same answers; only no mail goes out and no code ever fits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from messaging.masking import CODE_MARK
from messaging.models import CodeRequest
from messaging.writes import one_at_a_time

CODE_LIFETIME = timedelta(minutes=10)
MOST_TRIES = 5
PROOF, CONFIRMATION = "code", "confirmation"  # what a code is for: one never fits where the other is asked for
KEPT = timedelta(days=1)  # the longest window of the limits

SIX_DIGITS = re.compile(r"(?<!\d)\d(?:[ .-]?\d){5}(?!\d)")


@dataclass(frozen=True)
class Limit:
    """At most `most` requests in `window`, counted by this column."""

    column: Any
    most: int
    window: timedelta


LIMITS = (
    Limit(CodeRequest.sender_id, 3, timedelta(minutes=15)),
    Limit(CodeRequest.contact_hash, 5, timedelta(hours=1)),
    Limit(CodeRequest.sender_id, 10, timedelta(days=1)),
)


@dataclass(frozen=True)
class Requested:
    """code: to be mailed, and to nobody else; None when limited or when nobody has the address: then mail nothing."""

    code: str | None = field(repr=False)  # a log line must not show it
    status: Literal["sent", "limited"]


@dataclass(frozen=True)
class Checked:
    customer_id: int | None  # only when ok; never for a confirmation
    status: Literal["ok", "wrong", "expired", "used", "too_many_tries", "none"]


def request_code(session: Session, sender_id: str, contact: str, customer_id: int | None, now: datetime, key: bytes) -> Requested:
    """Make a code for this sender; it takes the place of the sender's earlier ones.

    contact: normalised e-mail or phone, stored only as a keyed hash. customer_id: None when nobody has it.
    """
    return request_code_at(session, sender_id, hash_contact(contact, key), customer_id, now, key)


def request_code_at(
    session: Session, sender_id: str, contact_hash: str, customer_id: int | None, now: datetime, key: bytes
) -> Requested:
    """The same for an address of which only the keyed hash was kept."""
    return _request(session, sender_id, contact_hash, customer_id, now, key, PROOF if customer_id is not None else None)


def request_confirmation(session: Session, sender_id: str, contact: str, now: datetime, key: bytes) -> Requested:
    """A code by which whoever reads this address says yes to something: customer or not, and it proves nothing else."""
    return _request(session, sender_id, hash_contact(contact, key), None, now, key, CONFIRMATION)


def _request(
    session: Session, sender_id: str, contact_hash: str, customer_id: int | None, now: datetime, key: bytes, purpose: str | None
) -> Requested:
    """purpose: None where no code may fit."""
    one_at_a_time(session, f"code:{sender_id}", f"code:{contact_hash}")
    if any(_is_reached(session, limit, sender_id, contact_hash, now) for limit in LIMITS):
        return Requested(None, "limited")
    _close_earlier(session, sender_id, now)
    request_id, code = str(uuid.uuid4()), f"{secrets.randbelow(10**6):06d}"
    fitting = code if purpose is not None else secrets.token_hex(16)  # is no six digits: nothing typed can fit
    session.add(
        CodeRequest(
            id=request_id,
            sender_id=sender_id,
            contact_hash=contact_hash,
            customer_id=customer_id,
            code_hash=_keyed(key, purpose or PROOF, request_id, fitting),
            created_at=now,
            expires_at=now + CODE_LIFETIME,
            tries=0,
        )
    )
    session.flush()
    return Requested(code if purpose is not None else None, "sent")


def check_code(session: Session, sender_id: str, text: str, now: datetime, key: bytes) -> Checked:
    """Compare the six digits in the text with the sender's newest code. Each six digits cost a try; commit in any case.

    The status depends on time and tries only, never on whether the address is somebody's (`used` follows only an `ok`).
    """
    checked = _check(session, _newest(session, sender_id), sender_id, text, now, key, PROOF)
    return Checked(None, "wrong") if checked.status == "ok" and checked.customer_id is None else checked


def check_confirmation(session: Session, sender_id: str, contact: str, text: str, now: datetime, key: bytes) -> Checked:
    """The same for the code that this address was sent to confirm something; `ok` names no customer."""
    newest = _newest(session, sender_id)
    is_its_own = newest is not None and newest.contact_hash == hash_contact(contact, key)
    return _check(session, newest if is_its_own else None, sender_id, text, now, key, CONFIRMATION)


def _check(
    session: Session, newest: CodeRequest | None, sender_id: str, text: str, now: datetime, key: bytes, purpose: str
) -> Checked:
    if newest is None:
        return Checked(None, "none")
    digits = find_code(text)
    if digits is None:
        return Checked(None, _why_closed(newest, now) or "wrong")
    if not _take_try(session, newest.id, now):
        return Checked(None, _why_closed(_newest(session, sender_id), now) or "too_many_tries")
    if not hmac.compare_digest(newest.code_hash, _keyed(key, purpose, newest.id, digits)):
        return Checked(None, "wrong")
    return Checked(newest.customer_id, "ok") if _use(session, newest.id, now) else Checked(None, "used")


def find_code(text: str) -> str | None:
    """The first six digits in the text ("123 456", "1-2-3-4-5-6"), or None."""
    match = SIX_DIGITS.search(text[:1000])
    return "".join(str(unicodedata.digit(sign)) for sign in match[0] if sign.isdigit()) if match else None


def hash_contact(contact: str, key: bytes) -> str:
    """The keyed hash under which requests for this address are counted."""
    return _keyed(key, "contact", contact.strip().lower())


def purge(session: Session, now: datetime) -> int:
    """Delete the requests that no limit counts any more; how many there were."""
    old = delete(CodeRequest).where(CodeRequest.created_at < now - KEPT)
    return int(session.execute(old.execution_options(synchronize_session=False)).rowcount)


def without_codes(text: str) -> str:
    """What somebody wrote who was asked for a code, for people to read: any six digits in it may be one."""
    return SIX_DIGITS.sub(CODE_MARK, text)


def asked_for(session: Session, sender_ids: Collection[str]) -> list[tuple[str, datetime, datetime]]:
    """(sender_id, from, until): when a code was looked for in what these wrote, as far as requests are kept."""
    requests = select(CodeRequest.sender_id, CodeRequest.created_at, CodeRequest.expires_at)
    found = session.execute(requests.where(CodeRequest.sender_id.in_(sender_ids)))
    return [(each.sender_id, each.created_at, each.expires_at) for each in found]


def _is_reached(session: Session, limit: Limit, sender_id: str, contact_hash: str, now: datetime) -> bool:
    value = sender_id if limit.column is CodeRequest.sender_id else contact_hash
    requests = (
        select(func.count()).select_from(CodeRequest).where(limit.column == value, CodeRequest.created_at > now - limit.window)
    )
    return bool(session.execute(requests).scalar_one() >= limit.most)


def _close_earlier(session: Session, sender_id: str, now: datetime) -> None:
    earlier = update(CodeRequest).where(CodeRequest.sender_id == sender_id, CodeRequest.expires_at > now)
    session.execute(earlier.values(expires_at=now).execution_options(synchronize_session=False))


def _newest(session: Session, sender_id: str) -> CodeRequest | None:
    return session.execute(
        select(CodeRequest)
        .where(CodeRequest.sender_id == sender_id)
        .order_by(CodeRequest.created_at.desc(), CodeRequest.expires_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def _why_closed(request: CodeRequest | None, now: datetime) -> Literal["expired", "used", "too_many_tries"] | None:
    if request is None or request.expires_at <= now:
        return "expired"
    if request.used_at is not None:
        return "used"
    return "too_many_tries" if request.tries >= MOST_TRIES else None


def _take_try(session: Session, request_id: str, now: datetime) -> bool:
    # One statement counts and checks: of any number of simultaneous guesses, five are looked at.
    taken = (
        update(CodeRequest)
        .where(CodeRequest.id == request_id, CodeRequest.tries < MOST_TRIES)
        .where(CodeRequest.used_at.is_(None), CodeRequest.expires_at > now)
        .values(tries=CodeRequest.tries + 1)
    )
    return _changed_one(session, taken)


def _use(session: Session, request_id: str, now: datetime) -> bool:
    used = update(CodeRequest).where(CodeRequest.id == request_id, CodeRequest.used_at.is_(None)).values(used_at=now)
    return _changed_one(session, used)


def _changed_one(session: Session, statement: Any) -> bool:
    return bool(session.execute(statement.execution_options(synchronize_session=False)).rowcount == 1)


def _keyed(key: bytes, *parts: str) -> str:
    return hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()
