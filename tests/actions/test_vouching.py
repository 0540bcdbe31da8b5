"""Whom a proven phone number makes known, and when that ends."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from actions.vouching import number_of, vouch_again, vouched
from commerce.models import Customer
from messaging import identities
from messaging.identities import ANONYMOUS, Identity, Level
from messaging.models import ChannelContact

HOUR = timedelta(hours=1)


def customer(session: Session, number: str, phone: str, now: datetime) -> int:
    row = Customer(number=number, name="Ana", phone=phone, language="es", country="MX", currency="MXN", created_at=now)
    session.add(row)
    session.flush()
    return int(row.id)


def contact(session: Session, phone: str | None, now: datetime, sender: str = "wa-1") -> ChannelContact:
    row = ChannelContact(sender_id=sender, channel="whatsapp", phone=phone, created_at=now)
    session.add(row)
    session.flush()
    return row


def who(session: Session, now: datetime, channel: str = "whatsapp", sender: str = "wa-1") -> Identity:
    return vouched(session, channel, sender, identities.identity(session, channel, sender, now), now)


@pytest.mark.parametrize(
    ("proven", "on_file"),
    [
        ("+525512345678", "+525512345678"),
        ("+525512345678", "+5215512345678"),
        ("+5491123456789", "+541123456789"),
        ("+5511981234567", "+551181234567"),
        ("+551181234567", "+5511981234567"),
        ("+34612345678", "+34612345678"),
    ],
)
def test_number_on_file_makes_known_however_it_is_written(session: Session, now: datetime, proven: str, on_file: str) -> None:
    ana = customer(session, "C-1", on_file, now)
    contact(session, proven, now)
    assert who(session, now) == Identity(ana, Level.asserted)
    assert identities.identity(session, "whatsapp", "wa-1", now) == Identity(ana, Level.asserted)  # privacy looks there


def test_number_that_nobody_has_on_file_makes_nobody_known(session: Session, now: datetime) -> None:
    customer(session, "C-1", "+34612345678", now)
    contact(session, "+34612345679", now)
    assert who(session, now) == ANONYMOUS


def test_customer_who_registers_later_is_known_from_then_on(session: Session, now: datetime) -> None:
    contact(session, "+34612345678", now)
    assert who(session, now) == ANONYMOUS
    ana = customer(session, "C-1", "+34612345678", now)
    assert who(session, now) == Identity(ana, Level.asserted)


def test_two_customers_with_one_number_are_both_unknown(session: Session, now: datetime) -> None:
    customer(session, "C-1", "+525512345678", now)
    contact(session, "+525512345678", now)
    assert who(session, now).level is Level.asserted
    customer(session, "C-2", "+5215512345678", now)
    assert who(session, now) == ANONYMOUS
    assert identities.identity(session, "whatsapp", "wa-1", now) == ANONYMOUS


def test_erased_customer_is_nobody(session: Session, now: datetime) -> None:
    ana = customer(session, "C-1", "+34612345678", now)
    contact(session, "+34612345678", now)
    session.get(Customer, ana).erased_at = now
    session.flush()
    assert who(session, now) == ANONYMOUS


def test_number_that_has_moved_makes_the_old_conversation_unknown(session: Session, now: datetime) -> None:
    ana = customer(session, "C-1", "+34612345678", now)
    old = contact(session, "+34612345678", now)
    assert who(session, now).customer_id == ana
    old.phone = None
    contact(session, "+34612345678", now, sender="wa-2")
    assert who(session, now) == ANONYMOUS
    assert identities.identity(session, "whatsapp", "wa-1", now) == ANONYMOUS


def test_number_that_is_another_customers_on_file_by_now_makes_that_one_known(session: Session, now: datetime) -> None:
    ana = customer(session, "C-1", "+34612345678", now)
    contact(session, "+34612345678", now)
    assert who(session, now).customer_id == ana
    session.get(Customer, ana).phone = "+34612345670"
    session.flush()
    assert who(session, now) == ANONYMOUS
    eva = customer(session, "C-2", "+34612345678", now)
    assert who(session, now) == Identity(eva, Level.asserted)


def test_who_signed_out_is_known_again_only_after_naming_the_number(session: Session, now: datetime) -> None:
    ana = customer(session, "C-1", "+525512345678", now)
    contact(session, "+525512345678", now)
    assert who(session, now).customer_id == ana
    identities.forget(session, "whatsapp", "wa-1", now)
    assert who(session, now + HOUR) == ANONYMOUS
    assert not vouch_again(session, "whatsapp", "wa-1", "+525512345679", now)
    assert who(session, now + HOUR) == ANONYMOUS
    assert vouch_again(session, "whatsapp", "wa-1", "+525512345678", now)
    assert who(session, now + HOUR) == Identity(ana, Level.asserted)


def test_proof_holds_whatever_the_number_says(session: Session, now: datetime) -> None:
    customer(session, "C-1", "+34612345678", now)
    contact(session, "+34612345678", now)
    identities.prove_identity(session, "whatsapp", "wa-1", 77, now)
    assert who(session, now) == Identity(77, Level.proven)


def test_channel_that_proves_no_numbers_makes_nobody_known(session: Session, now: datetime) -> None:
    customer(session, "C-1", "+34612345678", now)
    contact(session, "+34612345678", now, sender="web-1")
    assert who(session, now, channel="webchat", sender="web-1") == ANONYMOUS
    assert not vouch_again(session, "webchat", "web-1", "+34612345678", now)


def test_number_is_told_in_its_one_form(session: Session, now: datetime) -> None:
    contact(session, "+5215512345678", now)
    assert number_of(session, "wa-1") == "+525512345678"
    assert number_of(session, "wa-2") is None


def test_whoever_has_a_number_after_somebody_else_is_not_taken_for_them(session: Session, now: datetime) -> None:
    customer(session, "C-1", "+34612345678", now)
    before = contact(session, "+34612345678", now, sender="wa-before")
    assert who(session, now, sender="wa-before").level is Level.asserted
    before.phone = None  # the operator gave the number to somebody else
    identities.forget(session, "whatsapp", "wa-before", now)
    contact(session, "+34612345678", now, sender="wa-after")
    assert who(session, now, sender="wa-after") == ANONYMOUS
    assert not vouch_again(session, "whatsapp", "wa-after", "+34612345678", now)
