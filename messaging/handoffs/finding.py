"""Handoffs by id, by conversation, and in the order in which they are served."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.handoffs.errors import NoSuchHandoff
from messaging.handoffs.states import OPEN, UNTAKEN
from messaging.models import Handoff

NOBODY = "none"  # `external` of one that another desk could not be told of: it is answered here

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
    """The place in the queue from 1, among those whom the same people answer (`Handoff.external`); None when it does not wait
    (any more)."""
    waits = select(Handoff.id, Handoff.external).where(Handoff.status.in_(UNTAKEN)).order_by(*_turn())
    whose = {row.id: _desk(row.external) for row in session.execute(waits)}
    ids = [id_ for id_, desk in whose.items() if desk == whose.get(handoff_id)]
    return ids.index(handoff_id) + 1 if handoff_id in ids else None


def _desk(external: str | None) -> str:
    """Another desk's name; empty for ours, and for what another one could not be told of ("none")."""
    desk = (external or "").partition(":")[0]
    return "" if desk == NOBODY else desk


def _turn() -> tuple[Any, ...]:
    return (Handoff.created_at, Handoff.id)
