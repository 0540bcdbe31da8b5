"""Who may be sent marketing, by purpose and channel. Rows are added, never edited: the newest one counts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from messaging.models import Consent


def grant(
    session: Session,
    *,
    purpose: str,
    channel: str,
    source: str,
    now: datetime,
    customer_id: int | None = None,
    contact: str | None = None,
) -> None:
    """Somebody says yes. customer_id or contact (e-mail or phone) or both; source: where it was said."""
    _add(session, True, purpose, channel, source, now, customer_id, contact)


def withdraw(
    session: Session,
    *,
    purpose: str,
    channel: str,
    source: str,
    now: datetime,
    customer_id: int | None = None,
    contact: str | None = None,
) -> None:
    """Somebody says no, at once and until a new yes."""
    _add(session, False, purpose, channel, source, now, customer_id, contact)


def note_once(
    session: Session,
    *,
    granted: bool,
    purpose: str,
    channel: str,
    source: str,
    at: datetime,
    contact: str,
    customer_id: int | None,
) -> None:
    """What a channel says that somebody has decided; told again, it adds nothing and is no newer for it."""
    same = (Consent.contact == _same(contact), Consent.purpose == purpose, Consent.channel == channel)
    told = select(Consent.id).where(*same, Consent.at == at, Consent.granted.is_(granted), Consent.source == source)
    if session.execute(told.limit(1)).scalar_one_or_none() is None:
        _add(session, granted, purpose, channel, source, at, customer_id, contact)


def may_send(session: Session, *, purpose: str, channel: str, customer_id: int | None = None, contact: str | None = None) -> bool:
    """Whether the newest word of this customer or contact is yes. Without any word: no.

    Give both where both are known: a withdrawal by either then counts for the person.
    """
    return bool(_newest(session, purpose, channel, customer_id, contact))


def is_withdrawn(
    session: Session, *, purpose: str, channel: str, customer_id: int | None = None, contact: str | None = None
) -> bool:
    """Whether the newest word of this customer or contact is no. Without any word: no."""
    return _newest(session, purpose, channel, customer_id, contact) is False


def newest_of(session: Session, customer_id: int, contacts: Collection[str]) -> list[Consent]:
    """The last word of this customer, or of one of their contacts, for each purpose and channel."""
    who = or_(Consent.customer_id == customer_id, Consent.contact.in_([_same(each) for each in contacts]))
    words = session.execute(select(Consent).where(who).order_by(Consent.at, Consent.id)).scalars()
    return list({(each.purpose, each.channel): each for each in words}.values())


def _newest(session: Session, purpose: str, channel: str, customer_id: int | None, contact: str | None) -> bool | None:
    newest = (
        select(Consent.granted)
        .where(Consent.purpose == purpose, Consent.channel == channel, or_(*_who(customer_id, contact)))
        .order_by(Consent.at.desc(), Consent.id.desc())
        .limit(1)
    )
    return session.execute(newest).scalar_one_or_none()


def _add(
    session: Session,
    granted: bool,
    purpose: str,
    channel: str,
    source: str,
    now: datetime,
    customer_id: int | None,
    contact: str | None,
) -> None:
    _who(customer_id, contact)
    row = Consent(purpose=purpose, channel=channel, granted=granted, source=source, at=now)
    row.customer_id, row.contact = customer_id, _same(contact) if contact else None
    session.add(row)
    session.flush()


def _who(customer_id: int | None, contact: str | None) -> list[Any]:
    if customer_id is None and not contact:
        raise ValueError("consent is somebody's: a customer_id or a contact is needed")
    by_customer = [Consent.customer_id == customer_id] if customer_id is not None else []
    return by_customer + ([Consent.contact == _same(contact)] if contact else [])


def _same(contact: str) -> str:
    return contact.strip().lower()
