"""The people who answer shoppers: made, changed, and put out; never deleted, so that a name is never another's.

AccountError
+-- NoSuchAgent
+-- NameTaken     somebody has, or had, this name
+-- WrongValue    `field` cannot be this
+-- LastAdmin     nobody would be left who manages people
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desk import passwords, sessions
from desk.models import Agent
from desk.permissions import ROLES
from desk.rules import kept_rules
from messaging.labels import languages
from messaging.models import Handoff
from messaging.writes import one_at_a_time

LONGEST_NAME, LONGEST_SIGN_IN_NAME, MOST_CAPACITY = 64, 254, 100
NAME = re.compile(r"\w[\w .'’-]*")
SIGN_IN_NAME = re.compile(r"[^\s\x00-\x1f\x7f]+")
LIMITS = {
    "queues": "There is no queue {name!r} in data/policies/desk.yml, which has {known}.",
    "languages": "There is no language {name!r} in this shop, which has {known}.",
}
CHANGEABLE = frozenset({"sign_in_name", "role", "languages", "queues", "capacity", "is_active"})
THERE_FOR = timedelta(seconds=60)  # after a connection of theirs was seen: pages say something every 25 seconds


class AccountError(Exception):
    """Something about a person cannot be so; the message says it in words."""


class NoSuchAgent(AccountError):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no agent {name!r}.")


class NameTaken(AccountError):
    def __init__(self, field: str, name: str) -> None:
        super().__init__(f"{name!r} is, or was, somebody's name: a name is never given twice.")
        self.field = field


class WrongValue(AccountError):
    """known: what it could be, where these are names."""

    def __init__(self, field: str, words: str, known: Sequence[str] = ()) -> None:
        super().__init__(words)
        self.field, self.known = field, known


class LastAdmin(AccountError):
    def __init__(self) -> None:
        super().__init__("Nobody would be left who manages people: make somebody else admin first.")


def folded(sign_in_name: str) -> str:
    """As names for signing in are compared: however they are typed, in capitals or on another keyboard."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", sign_in_name).casefold()).strip()


def create(
    session: Session,
    *,
    name: str,
    sign_in_name: str,
    role: str = "agent",
    languages: Sequence[str] = (),
    queues: Sequence[str] = (),
    capacity: int = 4,
    password: str | None = None,
    now: datetime,
) -> Agent:
    """A new person. password: None for one who signs in elsewhere only. Raises AccountError, PasswordRefused."""
    one_at_a_time(session, "desk-agents")
    told: dict[str, Any] = {"sign_in_name": sign_in_name, "role": role, "languages": languages, "queues": queues}
    agent = Agent(name=_free_name(session, name), created_at=now, status="away", is_active=True)
    for field, value in {**told, "capacity": capacity}.items():
        setattr(agent, field, _checked(session, field, value))
    if password is not None:
        agent.password_hash = _new_hash(agent, password)
    session.add(agent)
    session.flush()
    return agent


def change(session: Session, name: str, now: datetime, **told: Any) -> Agent:
    """Give these of CHANGEABLE to the agent; it is so at their next request. Raises AccountError."""
    one_at_a_time(session, "desk-agents")
    agent = by_name(session, name)
    was_admin = agent.role == "admin" and agent.is_active
    for field, value in told.items():
        if getattr(agent, field) != (checked := _checked(session, field, value, agent)):
            setattr(agent, field, checked)
    session.flush()
    if not agent.is_active:
        sessions.end_all(session, agent.id, now)
    if was_admin and not _admins(session):
        raise LastAdmin
    return agent


def set_password(session: Session, agent: Agent, password: str, now: datetime, but: int | None = None) -> int:
    """A new password; it ends their sessions, but this one. How many ended. Raises PasswordRefused."""
    agent.password_hash = _new_hash(agent, password)
    session.flush()
    return sessions.end_all(session, agent.id, now, but)


def by_name(session: Session, name: str) -> Agent:
    """Raises NoSuchAgent."""
    agent = session.execute(select(Agent).where(Agent.name == name)).scalar_one_or_none()
    if agent is None:
        raise NoSuchAgent(name)
    return agent


def by_sign_in_name(session: Session, sign_in_name: str) -> Agent | None:
    return session.execute(select(Agent).where(Agent.sign_in_name == folded(sign_in_name))).scalar_one_or_none()


def everybody(session: Session) -> list[Agent]:
    """By name; also those who were put out."""
    return list(session.execute(select(Agent).order_by(Agent.name)).scalars())


def working(session: Session) -> list[Agent]:
    """By name; without those who were put out."""
    return [agent for agent in everybody(session) if agent.is_active]


