"""In a person's hands: taken, passed on, put aside, let go, and lost when the lease is over."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from messaging import agent_names, notices
from messaging.conversations import set_owner
from messaging.handoffs import happened
from messaging.handoffs.finding import by_id
from messaging.handoffs.last_words import check_seen
from messaging.handoffs.moving import NOBODYS, lock_conversation, locked, moved, refused
from messaging.handoffs.states import OPEN, UNTAKEN
from messaging.masking import mask
from messaging.models import Conversation, Handoff, HandoffNote
from messaging.turns import outbox
from messaging.turns.timers import cancel_timer

JOINED, LEFT = "utter_agent_joined", "utter_agent_left"

_IS_TAKEN = Handoff.status == "assigned"


def take(
    session: Session,
    handoff_id: int,
    agent: str,
    now: datetime,
    *,
    lease: timedelta | None = None,
    over: bool = False,
    by: str | None = None,
    announce: bool = True,
) -> Handoff:
    """Give the handoff, and with it the conversation, to this person. Raises AlreadyTaken, IllegalMove, NoSuchHandoff.

    lease: after which it is lost unless renewed; None: never. over: also from somebody else. by: who gave it to them, empty for
    the rules; None: they took it. announce: the shopper is told who is there; not where the channel shows that. From now on
    nothing that the assistant has said and not sent is sent.
    """
    _named(agent)
    before = locked(session, handoff_id)
    is_free = Handoff.status.in_(UNTAKEN)
    free = or_(is_free, and_(_IS_TAKEN, Handoff.assignee != agent)) if over else is_free
    if not moved(session, handoff_id, free, _held_by(agent, now, lease)):
        raise refused(before, "assigned")
    handoff = by_id(session, handoff_id)
    earlier = before.assignee if before.status == "assigned" else None
    event = happened.note(session, handoff, "assigned", now, agent if by is None else by, agent=agent, earlier=earlier)
    _belongs_to(session, handoff, agent, now, event, announce)
    return handoff


def release(
    session: Session, handoff_id: int, agent: str, now: datetime, why: Literal["released", "lost", "silent"] = "released"
) -> Handoff:
    """Back to those who wait, at its old place. silent: they have lost it, since they were there and wrote nothing.

    Raises AlreadyTaken where another person has it, IllegalMove, NoSuchHandoff.
    """
    before = locked(session, handoff_id)
    if not moved(session, handoff_id, and_(_IS_TAKEN, Handoff.assignee == agent), _FREE):
        raise refused(before, "released", agent)
    if why == "released":
        return _let_go(session, handoff_id, agent, now, "released", by=agent)
    return _let_go(session, handoff_id, agent, now, "lost", by="", why="silent" if why == "silent" else "")


def transfer(
    session: Session,
    handoff_id: int,
    now: datetime,
    *,
    by: str,
    queue: str | None = None,
    agent: str | None = None,
    lease: timedelta | None = None,
    note: str = "",
    over: bool = False,
) -> Handoff:
    """Pass it on to a queue, where it waits at its old place, or to a person. note: for whoever gets it, as a private note.

    over: also what somebody else has. Raises AlreadyTaken, IllegalMove, NoSuchHandoff; ValueError without exactly one aim.
    """
    if (queue is None) == (agent is None):
        raise ValueError("a transfer goes either to a queue or to a person")
    before = locked(session, handoff_id)
    if agent is not None:
        _named(agent)
    may = Handoff.status.in_(OPEN) if over else or_(Handoff.status.in_(UNTAKEN), and_(_IS_TAKEN, Handoff.assignee == by))
    if agent is None:
        values = {"queue": queue, **(_FREE if before.status == "assigned" else {})}
    else:
        may, values = and_(may, or_(Handoff.assignee.is_(None), Handoff.assignee != agent)), _held_by(agent, now, lease)
    if not moved(session, handoff_id, may, values):
        raise refused(before, "transferred", by) if before.assignee != agent else refused(before, "assigned")
    handoff = by_id(session, handoff_id)
    earlier = before.assignee if before.status == "assigned" else None
    event = happened.note(session, handoff, "transferred", now, by, queue=queue, agent=agent, earlier=earlier)
    if note.strip():
        session.add(HandoffNote(**_note(handoff, f"transfer-{event}", by, note, now)))
    if agent is not None:
        _belongs_to(session, handoff, agent, now, event)
    elif earlier is not None:
        _belongs_to_queue(session, handoff, earlier, now, event)
    return handoff


def place(session: Session, handoff_id: int, queue: str | None, priority: int, now: datetime) -> Handoff:
    """Where it waits, as the rules say. What has ended stays as it is: IllegalMove. Raises NoSuchHandoff."""
    before = locked(session, handoff_id)
    if not moved(session, handoff_id, Handoff.status.in_(OPEN), {"queue": queue, "priority": priority}):
        raise refused(before, "transferred")
    handoff = by_id(session, handoff_id)
    if (before.queue, before.priority) != (queue, priority):
        happened.note(session, handoff, "queued", now, queue=queue, priority=priority, earlier=before.queue)
    return handoff


# Put aside


def snooze(
    session: Session, handoff_id: int, agent: str, until: datetime, now: datetime, seen: Collection[int] | None = None
) -> Handoff:
    """Put it aside until then, or until the shopper writes: it stays theirs. seen: what they have read (`last_words.check_seen`).

    Raises as `release`, and Unread; ValueError for a past.
    """
    if until <= now:
        raise ValueError("it can be put aside until a later moment only")
    before = locked(session, handoff_id)
    if not moved(session, handoff_id, and_(_IS_TAKEN, Handoff.assignee == agent), {"snoozed_until": until}):
        raise refused(before, "snoozed", agent)
    handoff = by_id(session, handoff_id)
    check_seen(session, handoff, seen, now)
    happened.note(session, handoff, "snoozed", now, agent, until=until.isoformat())
    return handoff


def wake(session: Session, handoff_id: int, now: datetime, by: str = "") -> Handoff:
    """It is not put aside any more. Raises IllegalMove where it was not, NoSuchHandoff."""
    before = locked(session, handoff_id)
    if not moved(session, handoff_id, and_(_IS_TAKEN, Handoff.snoozed_until.is_not(None)), {"snoozed_until": None}):
        raise refused(before, "woken")
    handoff = by_id(session, handoff_id)
    happened.note(session, handoff, "woken", now, by, agent=handoff.assignee)
    return handoff


def wake_due(session: Session, now: datetime) -> list[Handoff]:
    """Those that were put aside until now, woken."""
    return _each(session, and_(_IS_TAKEN, Handoff.snoozed_until <= now), {"snoozed_until": None}, now, _woken)


def _woken(session: Session, handoff_id: int, agent: str, now: datetime) -> Handoff:
    handoff = by_id(session, handoff_id)
    happened.note(session, handoff, "woken", now, agent=agent, why="time")
    return handoff


# Leases


def renew(session: Session, agents: Collection[str], now: datetime, lease: timedelta) -> int:
    """These people are there: nothing of theirs is lost before `lease` is over. How many they have that can be lost."""
    theirs = (_IS_TAKEN, Handoff.assignee.in_(agents), Handoff.lease_until.is_not(None))
    ids = list(session.execute(select(Handoff.id).where(*theirs).order_by(Handoff.id).with_for_update()).scalars())
    if not ids:
        return 0
    renewed = update(Handoff).where(Handoff.id.in_(ids), *theirs).values(lease_until=now + lease)
    return int(session.execute(renewed.execution_options(synchronize_session=False)).rowcount)


def lose_overdue(session: Session, now: datetime) -> list[Handoff]:
    """Back to those who wait what somebody has whose lease is over. What is put aside is lost once it is woken."""
    overdue = and_(_IS_TAKEN, Handoff.lease_until <= now, Handoff.snoozed_until.is_(None))
    return _each(session, overdue, _FREE, now, _lost)


def _lost(session: Session, handoff_id: int, agent: str, now: datetime) -> Handoff:
    return _let_go(session, handoff_id, agent, now, "lost", by="")


def holder(session: Session, sender_id: str) -> str | None:
    """Who of our people has the conversation."""
    theirs = (Conversation.sender_id == sender_id, Conversation.owner == "agent")
    return session.execute(select(Conversation.assignee).where(*theirs)).scalar_one_or_none()


# What all of them do

_FREE = {**NOBODYS, "status": "waiting", "callback_at": None}


def _named(agent: str) -> None:
    if not agent.strip():
        raise ValueError("an agent needs a name")


def _held_by(agent: str, now: datetime, lease: timedelta | None) -> dict[str, Any]:
    until = now + lease if lease is not None else None
    return {**NOBODYS, "status": "assigned", "assignee": agent, "assigned_at": now, "lease_until": until}


def _belongs_to(session: Session, handoff: Handoff, agent: str, now: datetime, event: int, announce: bool = True) -> None:
    set_owner(session, handoff.sender_id, "agent", assignee=agent)
    outbox.withhold(session, handoff.sender_id, now)
    cancel_timer(session, f"callback:{handoff.id}")
    if announce:
        _tell(session, handoff, JOINED, agent, ["agent"], now, event)


def _belongs_to_queue(session: Session, handoff: Handoff, agent: str, now: datetime, event: int) -> None:
    set_owner(session, handoff.sender_id, "queue")
    outbox.withhold(session, handoff.sender_id, now, is_given_away=True)
    _tell(session, handoff, LEFT, agent, ["queue"], now, event)


def _let_go(session: Session, handoff_id: int, agent: str, now: datetime, kind: str, by: str, why: str = "") -> Handoff:
    handoff = by_id(session, handoff_id)
    event = happened.note(session, handoff, kind, now, by, agent=agent, why=why)
    _belongs_to_queue(session, handoff, agent, now, event)
    return handoff


def _tell(session: Session, handoff: Handoff, response: str, agent: str, owners: list[str], now: datetime, event: int) -> None:
    values = {"agent": agent_names.for_shoppers(agent)}
    about = {"sender_id": handoff.sender_id, "channel": handoff.channel, "response": response, "values": values}
    notices.say_soon(session, key=f"handoff-event:{event}", owners=owners, now=now, **about)


def _note(handoff: Handoff, name: str, by: str, text: str, now: datetime) -> dict[str, Any]:
    about = {"handoff_id": handoff.id, "sender_id": handoff.sender_id, "name": name, "by": by}
    return {**about, "text": mask(text).text, "at": now}


def _each(session: Session, due: Any, values: dict[str, Any], now: datetime, done: Any) -> list[Handoff]:
    """Those that are due, each by a statement of its own; what another transaction is at is left to the next round."""
    found = session.execute(select(Handoff.id, Handoff.sender_id, Handoff.assignee).where(due).order_by(Handoff.id)).all()
    return [
        done(session, row.id, row.assignee, now)
        for row in found
        if lock_conversation(session, row.sender_id, waits=False)
        and moved(session, row.id, and_(due, Handoff.assignee == row.assignee), values)
    ]
