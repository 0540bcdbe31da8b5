"""What the desk keeps of a customer who is erased: that an agent saw and did something, and no more of whom."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from commerce.models import Customer, Effect, Proposal
from desk.models import AuditEntry, ReadMark
from messaging.models import Handoff
from messaging.privacy import ERASED


def forget(session: Session, customer_id: int, sender_ids: Collection[str]) -> int:
    """The audit log names neither the customer nor their conversations any more; how many rows changed."""
    return _forget(session, [customer_id], sender_ids)


def forget_erased(session: Session) -> int:
    """The same for whomever the assistant itself has erased, since it knows nothing of the desk; how many rows changed."""
    gone = Handoff.sender_id.startswith(ERASED, autoescape=True)
    named = select(AuditEntry.sender_id).join(Handoff, Handoff.id == AuditEntry.handoff_id).where(gone)
    senders = set(session.execute(named.where(AuditEntry.sender_id.is_not(None)).distinct()).scalars())
    customers = select(Customer.id).where(Customer.erased_at.is_not(None))
    return _forget(session, customers, senders)


def _forget(session: Session, customer_ids: Any, sender_ids: Collection[str]) -> int:
    theirs = or_(AuditEntry.customer_id.in_(customer_ids), AuditEntry.sender_id.in_(sender_ids))
    statements: list[Any] = [
        update(AuditEntry).where(theirs).values(customer_id=None, sender_id=None),
        delete(ReadMark).where(ReadMark.sender_id.in_(sender_ids)),
        *_of_nobody(sender_ids),
    ]
    return sum(session.execute(each.execution_options(synchronize_session=False)).rowcount for each in statements)


def _of_nobody(sender_ids: Collection[str]) -> list[Any]:
    """What was proposed in these conversations for nobody known, such as a code: the shop's books erase what is of a customer."""
    proposed = (Proposal.conversation.in_(sender_ids), Proposal.customer_id.is_(None))
    return [
        update(Effect).where(Effect.proposal_id.in_(select(Proposal.id).where(*proposed))).values(result={}),
        update(Proposal).where(*proposed).values(parameters={}, summary={}, conversation=ERASED),
    ]
