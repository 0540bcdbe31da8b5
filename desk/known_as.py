"""Whose conversation it is that a person of ours looks at, and how sure that is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce import customers
from commerce.models import Customer
from messaging.channel_abilities import PROVES_PHONES
from messaging.channel_contacts import proven_number
from messaging.contacts import spellings
from messaging.identities import ANONYMOUS, Identity, Level, identity
from messaging.models import Handoff, InboundMessage


def known_as(session: Session, handoff: Handoff, now: datetime) -> Identity:
    """As whom the shopper was known when they wrote last, if nobody has signed out since: what they asked for then may be done
    hours later, though their proof has run out. A number vouches only as long as it is that customer's.
    """
    found = identity(session, handoff.channel, handoff.sender_id, _wrote_at(session, handoff, now))
    if found.customer_id is None or _is_gone(session, found.customer_id):
        return ANONYMOUS
    if found.level is Level.asserted and handoff.channel in PROVES_PHONES and not _is_number_of(session, handoff, found):
        return ANONYMOUS
    return found


def _wrote_at(session: Session, handoff: Handoff, now: datetime) -> datetime:
    newest = select(func.max(InboundMessage.received_at)).where(
        InboundMessage.sender_id == handoff.sender_id, InboundMessage.kind == "message"
    )
    wrote_at: datetime | None = session.execute(newest).scalar_one()
    return min(max(wrote_at or handoff.created_at, handoff.created_at), now)


def _is_number_of(session: Session, handoff: Handoff, found: Identity) -> bool:
    phone = proven_number(session, handoff.sender_id)
    return phone is not None and customers.only_one_with_phone(session, spellings(phone)) == found.customer_id


def _is_gone(session: Session, customer_id: int) -> bool:
    customer = session.get(Customer, customer_id)
    return customer is None or customer.erased_at is not None
