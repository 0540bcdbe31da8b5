"""Who is asking. Three levels: anonymous < asserted (the channel knows the sender) < proven (by a one-time code)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from messaging import web_visitors
from messaging.models import ChannelIdentity
from messaging.writes import insert_or_update, one_at_a_time

PROOF_LIFETIME = timedelta(hours=12)


class Level(IntEnum):
    """How sure we are; levels compare: ``level >= Level.asserted``."""

    anonymous = 0
    asserted = 1  # the channel says so: a WhatsApp number on file
    proven = 2  # a code came back that was sent to the address on file


@dataclass(frozen=True)
class Identity:
    customer_id: int | None
    level: Level


ANONYMOUS = Identity(None, Level.anonymous)


def identity(session: Session, channel: str, sender_id: str, now: datetime) -> Identity:
    """The surest identity that holds now. A proof that has expired leaves what the channel asserted, else nobody."""
    rows = session.execute(_THAT_HOLD, {"channel": channel, "sender_id": sender_id, "now": now})
    found = [Identity(customer_id, Level[level]) for customer_id, level in rows]
    return max(found, key=lambda one: one.level, default=ANONYMOUS)


_THAT_HOLD = (
    select(ChannelIdentity.customer_id, ChannelIdentity.level)
    .where(ChannelIdentity.channel == bindparam("channel"), ChannelIdentity.sender_id == bindparam("sender_id"))
    .where(ChannelIdentity.ended_at.is_(None))
    .where(or_(ChannelIdentity.expires_at.is_(None), ChannelIdentity.expires_at > bindparam("now")))
)


def probable_customer(session: Session, sender_id: str) -> int | None:
    """Whom the newest identity of this sender names, on whichever channel: to guess a language by, never to show data by."""
    newest = (
        select(ChannelIdentity.customer_id)
        .where(ChannelIdentity.sender_id == sender_id, ChannelIdentity.ended_at.is_(None))
        .order_by(ChannelIdentity.verified_at.desc())
    )
    return session.execute(newest.limit(1)).scalar_one_or_none()


def another_until(session: Session, channel: str, sender_id: str, known: Identity, now: datetime) -> datetime | None:
    """Until when somebody other than `known` was known here: what was sent before that may be theirs. None: nobody ever was.

    known: who it is now; of nobody, everybody who has signed out is another, and a proof that has merely expired is not.
    """
    rows = session.execute(_EVER.where(ChannelIdentity.channel == channel, ChannelIdentity.sender_id == sender_id)).all()
    mine = {row.level: row.verified_at for row in rows if row.customer_id == known.customer_id}
    since = mine.get(known.level.name, now)
    ends = [_end(row, known, since, now) for row in rows if row.customer_id != known.customer_id]
    return max(filter(None, ends), default=None)


_EVER = select(
    ChannelIdentity.customer_id,
    ChannelIdentity.level,
    ChannelIdentity.verified_at,
    ChannelIdentity.expires_at,
    ChannelIdentity.ended_at,
)


def _end(row: Row, known: Identity, since: datetime, now: datetime) -> datetime | None:
    """When this one ceased to be who is asking: signed out, expired, or outdone by who is known `since` then."""
    if known.customer_id is None:
        return row.ended_at
    ended = [at for at in (row.ended_at, row.expires_at) if at is not None and at <= now]
    return min(ended, default=since)


def senders_known_as(session: Session, customer_id: int, now: datetime) -> set[str]:
    """Every conversation, on any channel, that is known as this customer's now."""
    return set(session.execute(_KNOWN_AS, {"customer_id": customer_id, "now": now}).scalars())


_KNOWN_AS = (
    select(ChannelIdentity.sender_id)
    .where(ChannelIdentity.customer_id == bindparam("customer_id"), ChannelIdentity.ended_at.is_(None))
    .where(or_(ChannelIdentity.expires_at.is_(None), ChannelIdentity.expires_at > bindparam("now")))
)


@dataclass(frozen=True)
class Proof:
    """Where somebody has proven to be this customer, and for which time: until it expired, where it did."""

    channel: str
    sender_id: str
    customer_id: int
    expires_at: datetime | None


