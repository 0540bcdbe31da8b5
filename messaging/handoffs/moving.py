"""How a handoff moves: one statement looks and moves, with the conversation's row locked before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from messaging.handoffs.errors import AlreadyTaken, IllegalMove, NoSuchHandoff, illegal
from messaging.models import Conversation, Handoff

NOBODYS = {"assignee": None, "assigned_at": None, "lease_until": None, "snoozed_until": None}


class Before(NamedTuple):
    """How a handoff stood before a move."""

    id: int
    sender_id: str
    status: str
    assignee: str | None
    queue: str | None
    priority: int


def locked(session: Session, handoff_id: int) -> Before:
    """How it stands, until the transaction's end, but for leases and clocks. Raises NoSuchHandoff."""
    sender_id = session.execute(select(Handoff.sender_id).where(Handoff.id == handoff_id)).scalar_one_or_none()
    if sender_id is None:
        raise NoSuchHandoff(f"There is no handoff {handoff_id}.")
    lock_conversation(session, sender_id)
    return Before(*session.execute(select(*_KNOWN).where(Handoff.id == handoff_id)).one())


_KNOWN = [getattr(Handoff, field) for field in Before._fields]


def lock_conversation(session: Session, sender_id: str, waits: bool = True) -> bool:
    """waits: else False where another transaction has it at this moment."""
    row = select(Conversation.sender_id).where(Conversation.sender_id == sender_id).with_for_update(skip_locked=not waits)
    return session.execute(row).scalar_one_or_none() is not None


def moved(session: Session, handoff_id: int, condition: Any, values: Mapping[str, Any]) -> bool:
    """Whether it was so, and is moved."""
    statement = update(Handoff).where(Handoff.id == handoff_id, condition).values(**values)
    return bool(session.execute(statement.execution_options(synchronize_session=False)).rowcount)


def refused(handoff: Before, move: str, by: str = "") -> AlreadyTaken | IllegalMove:
    """Why it does not move. by: who wanted it."""
    if handoff.status == "assigned" and (move == "assigned" or (by and handoff.assignee != by)):
        return AlreadyTaken(handoff.id, str(handoff.assignee))
    return illegal(handoff.id, handoff.status, handoff.assignee, move)