def is_there(agent: Agent, now: datetime) -> bool:
    """A page of theirs is open, in any process."""
    return bool(agent.is_active and agent.seen_at is not None and now - agent.seen_at < THERE_FOR)


def loads(session: Session) -> dict[str, int]:
    """How many conversations each holds, by name; who holds none is left out."""
    held = select(Handoff.assignee, func.count()).where(Handoff.status == "assigned").group_by(Handoff.assignee)
    return dict(session.execute(held).all())


def colleagues(session: Session, now: datetime) -> list[dict[str, Any]]:
    """Those who can be given a conversation, as the protocol has them."""
    held = loads(session)
    return [_shown(agent, held.get(agent.name, 0), now) for agent in working(session)]


def shown_to_managers(session: Session, now: datetime) -> list[dict[str, Any]]:
    """Everybody, with what only those see who manage people."""
    held = loads(session)
    return [shown_to_manager(agent, held.get(agent.name, 0), now) for agent in everybody(session)]


def shown_to_manager(agent: Agent, load: int, now: datetime) -> dict[str, Any]:
    return {
        **_shown(agent, load, now),
        "sign_in_name": agent.sign_in_name,
        "is_active": agent.is_active,
        "has_password": agent.password_hash is not None,
        "has_oidc": agent.oidc_subject is not None,
        "created_at": agent.created_at.isoformat(),
        "gone": gone(agent),
    }


def _shown(agent: Agent, load: int, now: datetime) -> dict[str, Any]:
    return {
        "name": agent.name,
        "role": agent.role,
        "is_there": is_there(agent, now),
        "status": agent.status,
        "load": load,
        "capacity": agent.capacity,
        "languages": agent.languages,
        "queues": agent.queues,
    }


def _new_hash(agent: Agent, password: str) -> str:
    passwords.check(password, (agent.name, agent.sign_in_name))
    return passwords.hashed(password)


def _free_name(session: Session, name: str) -> str:
    plain = " ".join(unicodedata.normalize("NFC", str(name)).split())
    if len(plain) > LONGEST_NAME or not NAME.fullmatch(plain):
        raise WrongValue("name", f"A name has at most {LONGEST_NAME} letters, digits, spaces and . ' -")
    taken = {folded(each) for each in session.execute(select(Agent.name)).scalars()}
    if folded(plain) in taken:
        raise NameTaken("name", plain)
    return plain


def _checked(session: Session, field: str, value: Any, agent: Agent | None = None) -> Any:
    if field == "sign_in_name":
        return _free_sign_in_name(session, str(value), agent)
    if field == "role" and value in ROLES:
        return value
    if field in LIMITS and isinstance(value, list | tuple):
        return _all_known(field, value)
    if field == "capacity" and isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_CAPACITY:
        return value
    if field == "is_active" and isinstance(value, bool):
        return value
    raise WrongValue(field, FITTING.get(field, f"{field} cannot be changed."))


FITTING = {
    "role": f"A role is one of {', '.join(ROLES)}.",
    "languages": "Languages are a list of codes of two letters, like es.",
    "queues": "Queues are a list of names, as in data/policies/desk.yml.",
    "capacity": f"The capacity is a number from 0 to {MOST_CAPACITY}.",
    "is_active": "Active is yes or no.",
}


def _all_known(field: str, values: Sequence[Any]) -> list[str]:
    """Each of them once. Raises WrongValue for a name that nothing will ever have: nobody would notice that nothing comes."""
    known = limits_there_are()[field]
    for each in values:
        if each not in known:
            words = LIMITS[field].format(name=str(each)[:LONGEST_NAME], known=", ".join(known))
            raise WrongValue(field, words, known)
    return list(dict.fromkeys(values))


def limits_there_are() -> dict[str, tuple[str, ...]]:
    """To what an agent can be limited, by field."""
    return {"queues": tuple(queue.name for queue in kept_rules().queues), "languages": tuple(languages())}


def gone(agent: Agent) -> dict[str, list[str]]:
    """To what the agent is limited that the shop does not have, or no longer has, by field."""
    return {field: [each for each in getattr(agent, field) if each not in known] for field, known in limits_there_are().items()}


def _free_sign_in_name(session: Session, told: str, agent: Agent | None) -> str:
    name = folded(told)
    if len(name) > LONGEST_SIGN_IN_NAME or not SIGN_IN_NAME.fullmatch(name):
        raise WrongValue("sign_in_name", "The name for signing in is an e-mail or a short name, without spaces.")
    whose = by_sign_in_name(session, name)
    if whose is not None and whose is not agent:
        raise NameTaken("sign_in_name", name)
    return name


def _admins(session: Session) -> int:
    query = select(func.count()).select_from(Agent).where(Agent.role == "admin", Agent.is_active.is_(True))
    return int(session.execute(query).scalar_one())
