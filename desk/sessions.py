"""Signed-in browsers: each keeps a random token, of which the database has only the hash."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database import transaction
from desk.models import Agent, AgentSession
from desk.permissions import PERMISSIONS, Me
from desk.rules import kept_rules

IDLE = timedelta(hours=12)  # a session that is not used for so long has ended
LONGEST = timedelta(days=7)  # and so has one that is used
SEEN_AGAIN = timedelta(minutes=5)  # between two notes of when it was used
LONGEST_BROWSER = 120
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class SignedIn:
    """token: for the browser's cookie; it is kept nowhere else."""

    token: str
    me: Me


def open_session(session: Session, agent: Agent, via: str, browser: str, now: datetime) -> SignedIn:
    """A new session of this agent. via: password | oidc. browser: as it calls itself."""
    token = secrets.token_urlsafe(32)
    row = AgentSession(
        agent_id=agent.id,
        token_hash=_hash(token),
        via=via,
        browser=browser[:LONGEST_BROWSER],
        created_at=now,
        seen_at=now,
        expires_at=now + IDLE,
    )
    session.add(row)
    session.flush()
    return SignedIn(token, _me(agent, row.id))


def me_of(session: Session, token: str, now: datetime) -> Me | None:
    """Whose token this is, as they are now. None, without a reason: nobody is signed in by it."""
    row = _row(session, token, now)
    return None if row is None else _me(row.Agent, row.AgentSession.id)


def those_open(session: Session, session_ids: Collection[int], now: datetime) -> dict[int, Me]:
    """Of these sessions, by id, those that still open the desk, and for whom, as they are now."""
    query = select(AgentSession, Agent).join(Agent, Agent.id == AgentSession.agent_id)
    those = query.where(AgentSession.id.in_(session_ids), Agent.is_active.is_(True), *_is_open(now))
    rows = session.execute(those.execution_options(populate_existing=True))
    return {row.AgentSession.id: _me(row.Agent, row.AgentSession.id) for row in rows}


def visit(token: str, now: datetime) -> Me | None:
    """`me_of`, and the session goes on for another 12 hours; with short transactions of its own.

    Sockets do so from time to time: a session that is ended, or a role that is changed, is so for them, too."""
    with transaction(is_optimistic=True) as session:
        row = _row(session, token, now)
        if row is None:
            return None
        me, used = _me(row.Agent, row.AgentSession.id), row.AgentSession
        if now - used.seen_at < SEEN_AGAIN:
            return me
        until = min(now + IDLE, used.created_at + LONGEST)
    with transaction() as session:
        still = update(AgentSession).where(AgentSession.id == me.session_id, AgentSession.revoked_at.is_(None))
        session.execute(still.values(seen_at=now, expires_at=until).execution_options(synchronize_session=False))
    return me


def end(session: Session, session_id: int, agent_id: int, now: datetime) -> bool:
    """End one session of this agent. False: they have none of this id that is open."""
    return _end(session, now, AgentSession.id == session_id, AgentSession.agent_id == agent_id) > 0


def end_all(session: Session, agent_id: int, now: datetime, but: int | None = None) -> int:
    """End the agent's sessions, but this one; how many there were."""
    others = [AgentSession.id != but] if but is not None else []
    return _end(session, now, AgentSession.agent_id == agent_id, *others)


def open_sessions(session: Session, agent_id: int, now: datetime) -> list[AgentSession]:
    """The agent's sessions that open the desk, the one used last first."""
    query = select(AgentSession).where(AgentSession.agent_id == agent_id, *_is_open(now))
    return list(session.execute(query.order_by(AgentSession.seen_at.desc(), AgentSession.id.desc())).scalars())


def _row(session: Session, token: str, now: datetime) -> Any:
    if not TOKEN.fullmatch(token):
        return None
    query = select(AgentSession, Agent).join(Agent, Agent.id == AgentSession.agent_id)
    named = query.where(AgentSession.token_hash == _hash(token), Agent.is_active.is_(True), *_is_open(now))
    return session.execute(named.execution_options(populate_existing=True)).one_or_none()


def _is_open(now: datetime) -> tuple[Any, ...]:
    return (AgentSession.revoked_at.is_(None), AgentSession.expires_at > now)


def _end(session: Session, now: datetime, *which: Any) -> int:
    ended = update(AgentSession).where(*which, *_is_open(now)).values(revoked_at=now)
    return int(session.execute(ended.execution_options(synchronize_session=False)).rowcount)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _me(agent: Agent, session_id: int) -> Me:
    return Me(
        id=agent.id,
        name=agent.name,
        role=agent.role,
        permissions=PERMISSIONS.get(agent.role, frozenset()),
        languages=tuple(agent.languages),
        queues=kept_rules().still_there(agent.queues),
        capacity=agent.capacity,
        status=agent.status,
        session_id=session_id,
    )
