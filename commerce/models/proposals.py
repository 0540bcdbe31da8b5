"""A write is first a Proposal (the summary that the shopper, or a person of ours, saw), then at most one Effect."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, String
from sqlalchemy.orm import relationship

from database import Base, UTCDateTime


class Proposal(Base):
    __tablename__ = "proposal"

    id = Column(String(36), primary_key=True)
    kind = Column(String(32), nullable=False)  # cancel_order | change_variant | authorize_return | ...
    customer_id = Column(ForeignKey("customer.id"), nullable=True, index=True)
    conversation = Column(String(128), nullable=False, index=True)  # only this conversation may confirm it
    parameters = Column(JSON, nullable=False)
    facts_digest = Column(String(64), nullable=False)  # of the facts that the summary was made from
    summary = Column(JSON, nullable=False)  # exactly what will happen, as values for the words
    created_at = Column(UTCDateTime, nullable=False)
    expires_at = Column(UTCDateTime, nullable=False)
    withdrawn_at = Column(UTCDateTime, nullable=True)  # a newer proposal took its place, or the shopper said no
    agent = Column(String(64), nullable=True)  # the person of ours who proposed it, and alone may confirm it; null: the shopper
    effect = relationship("Effect", back_populates="proposal", uselist=False)


class Effect(Base):
    """What a confirmed proposal did. The unique key on the proposal makes the write happen once, that on `undoes` its undoing."""

    __tablename__ = "effect"

    id = Column(Integer, primary_key=True)
    proposal_id = Column(ForeignKey("proposal.id"), nullable=False, unique=True)
    kind = Column(String(32), nullable=False)
    result = Column(JSON, nullable=False)
    done_at = Column(UTCDateTime, nullable=False)
    agent = Column(String(64), nullable=True)  # the person of ours who did it; null: the shopper
    undoes = Column(ForeignKey("effect.id"), nullable=True, unique=True)  # the earlier effect that this one takes back
    proposal = relationship("Proposal", back_populates="effect")
