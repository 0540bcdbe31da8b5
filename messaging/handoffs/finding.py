"""Handoffs by id, by conversation, and in the order in which they are served."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.handoffs.errors import NoSuchHandoff
from messaging.handoffs.states import OPEN, UNTAKEN
from messaging.models import Handoff

SELECT = select(Handoff).execution_options(populate_existing=True)


def by_id(session: Session, handoff_id: int) -> Handoff:
    """One record, open or not. Raises NoSuchHandoff."""
    handoff = session.execute(SELECT.where(Handoff.id == handoff_id)).scalar_one_or_none()
    if handoff is None:
        raise NoSuchHandoff(f"There is no handoff {handoff_id}.")
    return handoff


def open_for(session: Session, sender_id: str) -> Handoff | None:
    """The conversation's open handoff, if there is one."""
    return session.execute(SELECT.where(Handoff.sender_id == sender_id, Handoff.status.in_(OPEN))).scalar_one_or_none()


def collected_by_open(session: Session) -> list[dict[str, Any]]:
    """What was collected for each matter that is not settled."""
    return list(session.execute(select(Handoff.collected).where(Handoff.status.in_(OPEN))).scalars())


def with_a_person(session: Session) -> list[Handoff]:
    """Everybody who is with a person, the longest first."""
    return list(session.execute(SELECT.where(Handoff.status == "assigned").order_by(Handoff.assigned_at)).scalars())


def last_given_back(session: Session, sender_id: str) -> Handoff | None:
    """What a person had last in this conversation and gave back: what a recap is about."""
    given_back = SELECT.where(Handoff.sender_id == sender_id, Handoff.status == "given_back")
    found: Handoff | None = session.execute(given_back.order_by(Handoff.closed_at.desc(), Handoff.id.desc())).scalars().first()
    return found


def last_settled(session: Session, sender_id: str) -> Handoff | None:
    """What a person settled last in this conversation: what a rating is asked for."""
    settled = SELECT.where(Handoff.sender_id == sender_id, Handoff.status == "resolved")
    found: Handoff | None = session.execute(settled.order_by(Handoff.closed_at.desc(), Handoff.id.desc())).scalars().first()
    return found


def waiting(session: Session) -> list[Handoff]:
    """Everybody who waits for a person, call-backs included, in the order in which they asked."""
    return list(session.execute(SELECT.where(Handoff.status.in_(UNTAKEN)).order_by(*_turn())).scalars())


def position(session: Session, handoff_id: int) -> int | None:
    """The place in the queue from 1; None when it does not wait (any more)."""
    ids = list(session.execute(select(Handoff.id).where(Handoff.status.in_(UNTAKEN)).order_by(*_turn())).scalars())
    return ids.index(handoff_id) + 1 if handoff_id in ids else None


def _turn() -> tuple[Any, ...]:
    return (Handoff.created_at, Handoff.id)