def proofs_in(session: Session, sender_id: str) -> list[Proof]:
    """What was proven in this conversation and holds, or has merely expired: nobody has signed out, and nobody else has come."""
    return _proofs(session, ChannelIdentity.sender_id == sender_id)


def proofs_of(session: Session, customer_id: int) -> list[Proof]:
    """The same in all conversations, of this customer."""
    return _proofs(session, ChannelIdentity.customer_id == customer_id)


def _proofs(session: Session, whose: Any) -> list[Proof]:
    columns = (ChannelIdentity.channel, ChannelIdentity.sender_id, ChannelIdentity.customer_id, ChannelIdentity.expires_at)
    proven = select(*columns).where(whose, ChannelIdentity.level == Level.proven.name, ChannelIdentity.ended_at.is_(None))
    return [Proof(*row) for row in session.execute(proven.order_by(ChannelIdentity.id))]


def assert_identity(session: Session, channel: str, sender_id: str, customer_id: int, now: datetime) -> None:
    """The channel vouches for the sender: for good, until it names another customer or the shopper signs out."""
    _become(session, channel, sender_id, customer_id, Level.asserted, now, expires_at=None)


def end_assertion(session: Session, channel: str, sender_id: str, now: datetime) -> None:
    """The channel does not vouch for the sender any more; what they have proven themselves holds on."""
    session.execute(_current(channel, sender_id).where(ChannelIdentity.level == Level.asserted.name).values(ended_at=now))


def was_ended(session: Session, channel: str, sender_id: str, customer_id: int) -> bool:
    """Whether the channel has vouched for this customer before, and they signed out or somebody else came."""
    ended = select(ChannelIdentity.id).where(
        ChannelIdentity.channel == channel,
        ChannelIdentity.sender_id == sender_id,
        ChannelIdentity.customer_id == customer_id,
        ChannelIdentity.level == Level.asserted.name,
        ChannelIdentity.ended_at.is_not(None),
    )
    return session.execute(ended).first() is not None


def was_known_elsewhere(session: Session, channel: str, sender_id: str, customer_id: int) -> bool:
    """Whether another conversation of this channel was this customer's, and is no more: their number may have changed hands."""
    ended = select(ChannelIdentity.id).where(
        ChannelIdentity.channel == channel,
        ChannelIdentity.customer_id == customer_id,
        ChannelIdentity.sender_id != sender_id,
        ChannelIdentity.ended_at.is_not(None),
    )
    return session.execute(ended.limit(1)).first() is not None


def prove_identity(
    session: Session,
    channel: str,
    sender_id: str,
    customer_id: int,
    now: datetime,
    lifetime: timedelta = PROOF_LIFETIME,
) -> None:
    """The sender has shown a code that was sent to this customer's address on file."""
    _become(session, channel, sender_id, customer_id, Level.proven, now, expires_at=now + lifetime)


def forget(session: Session, channel: str, sender_id: str, now: datetime) -> None:
    """Sign out, of both levels and of the shop's sign-in. The channel may assert again, the shopper may prove again."""
    web_visitors.end_sign_in(session, sender_id, now)
    session.execute(_current(channel, sender_id).values(ended_at=now))


def _become(
    session: Session,
    channel: str,
    sender_id: str,
    customer_id: int,
    level: Level,
    now: datetime,
    expires_at: datetime | None,
) -> None:
    one_at_a_time(session, f"identity:{channel}:{sender_id}")
    session.execute(
        _current(channel, sender_id)
        .where(ChannelIdentity.level == level.name, ChannelIdentity.customer_id != customer_id)
        .values(ended_at=now)
    )
    insert_or_update(
        session,
        ChannelIdentity,
        key=("channel", "sender_id", "customer_id", "level"),
        values={
            "channel": channel,
            "sender_id": sender_id,
            "customer_id": customer_id,
            "level": level.name,
            "verified_at": now,
            "expires_at": expires_at,
            "ended_at": None,
        },
    )


def _current(channel: str, sender_id: str) -> update:
    return (
        update(ChannelIdentity)
        .where(ChannelIdentity.channel == channel, ChannelIdentity.sender_id == sender_id)
        .where(ChannelIdentity.ended_at.is_(None))
        .execution_options(synchronize_session=False)
    )
