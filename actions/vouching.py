"""Who is asking, where the channel knows it.

By a phone number that it proves: the one customer who has that number on file. By the shop's own sign-in on a page: the customer
whom that names, who is proven as long as it holds. Both are looked up in every turn: the number may be somebody else's by now,
the sign-in may have ended.
"""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy.orm import Session

from commerce import customers
from messaging import identities, web_visitors
from messaging.channel_abilities import PROVES_PHONES, SIGNS_IN
from messaging.channel_contacts import proven_number
from messaging.contacts import spellings
from messaging.identities import ANONYMOUS, Identity, Level

logger = logging.getLogger(__name__)


def vouched(session: Session, channel: str, sender_id: str, known: Identity, now: datetime) -> Identity:
    """Who it is, `known` being what was written down before. Whoever has signed out is asserted again only when they ask."""
    if channel in SIGNS_IN:
        return _signed_in(session, channel, sender_id, known, now)
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
    if channel not in PROVES_PHONES or phone != proven_number(session, sender_id):
        return False
    owner = owner_of_number(session, sender_id)
    if owner is None or identities.was_known_elsewhere(session, channel, sender_id, owner):
        return False
    _asserted(session, channel, sender_id, owner, now)
    return True


def owner_of_number(session: Session, sender_id: str) -> int | None:
    """The customer whose number the sender writes from, if it is one customer's."""
    phone = proven_number(session, sender_id)
    return customers.only_one_with_phone(session, spellings(phone)) if phone else None


def _signed_in(session: Session, channel: str, sender_id: str, known: Identity, now: datetime) -> Identity:
    """As long as the shop's sign-in holds, it outdoes a code: the page shows whose account it is."""
    signed_in = web_visitors.signed_in(session, sender_id, now)
    owner = customers.with_number(session, signed_in[0]) if signed_in else None
    if signed_in is None or owner is None:
        if signed_in is not None:
            logger.warning("webchat: the shop's sign-in names a customer whom we do not know")
        _note_whose(session, sender_id, known)
        return known
    if known != Identity(owner, Level.proven):
        identities.prove_identity(session, channel, sender_id, owner, now, lifetime=signed_in[1] - now)
    return Identity(owner, Level.proven)


def _note_whose(session: Session, sender_id: str, known: Identity) -> None:
    number = customers.number_of(session, known.customer_id) if known.customer_id is not None else None
    if number is not None:
        web_visitors.note_whose(session, sender_id, number)


def _asserted(session: Session, channel: str, sender_id: str, customer_id: int, now: datetime) -> Identity:
    identities.assert_identity(session, channel, sender_id, customer_id, now)
    return Identity(customer_id, Level.asserted)
