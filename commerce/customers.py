"""Customers, found by what they say is theirs. Whether it is theirs is for a one-time code to show."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from commerce.models import Customer


def by_contact(session: Session, contact: str) -> Customer | None:
    """The customer with this e-mail (lower case) or phone (E.164), who has not been erased."""
    fits = or_(Customer.email == contact, Customer.phone == contact)
    customer: Customer | None = session.execute(select(Customer).where(fits, Customer.erased_at.is_(None))).scalar_one_or_none()
    return customer


def only_one_with_phone(session: Session, spellings: Collection[str]) -> int | None:
    """The id of the customer whose phone this is, however it is written; None where it is nobody's, or that of several."""
    fits = select(Customer.id).where(Customer.phone.in_(spellings), Customer.erased_at.is_(None))
    found = session.execute(fits.limit(2)).scalars().all()
    return int(found[0]) if len(found) == 1 else None


def with_number(session: Session, number: str) -> int | None:
    """The id of the customer whose number this is; None where nobody has it, or they have been erased."""
    fits = select(Customer.id).where(Customer.number == number, Customer.erased_at.is_(None))
    found = session.execute(fits).scalar_one_or_none()
    return None if found is None else int(found)


def number_of(session: Session, customer_id: int) -> str | None:
    return session.execute(select(Customer.number).where(Customer.id == customer_id)).scalar_one_or_none()
