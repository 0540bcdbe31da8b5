"""People who answer, their sessions, what they have read, and what they saw and did."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, UniqueConstraint, text

from database import Base, UTCDateTime


class Agent(Base):
    """A person who answers shoppers. `name` is how colleagues, handoffs and shoppers know them: it is never given to another.

    role: agent; supervisor (sees every conversation, moves them, reads reports); admin (manages people too).
    status: available; away (nothing new comes to them). They are there while `seen_at` is fresh.
    """

    __tablename__ = "agent"

    id = Column(Integer, primary_key=True)
    name = Column(String(64), nullable=False, unique=True)
    sign_in_name = Column(String(254), nullable=False, unique=True)  # folded: an e-mail, or a short name
    password_hash = Column(String(200), nullable=True)  # argon2id; null: signs in elsewhere only
    oidc_subject = Column(String(255), nullable=True, unique=True)  # "issuer|subject"
    role = Column(String(12), nullable=False, default="agent")
    languages = Column(JSON, nullable=False, default=list)  # ISO 639-1; empty: all
    queues = Column(JSON, nullable=False, default=list)  # names of data/policies/desk.yml; empty, or all of them gone: all
    capacity = Column(Integer, nullable=False, default=4)  # conversations at a time that come by themselves
    status = Column(String(12), nullable=False, default="away")
    seen_at = Column(UTCDateTime, nullable=True)  # by a connection of theirs, in any process
    last_assigned_at = Column(UTCDateTime, nullable=True)  # who has had none for the longest time is next
    is_active = Column(Boolean, nullable=False, default=True)  # false: cannot sign in any more
    created_at = Column(UTCDateTime, nullable=False)


class AgentSession(Base):
    """A signed-in browser of an agent."""

    __tablename__ = "agent_session"

    id = Column(Integer, primary_key=True)
    agent_id = Column(Integer, nullable=False, index=True)
    token_hash = Column(String(64), nullable=False, unique=True)
    via = Column(String(12), nullable=False)  # password | oidc
    browser = Column(String(120), nullable=False, default="")
    created_at = Column(UTCDateTime, nullable=False)
    seen_at = Column(UTCDateTime, nullable=False)
    expires_at = Column(UTCDateTime, nullable=False)
    revoked_at = Column(UTCDateTime, nullable=True)


class SignInAttempt(Base):
    """A try to sign in, for limits: names and addresses as keyed hashes only."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        Index("ix_sign_in_attempt_name", "name_hash", "at"),
        Index("ix_sign_in_attempt_address", "address_hash", "at"),
    )

    id = Column(Integer, primary_key=True)
    name_hash = Column(String(64), nullable=False)
    address_hash = Column(String(64), nullable=False)
    has_worked = Column(Boolean, nullable=False)
    at = Column(UTCDateTime, nullable=False)


class AuditEntry(Base):
    """What somebody saw or did at the desk: rows are added, never edited."""

    __tablename__ = "audit_entry"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id = Column(Integer, primary_key=True)
    agent_id = Column(Integer, nullable=True, index=True)  # null: nobody was signed in, or the command line
    agent_name = Column(String(64), nullable=False)
    action = Column(String(40), nullable=False)  # opened_conversation, took, sent_message, refused ...
    handoff_id = Column(Integer, nullable=True, index=True)
    sender_id = Column(String(128), nullable=True, index=True)
    customer_id = Column(Integer, nullable=True, index=True)
    details = Column(JSON, nullable=False, default=dict)  # facts, never what a shopper wrote
    at = Column(UTCDateTime, nullable=False, index=True)


class ReadMark(Base):
    """How far an agent has read a conversation."""

    __tablename__ = "read_mark"
    __table_args__ = (UniqueConstraint("agent_id", "sender_id"),)

    id = Column(Integer, primary_key=True)
    agent_id = Column(Integer, nullable=False)
    sender_id = Column(String(128), nullable=False)
    read_up_to = Column(Integer, nullable=False)  # an inbound message's id


OPEN_DELIVERY = "state = 'waiting'"


class DeskDelivery(Base):
    """Something that another desk is to be told, in order for each handoff. What is told is read when it is sent."""

    __tablename__ = "desk_delivery"
    __table_args__ = (
        UniqueConstraint("desk", "name"),
        Index("ix_desk_delivery_open", "desk", "id", sqlite_where=text(OPEN_DELIVERY), postgresql_where=text(OPEN_DELIVERY)),
    )

    id = Column(Integer, primary_key=True)
    desk = Column(String(24), nullable=False)
    name = Column(String(40), nullable=False)  # what it is of: "e31", a handoff's event; "m1042", a shopper's message
    source = Column(String(8), nullable=False)  # event | message
    source_id = Column(Integer, nullable=False)
    handoff_id = Column(Integer, nullable=False, index=True)
    created_at = Column(UTCDateTime, nullable=False)
    state = Column(String(8), nullable=False, default="waiting")  # waiting | sent | failed
    tries = Column(Integer, nullable=False, default=0)
    next_try_at = Column(UTCDateTime, nullable=False)
    sent_at = Column(UTCDateTime, nullable=True)
    error = Column(String(300), nullable=True)


class OutgoingAlert(Base):
    """Word for the shop's own system that a promise is about to be broken, or is: kept until its webhook has taken it."""

    __tablename__ = "outgoing_alert"
    __table_args__ = (Index("ix_outgoing_alert_due", "sent_at", "next_try_at"),)

    id = Column(Integer, primary_key=True)
    key = Column(String(120), nullable=False, unique=True)  # what caused it: the same cause twice sends one
    body = Column(JSON, nullable=False)  # facts, never what a shopper wrote
    created_at = Column(UTCDateTime, nullable=False)
    next_try_at = Column(UTCDateTime, nullable=False)  # pushed forward during a try
    tries = Column(Integer, nullable=False, default=0)
    sent_at = Column(UTCDateTime, nullable=True)  # or given up, with its error
    error = Column(String(300), nullable=True)  # of the last try
