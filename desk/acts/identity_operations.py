"""What is done about who somebody is: a code is sent, or two conversations of one customer are joined."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from commerce import customers
from commerce.models import Customer
from commerce.proposals import Assessment, Refusal, Values
from database import home_folder
from messaging import channel_links, codes, contacts, identities, worded_mail
from messaging.conversations import channel_of
from messaging.identities import Level
from messaging.secret import secret_key

WEB_CHAT, MESSENGER = "webchat", "whatsapp"
CODE_MINUTES = int(codes.CODE_LIFETIME.total_seconds() // 60)


@dataclass
class SendCode:
    """Parameters: as `wanted_by` makes them of an e-mail or phone. A code goes to the e-mail on file of whoever has it.

    Summary and result are the same whether or not anybody has: an address tells nobody whose it is. language: of the mail.
    """

    sender_id: str
    language: str
    kind: str = "send_code"

    def assess(self, session: Session, customer_id: Any, parameters: Values, now: datetime) -> Assessment | Refusal:
        return Assessment({"contact": parameters["contact"], "minutes": CODE_MINUTES}, {})

    def perform(
        self,
        session: Session,
        customer_id: Any,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        asked = (self.sender_id, parameters["contact_hash"], parameters["for"])
        requested = codes.request_code_at(session, *asked, now, secret_key(home_folder()))
        customer = session.get(Customer, parameters["for"]) if requested.code else None
        if customer is not None and requested.code:
            self._mail(session, customer, requested.code, now)
        return {**assessment.summary, "outcome": requested.status}

    def _mail(self, session: Session, customer: Customer, code: str, now: datetime) -> None:
        values = {"code": code, "minutes": CODE_MINUTES, "name": customer.name.split()[0]}
        worded_mail.enqueue(session, "code", customer.email, self.language, f"code:{uuid.uuid4()}", now, **values)


def wanted_by(session: Session, contact: str) -> dict[str, Any]:
    """What is kept of a request for a code: the address only as people may see it, and as a keyed hash."""
    customer = customers.by_contact(session, contact)
    known = customer.id if customer is not None and customer.email else None  # codes go out by e-mail only
    contact_hash = codes.hash_contact(contact, secret_key(home_folder()))
    return {"contact": contacts.hidden(contact), "contact_hash": contact_hash, "for": known}


@dataclass
class LinkIdentities:
    """Parameters: conversation, another one of the same customer. One of the two is in the web chat, and both are proven now.

    Refuses with conversation_not_found (also where it is not known as this customer), same_channel, already_linked.
    """

    sender_id: str
    channel: str
    kind: str = "link_identities"

    def assess(self, session: Session, customer_id: Any, parameters: Values, now: datetime) -> Assessment | Refusal:
        other = parameters["conversation"]
        channel = channel_of(session, other)
        if channel is None or not _is_proven(session, channel, other, customer_id, now) or other == self.sender_id:
            return Refusal("conversation_not_found", "conversation_not_found")
        if not _is_proven(session, self.channel, self.sender_id, customer_id, now):
            return Refusal("prove_first", "prove_first", nearest="one_time_code")
        if {channel, self.channel} != {WEB_CHAT, MESSENGER}:
            return Refusal("same_channel", "same_channel")
        if channel_links.linked(session, self.sender_id) == other:
            return Refusal("already_linked", "already_linked")
        return Assessment({"conversation": other, "channel": channel}, {"linked": channel_links.linked(session, other)})

    def perform(
        self,
        session: Session,
        customer_id: Any,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        pair = (self.sender_id, parameters["conversation"])
        begun, goes_on = pair if self.channel == WEB_CHAT else pair[::-1]
        channel_links.join(session, begun, goes_on, now)
        return dict(assessment.summary)


@dataclass
class Unlink:
    """Parameters: conversation. Refuses with not_linked where the two are not joined (any more)."""

    sender_id: str
    kind: str = "undo_link_identities"

    def assess(self, session: Session, customer_id: Any, parameters: Values, now: datetime) -> Assessment | Refusal:
        if channel_links.linked(session, self.sender_id) != parameters["conversation"]:
            return Refusal("not_linked", "not_linked")
        channel = channel_of(session, parameters["conversation"])
        return Assessment({"conversation": parameters["conversation"], "channel": channel}, {})

    def perform(
        self,
        session: Session,
        customer_id: Any,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        channel_links.undo(session, self.sender_id, now)
        return dict(assessment.summary)


def _is_proven(session: Session, channel: str, sender_id: str, customer_id: int, now: datetime) -> bool:
    known = identities.identity(session, channel, sender_id, now)
    return known.customer_id == customer_id and known.level is Level.proven
