"""Signing in by name and password, and how often it may be tried.

A try is counted, and kept, before the password is looked at: many at the same moment, in several processes, are no way around.

SignInRefused    `code`: wrong (whatever it was), too_many (`after`: seconds)
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from database import home_folder, transaction
from desk import accounts, audit, passwords, sessions
from desk.models import Agent, SignInAttempt
from desk.sessions import SignedIn
from messaging.secret import secret_key
from messaging.writes import one_at_a_time

WINDOW = timedelta(minutes=15)
TRIES_OF_NAME = 10  # that failed in the window, since it last worked: from wherever they come
TRIES_OF_ADDRESS = 50  # that failed in the window: an address is an office


class SignInRefused(Exception):
    """after: seconds, until it may be tried again."""

    def __init__(self, code: Literal["wrong", "too_many"], after: float = 0.0) -> None:
        super().__init__(code)
        self.code, self.after = code, after


def sign_in(name: str, password: str, address: str, browser: str, now: datetime) -> SignedIn:
    """A session for whoever has this name and password. address: of the browser. Raises SignInRefused.

    In short transactions of its own: what is refused is kept, too, and hashing holds no lock.
    """
    attempt_id, agent = _begin(name, address, now)
    fits = passwords.fits(agent.password_hash if agent else None, password)
    with transaction() as session:
        agent = session.get(Agent, agent.id) if agent else None
        if agent is None or not fits or not agent.is_active:
            _note_refused(session, agent, address, now)
            is_refused = True
        else:
            is_refused = False
            _note_worked(session, attempt_id)
            if passwords.is_outdated(agent.password_hash):
                agent.password_hash = passwords.hashed(password)
            signed_in = sessions.open_session(session, agent, "password", browser, now)
            audit.note(session, signed_in.me, "signed_in", details={"via": "password", "from": _short(address)}, now=now)
    if is_refused:
        raise SignInRefused("wrong")
    return signed_in


def has_password(agent_id: int, password: str, address: str, now: datetime) -> bool:
    """Whether it is the password of one who is signed in; tries count as those to sign in. Raises SignInRefused (too_many)."""
    with transaction(is_optimistic=True) as session:
        name = str(session.get(Agent, agent_id).sign_in_name)
    attempt_id, agent = _begin(name, address, now)
    if agent is None or not passwords.fits(agent.password_hash, password):
        return False
    with transaction() as session:
        _note_worked(session, attempt_id)
    return True


def _begin(name: str, address: str, now: datetime) -> tuple[int, Agent | None]:
    """Count this try; whose it would be. Raises SignInRefused (too_many): then it does not count, and nothing is looked at."""
    by_name, by_address = _keyed(f"name:{accounts.folded(name)}"), _keyed(f"address:{address}")
    with transaction() as session:
        one_at_a_time(session, f"sign-in:{by_name}", f"sign-in:{by_address}")
        if wait := max(_wait_of_name(session, by_name, now), _wait_of_address(session, by_address, now)):
            raise SignInRefused("too_many", wait)
        attempt = SignInAttempt(name_hash=by_name, address_hash=by_address, has_worked=False, at=now)
        session.add(attempt)
        session.flush()
        return int(attempt.id), accounts.by_sign_in_name(session, name)


def _wait_of_name(session: Session, by_name: str, now: datetime) -> float:
    worked = select(func.max(SignInAttempt.at)).where(SignInAttempt.name_hash == by_name, SignInAttempt.has_worked.is_(True))
    since = session.execute(worked).scalar_one_or_none()
    failed = [SignInAttempt.name_hash == by_name, *([SignInAttempt.at > since] if since else [])]
    return _wait(session, failed, TRIES_OF_NAME, now)


def _wait_of_address(session: Session, by_address: str, now: datetime) -> float:
    return _wait(session, [SignInAttempt.address_hash == by_address], TRIES_OF_ADDRESS, now)


def _wait(session: Session, whose: list[Any], most: int, now: datetime) -> float:
    """Seconds until one of the newest `most` that failed is old; 0 where there are fewer."""
    failed = select(SignInAttempt.at).where(*whose, SignInAttempt.has_worked.is_(False), SignInAttempt.at > now - WINDOW)
    newest = list(session.execute(failed.order_by(SignInAttempt.at.desc()).limit(most)).scalars())
    return max((newest[-1] + WINDOW - now).total_seconds(), 1.0) if len(newest) == most else 0.0


def _note_worked(session: Session, attempt_id: int) -> None:
    session.execute(update(SignInAttempt).where(SignInAttempt.id == attempt_id).values(has_worked=True))


def _note_refused(session: Session, agent: Agent | None, address: str, now: datetime) -> None:
    """A name that is nobody's is not kept: it may be a password, typed into the wrong field."""
    why = "wrong" if agent is not None and agent.is_active else "nobodys" if agent is None else "not_active"
    details = {"via": "password", "why": why, "from": _short(address)}
    audit.note(session, agent.name if agent else "", "sign_in_refused", details=details, now=now)


def _short(address: str) -> str:
    """By which one address is told from another, without saying it."""
    return _keyed(f"address:{address}")[:12]


def _keyed(text: str) -> str:
    return hmac.new(secret_key(home_folder()), f"desk-sign-in-{text}".encode(), hashlib.sha256).hexdigest()
