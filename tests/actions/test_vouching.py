"""Whom a proven phone number makes known, and when that ends."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from actions.vouching import vouch_again, vouched
from commerce.models import Customer
from messaging import identities, web_visitors
from messaging.channel_contacts import proven_number
from messaging.identities import ANONYMOUS, Identity, Level
from messaging.models import ChannelContact, WebVisitor

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
    assert proven_number(session, "wa-1") == "+525512345678"
    assert proven_number(session, "wa-2") is None


def test_whoever_has_a_number_after_somebody_else_is_not_taken_for_them(session: Session, now: datetime) -> None:
    customer(session, "C-1", "+34612345678", now)
    before = contact(session, "+34612345678", now, sender="wa-before")
    assert who(session, now, sender="wa-before").level is Level.asserted
    before.phone = None  # the operator gave the number to somebody else
    identities.forget(session, "whatsapp", "wa-before", now)
    contact(session, "+34612345678", now, sender="wa-after")
    assert who(session, now, sender="wa-after") == ANONYMOUS
    assert not vouch_again(session, "whatsapp", "wa-after", "+34612345678", now)


# The shop's own sign-in


def visitor(session: Session, number: str | None, until: datetime | None, now: datetime, sender: str = "web-1") -> WebVisitor:
    seen = {"rotated_at": now, "created_at": now, "seen_at": now}
    row = WebVisitor(sender_id=sender, customer=number, customer_until=until, **seen)
    session.add(row)
    session.flush()
    return row


def on_page(session: Session, now: datetime, sender: str = "web-1") -> Identity:
    return who(session, now, channel="webchat", sender=sender)


def test_customer_whom_the_shop_signs_in_is_proven_until_then(session: Session, now: datetime) -> None:
    ana = customer(session, "C-1", "+34612345678", now)
    visitor(session, "C-1", now + HOUR, now)
    assert on_page(session, now) == Identity(ana, Level.proven)
    assert on_page(session, now + HOUR - timedelta(seconds=1)) == Identity(ana, Level.proven)
    assert on_page(session, now + HOUR) == ANONYMOUS
    assert identities.identity(session, "webchat", "web-1", now) == Identity(ana, Level.proven)  # privacy looks there


def test_sign_in_that_was_renewed_holds_on(session: Session, now: datetime) -> None:
    ana = customer(session, "C-1", "+34612345678", now)
    row = visitor(session, "C-1", now + HOUR, now)
    assert on_page(session, now).customer_id == ana
    row.customer_until = now + 3 * HOUR
    session.flush()
    assert on_page(session, now + 2 * HOUR) == Identity(ana, Level.proven)


def test_only_the_channel_with_pages_is_signed_in_by_the_shop(session: Session, now: datetime) -> None:
    customer(session, "C-1", "+34612345678", now)
    visitor(session, "C-1", now + HOUR, now)
    assert who(session, now, channel="telegram", sender="web-1") == ANONYMOUS
    assert on_page(session, now, sender="web-2") == ANONYMOUS


def test_signing_out_of_the_shop_ends_the_level_at_once(session: Session, now: datetime) -> None:
    customer(session, "C-1", "+34612345678", now)
    visitor(session, "C-1", now + HOUR, now)
    assert on_page(session, now).level is Level.proven
    identities.forget(session, "webchat", "web-1", now)  # also what "I am not Ana" in the chat does
    assert on_page(session, now) == ANONYMOUS


def test_visitor_who_was_revoked_is_not_signed_in(session: Session, now: datetime) -> None:
    customer(session, "C-1", "+34612345678", now)
    visitor(session, "C-1", now + HOUR, now).revoked_at = now
    session.flush()
    assert on_page(session, now) == ANONYMOUS


def test_customer_whom_we_do_not_know_is_nobody_and_becomes_known_when_imported(
    session: Session, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    visitor(session, "C-99", now + HOUR, now)
    assert on_page(session, now) == ANONYMOUS
    assert "a customer whom we do not know" in caplog.text
    assert "C-99" not in caplog.text
    eva = customer(session, "C-99", "+34612345678", now)
    assert on_page(session, now) == Identity(eva, Level.proven)


def test_customer_who_was_erased_is_not_signed_in(session: Session, now: datetime) -> None:
    ana = customer(session, "C-1", "+34612345678", now)
    visitor(session, "C-1", now + HOUR, now)
    session.get(Customer, ana).erased_at = now
    session.flush()
    assert on_page(session, now) == ANONYMOUS


def test_sign_in_outdoes_the_code_of_another(session: Session, now: datetime) -> None:
    ana, eva = customer(session, "C-1", "+34612345678", now), customer(session, "C-2", "+34612345679", now)
    identities.prove_identity(session, "webchat", "web-1", eva, now)
    visitor(session, "C-1", now + HOUR, now)
    assert on_page(session, now) == Identity(ana, Level.proven)
    assert on_page(session, now + HOUR) == ANONYMOUS  # and Eva does not come back


def test_whoever_shows_a_code_has_the_conversation_and_is_not_signed_in_by_it(session: Session, now: datetime) -> None:
    eva = customer(session, "C-2", "+34612345679", now)
    row = visitor(session, None, None, now)
    identities.prove_identity(session, "webchat", "web-1", eva, now)
    assert on_page(session, now) == Identity(eva, Level.proven)
    session.refresh(row)
    assert (row.customer, row.customer_until) == ("C-2", None)
    assert web_visitors.signed_in(session, "web-1", now) is None
    identities.forget(session, "webchat", "web-1", now)
    assert on_page(session, now) == ANONYMOUS
