"""Persons as a channel names them, by user id and phone number, and the conversation that is theirs.

A user id belongs to one person for ever. A phone number is theirs as long as it is their current one: who writes from it
afterwards, by another user id or by none, is somebody else.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from messaging import identities
from messaging.contacts import normalize_phone
from messaging.models import ChannelAddress, ChannelContact, InboundMessage, OutboundMessage
from messaging.turns import inbox, outbox
from messaging.writes import insert_once, one_at_a_time

WINDOW = timedelta(hours=24)  # after a person's message, what a business may write to them freely
PREFIXES = {"whatsapp": "wa-"}  # of the names of conversations
LONGEST_USER_ID, LONGEST_NAME, LONGEST_USERNAME = 160, 120, 64

_DIGITS = re.compile(r"\+?\d{5,15}")


@lru_cache(maxsize=4096)  # reading a number takes as long as writing a message down, and who writes once writes again
def phone_of(written: str | None) -> str | None:
    """E.164 of a number as a channel writes it ("5511987654321"): one form for the variants that reach one person."""
    found = _DIGITS.fullmatch(re.sub(r"[\s().-]", "", written or ""))
    if not found:
        return None
    # The channel has delivered from this number: that our tables do not know it yet changes nothing.
    return normalize_phone(found[0]) or f"+{found[0].lstrip('+')}"


def resolve(
    session: Session,
    channel: str,
    *,
    user_id: str | None,
    phone: str | None,
    name: str = "",
    username: str = "",
    now: datetime,
    wrote_at: datetime | None = None,
) -> str:
    """The person's conversation (`sender_id`), made where they are new. Raises ValueError where there is no address.

    phone: as the channel writes it. wrote_at: when they wrote, which opens the service window; None where they did not.
    """
    addresses = _addresses(user_id, phone)
    _one_at_a_time(session, channel, addresses)
    found = _found(session, channel, addresses)
    person = found.get("user_id") or _by_phone(found.get("phone"), addresses)
    if person is None:
        person = _new_person(session, channel, now)
    changed = _given(session, channel, person, addresses, found, now)
    changed |= _said_of_themselves(person, name, username)
    if wrote_at is not None:
        changed["unreachable"] = None
        if person.last_inbound_at is None or person.last_inbound_at < wrote_at:
            changed["last_inbound_at"] = wrote_at
    _write(session, person, changed)
    return person.sender_id


def known(session: Session, channel: str, *, user_id: str | None, phone: str | None) -> str | None:
    """The person's conversation, where there is one already."""
    try:
        addresses = _addresses(user_id, phone)
    except ValueError:
        return None
    found = _found(session, channel, addresses)
    person = found.get("user_id") or _by_phone(found.get("phone"), addresses)
    return person.sender_id if person else None


def moved(
    session: Session,
    channel: str,
    *,
    old_user_id: str | None,
    old_phone: str | None,
    new_user_id: str | None,
    new_phone: str | None,
    now: datetime,
) -> str | None:
    """The channel says that a person has another number or user id: the conversation stays theirs. None: nobody we know."""
    try:
        before, after = _addresses(old_user_id, old_phone), _addresses(new_user_id, new_phone)
    except ValueError:
        return None
    _one_at_a_time(session, channel, before, after)
    old = _found(session, channel, before)
    person = old.get("user_id") or _by_phone(old.get("phone"), before)
    if person is None:
        return None
    found = _found(session, channel, after)
    for kind, value in after.items():
        _give(session, channel, person, kind, value, found.get(kind), now)
    # A new number brings a new user id: as long as the channel has not named it, any that comes with the number is theirs.
    _write(session, person, {"user_id": after.get("user_id"), **after} if "phone" in after else after)
    return person.sender_id


def contact(session: Session, sender_id: str) -> ChannelContact | None:
    """What the channel knows of the person: where to send to."""
    named = select(ChannelContact).where(ChannelContact.sender_id == sender_id)
    return session.execute(named.execution_options(populate_existing=True)).scalar_one_or_none()


def proven_number(session: Session, sender_id: str) -> str | None:
    """The number that the channel has proven, in E.164."""
    found = session.execute(select(ChannelContact.phone).where(ChannelContact.sender_id == sender_id)).scalar_one_or_none()
    return normalize_phone(found) or found if found else None


def window_closes_at(session: Session, sender_id: str) -> datetime | None:
    """Until when the person may be written to freely. None: they never wrote."""
    found = select(ChannelContact.last_inbound_at).where(ChannelContact.sender_id == sender_id)
    wrote_at = session.execute(found).scalar_one_or_none()
    return wrote_at + WINDOW if wrote_at is not None else None


