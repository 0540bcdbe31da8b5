"""Who is asking, where the channel proves a phone number: the one customer who has that number on file.

It is looked up in every turn: the number may be somebody else's by now, on the channel or on file.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce import customers
from messaging import identities
from messaging.channel_abilities import PROVES_PHONES
from messaging.contacts import normalize_phone, spellings
from messaging.identities import ANONYMOUS, Identity, Level
from messaging.models import ChannelContact


def vouched(session: Session, channel: str, sender_id: str, known: Identity, now: datetime) -> Identity:
    """Who it is, `known` being what was written down before. Whoever has signed out is asserted again only when they ask."""
    if channel not in PROVES_PHONES or known.level is Level.proven:
        return known
    owner = owner_of_number(session, sender_id)
    if known.customer_id == owner:
        return known
    if known.level is Level.asserted:
        identities.end_assertion(session, channel, sender_id, now)
    if owner is None or identities.was_ended(session, channel, sender_id, owner):
        return ANONYMOUS
    if identities.was_known_elsewhere(session, channel, sender_id, owner):
        return ANONYMOUS  # whoever has the number now shows a code
    return _asserted(session, channel, sender_id, owner, now)


def vouch_again(session: Session, channel: str, sender_id: str, phone: str, now: datetime) -> bool:
    """The shopper names the number they write from as theirs: whether they are known by it again, also after signing out."""
    if channel not in PROVES_PHONES or phone != number_of(session, sender_id):
        return False
    owner = owner_of_number(session, sender_id)
    if owner is None or identities.was_known_elsewhere(session, channel, sender_id, owner):
        return False
    _asserted(session, channel, sender_id, owner, now)
    return True


def owner_of_number(session: Session, sender_id: str) -> int | None:
    """The customer whose number the sender writes from, if it is one customer's."""
    phone = number_of(session, sender_id)
    return customers.only_one_with_phone(session, spellings(phone)) if phone else None


def number_of(session: Session, sender_id: str) -> str | None:
    """The number that the channel has proven, in E.164."""
    found = session.execute(select(ChannelContact.phone).where(ChannelContact.sender_id == sender_id)).scalar_one_or_none()
    return normalize_phone(found) or found if found else None


def _asserted(session: Session, channel: str, sender_id: str, customer_id: int, now: datetime) -> Identity:
    identities.assert_identity(session, channel, sender_id, customer_id, now)
    return Identity(customer_id, Level.asserted)
