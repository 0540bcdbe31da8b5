"""Which conversations are one shopper's, as far as that is proven: two that only look alike are never shown together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from messaging import channel_links, conversations, identities
from messaging.identities import Identity, Level, Proof
from messaging.models import Handoff


@dataclass(frozen=True)
class Talk:
    """A conversation, and the time in it that is this shopper's: before `since` somebody else may have written, after `until` it
    is not proven any more."""

    sender_id: str
    channel: str
    since: datetime | None = None
    until: datetime | None = None

    def has(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at <= self.until)


def talks_of(session: Session, handoff: Handoff, now: datetime) -> list[Talk]:
    """The handoff's own conversation first; others in which the same customer has proven who they are, and the one that a
    code was carried to or from."""
    proof = _proof_at(session, handoff)
    own = Talk(handoff.sender_id, handoff.channel, since=_since(session, handoff.channel, handoff.sender_id, proof, now))
    found = {own.sender_id: own}
    for other in identities.proofs_of(session, proof.customer_id) if proof is not None else ():
        found.setdefault(other.sender_id, _proven(session, other, now))
    joined = _joined(session, own, proof, now)
    if joined is not None:
        found.setdefault(joined.sender_id, joined)
    return list(found.values())


def _proof_at(session: Session, handoff: Handoff) -> Proof | None:
    """What was proven in the handoff's conversation when a person was asked for, or later."""
    proofs = identities.proofs_in(session, handoff.sender_id)
    held = [each for each in proofs if each.expires_at is None or each.expires_at > handoff.created_at]
    return held[-1] if held else None


def _proven(session: Session, proof: Proof, now: datetime) -> Talk:
    until = proof.expires_at if proof.expires_at is not None and proof.expires_at < now else None
    return Talk(proof.sender_id, proof.channel, _since(session, proof.channel, proof.sender_id, proof, now), until)


def _joined(session: Session, own: Talk, proof: Proof | None, now: datetime) -> Talk | None:
    """By a code: it says nothing of who somebody is, so that a conversation of another customer is not joined."""
    sender_id = channel_links.linked(session, own.sender_id)
    channel = conversations.channel_of(session, sender_id) if sender_id is not None else None
    if sender_id is None or channel is None:
        return None
    theirs = identities.proofs_in(session, sender_id)
    if theirs and (proof is None or any(each.customer_id != proof.customer_id for each in theirs)):
        return None
    return Talk(sender_id, channel, since=_since(session, channel, sender_id, theirs[-1] if theirs else None, now))


def _since(session: Session, channel: str, sender_id: str, proof: Proof | None, now: datetime) -> datetime | None:
    known = (
        Identity(proof.customer_id, Level.proven) if proof is not None else identities.identity(session, channel, sender_id, now)
    )
    return identities.another_until(session, channel, sender_id, known, now)
