"""The shop's own sign-in, handed over by a short-lived JWT that the shop's server has signed (docs/webchat-sign-in.md).

SignInRefused    nobody is signed in by it; `why` is one of the protocol's: bad_jwt, old_jwt, used_jwt, not_configured
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

import jwt as pyjwt
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.channels.webchat import visitors
from bot.channels.webchat.settings import CHANNEL, WebChatSettings
from bot.channels.webchat.visitors import Visitor
from messaging import identities
from messaging.models import UsedSignIn, WebVisitor
from messaging.writes import insert_once, one_at_a_time

AUDIENCE = "tendero-webchat"
CLAIMS = ("sub", "iat", "exp", "aud", "jti")
LONGEST_LIFE = timedelta(minutes=10)
LEEWAY = timedelta(seconds=30)  # by which the shop's clock may differ from ours
LASTS = identities.PROOF_LIFETIME  # as the proof by a one-time code
LONGEST_JWT = 4096
LONGEST_NUMBER = 64

Why = Literal["bad_jwt", "old_jwt", "used_jwt", "not_configured"]


class SignInRefused(Exception):
    """It says what is wrong in the protocol's word only: nothing of the token."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class _SignIn:
    number: str  # of the customer
    id: str  # hash of what makes it this one
    expires_at: datetime


def show(session: Session, visitor: Visitor, jwt: str, settings: WebChatSettings, now: datetime) -> Visitor:
    """Whoever writes is the customer that the JWT names. Raises SignInRefused.

    The conversation goes on, unless it is another customer's: then a new visitor begins, and the one before can be opened only as
    long as this JWT can be shown again, in case the answer is lost. The same JWT shown again by the same visitor changes nothing.
    """
    shown = _read(jwt, settings, now)
    one_at_a_time(session, f"sign-in:{shown.id}")
    used_by = _visitor_of(session, shown.id)
    if used_by is not None:
        return _again(session, visitor, shown, used_by, now)
    row = session.execute(
        select(WebVisitor)
        .where(WebVisitor.sender_id == visitor.sender_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    whose = visitor
    if row.customer not in (None, shown.number):
        whose = visitors.begin(session, row.origin, row.language, now)
        _note_used(session, _by(shown, visitor), whose, shown)
        _end(session, visitor, now, revoked_at=shown.expires_at)
    _note_used(session, shown.id, whose, shown)
    theirs = update(WebVisitor).where(WebVisitor.sender_id == whose.sender_id)
    signed_in = theirs.values(customer=shown.number, customer_until=now + LASTS)
    session.execute(signed_in.execution_options(synchronize_session=False))
    return visitors.current(session, whose.sender_id, now) or whose


def id_of(jwt: str, settings: WebChatSettings, now: datetime) -> str:
    """Names this sign-in: the same for the same JWT, unlike that of any other. Raises SignInRefused."""
    return _read(jwt, settings, now).id


def end(session: Session, visitor: Visitor, now: datetime) -> Visitor:
    """The shopper has signed out of the shop: nothing is proven here any more, and a new visitor begins in place of this one."""
    origin = session.execute(select(WebVisitor.origin).where(WebVisitor.sender_id == visitor.sender_id)).scalar_one()
    _end(session, visitor, now, revoked_at=now)
    return visitors.begin(session, origin, visitor.language, now)


def _end(session: Session, visitor: Visitor, now: datetime, revoked_at: datetime) -> None:
    identities.forget(session, CHANNEL, visitor.sender_id, now)
    visitors.revoke(session, visitor.sender_id, revoked_at)


def _again(session: Session, visitor: Visitor, shown: _SignIn, used_by: str, now: datetime) -> Visitor:
    if used_by == visitor.sender_id:
        return visitor
    led_to = _visitor_of(session, _by(shown, visitor))
    whose = visitors.current(session, led_to, now) if led_to else None
    if whose is None:
        raise SignInRefused("used_jwt")
    return whose


# Used ones


def _by(shown: _SignIn, visitor: Visitor) -> str:
    """Names the new visitor that this sign-in made of that one."""
    return _hash(f"{shown.id}:{visitor.sender_id}")


def _visitor_of(session: Session, name: str) -> str | None:
    return session.execute(select(UsedSignIn.sender_id).where(UsedSignIn.name == name)).scalar_one_or_none()


def _note_used(session: Session, name: str, whose: Visitor, shown: _SignIn) -> None:
    insert_once(session, UsedSignIn, {"name": name, "sender_id": whose.sender_id, "expires_at": shown.expires_at})


# Reading


def _read(jwt: str, settings: WebChatSettings, now: datetime) -> _SignIn:
    if not settings.jwt_secret:
        raise SignInRefused("not_configured")
    claims = _claims(jwt, settings.jwt_secret)
    issued, expires = _instant(claims["iat"]), _instant(claims["exp"])
    number, id = claims["sub"], claims["jti"]
    if not isinstance(number, str) or not 0 < len(number.strip()) <= LONGEST_NUMBER or not isinstance(id, str) or not id.strip():
        raise SignInRefused("bad_jwt")
    if "nbf" in claims and _instant(claims["nbf"]) > now + LEEWAY:
        raise SignInRefused("bad_jwt")
    if issued > now + LEEWAY or expires > now + LONGEST_LIFE + LEEWAY or expires - issued > LONGEST_LIFE + LEEWAY:
        raise SignInRefused("bad_jwt")
    if expires + LEEWAY <= now:
        raise SignInRefused("old_jwt")
    return _SignIn(number.strip(), _hash(id), expires + LEEWAY)


def _claims(jwt: str, secret: str) -> dict[str, Any]:
    # The times are compared with our `now`, above.
    checked_here: Any = {"require": list(CLAIMS), "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        if len(jwt) > LONGEST_JWT:
            raise SignInRefused("bad_jwt")
        claims: dict[str, Any] = pyjwt.decode(jwt, secret, algorithms=["HS256"], audience=AUDIENCE, options=checked_here)
    except (pyjwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise SignInRefused("bad_jwt") from None  # its words may quote the token
    return claims


def _instant(value: Any) -> datetime:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < 2**33:  # nor is "NaN" between the two, which is a number to Python
        raise SignInRefused("bad_jwt")
    return datetime.fromtimestamp(value, timezone.utc)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