def purge(session: Session) -> int:
    """Delete the contacts of whom no address is left (erased, or known by another name), once nothing is to be sent to them."""
    named = select(ChannelAddress.sender_id)
    asked = select(InboundMessage.sender_id).where(InboundMessage.state.in_(inbox.OPEN))
    answered = select(OutboundMessage.sender_id).where(OutboundMessage.state.in_(outbox.OPEN))
    unneeded = [ChannelContact.sender_id.notin_(each) for each in (named, asked, answered)]
    return int(session.execute(delete(ChannelContact).where(*unneeded).execution_options(synchronize_session=False)).rowcount)


class _Person(NamedTuple):
    sender_id: str
    user_id: str | None = None
    phone: str | None = None
    name: str = ""
    username: str = ""
    last_inbound_at: datetime | None = None
    unreachable: str | None = None


Addresses = dict[str, str]  # by kind

_OF_PERSON = [getattr(ChannelContact, field) for field in _Person._fields]
_FIND = (
    select(ChannelAddress.kind, *_OF_PERSON)
    .join(ChannelContact, ChannelContact.sender_id == ChannelAddress.sender_id)
    .where(ChannelAddress.channel == bindparam("channel"))
    .where(
        or_(
            and_(ChannelAddress.kind == "user_id", ChannelAddress.value == bindparam("user_id")),
            and_(ChannelAddress.kind == "phone", ChannelAddress.value == bindparam("phone")),
        )
    )
)


def _addresses(user_id: str | None, phone: str | None) -> Addresses:
    """Raises ValueError where there is none."""
    usable = user_id if user_id and len(user_id) <= LONGEST_USER_ID else None
    found = {"user_id": usable, "phone": phone_of(phone)}
    addresses = {kind: value for kind, value in found.items() if value}
    if not addresses:
        raise ValueError("neither a user id nor a phone number")
    return addresses


def _one_at_a_time(session: Session, channel: str, *several: Addresses) -> None:
    names = {f"address:{channel}:{kind}:{value}" for addresses in several for kind, value in addresses.items()}
    one_at_a_time(session, *names)


def _found(session: Session, channel: str, addresses: Addresses) -> dict[str, _Person]:
    values = {"channel": channel, "user_id": addresses.get("user_id"), "phone": addresses.get("phone")}
    return {kind: _Person(*person) for kind, *person in session.execute(_FIND, values)}


def _by_phone(person: _Person | None, addresses: Addresses) -> _Person | None:
    """The number's person, if it still is their number: a new user id on it is a new person's."""
    if person is None or person.phone != addresses["phone"]:
        return None
    is_another = "user_id" in addresses and person.user_id not in (None, addresses["user_id"])
    return None if is_another else person


def _new_person(session: Session, channel: str, now: datetime) -> _Person:
    sender_id = PREFIXES[channel] + secrets.token_hex(12)
    insert_once(session, ChannelContact, {"sender_id": sender_id, "channel": channel, "created_at": now})
    return _Person(sender_id)


def _given(
    session: Session, channel: str, person: _Person, addresses: Addresses, found: Mapping[str, _Person], now: datetime
) -> dict[str, Any]:
    """What is new of the person's addresses. One that was theirs before stays in the past: the message was late."""
    new = {kind: value for kind, value in addresses.items() if kind not in found or found[kind].sender_id != person.sender_id}
    for kind, value in new.items():
        _give(session, channel, person, kind, value, found.get(kind), now)
    return dict(new)


def _give(session: Session, channel: str, person: _Person, kind: str, value: str, before: _Person | None, now: datetime) -> None:
    if before is None:
        row = {"channel": channel, "kind": kind, "value": value, "sender_id": person.sender_id, "since": now}
        insert_once(session, ChannelAddress, row)
    elif before.sender_id != person.sender_id:
        named = (ChannelAddress.channel == channel, ChannelAddress.kind == kind, ChannelAddress.value == value)
        passed_on = update(ChannelAddress).where(*named).values(sender_id=person.sender_id, since=now)
        session.execute(passed_on.execution_options(synchronize_session=False))
        if kind == "phone":
            _lost(session, channel, before, value, now)


def _lost(session: Session, channel: str, person: _Person, phone: str, now: datetime) -> None:
    """The number is somebody else's: nothing is sent there for this person, and what it proved holds no more."""
    theirs = (ChannelContact.sender_id == person.sender_id, ChannelContact.phone == phone)
    session.execute(update(ChannelContact).where(*theirs).values(phone=None).execution_options(synchronize_session=False))
    identities.forget(session, channel, person.sender_id, now)


def _said_of_themselves(person: _Person, name: str, username: str) -> dict[str, Any]:
    said = {"name": name[:LONGEST_NAME], "username": username[:LONGEST_USERNAME]}
    return {key: value for key, value in said.items() if value and value != getattr(person, key)}


def _write(session: Session, person: _Person, values: Mapping[str, Any]) -> None:
    changed = {key: value for key, value in values.items() if value != getattr(person, key)}
    if changed:
        row = ChannelContact.__table__
        session.execute(update(row).where(row.c.sender_id == person.sender_id).values(**changed))
