from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from messaging.identities import ANONYMOUS, Identity, Level, another_until, assert_identity, forget, identity, prove_identity

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def test_unknown_sender_is_anonymous(session: Session, now: datetime) -> None:
    assert identity(session, "webchat", "s1", now) == ANONYMOUS


def test_channel_asserts(session: Session, now: datetime) -> None:
    assert_identity(session, "whatsapp", "525512345678", 7, now)
    assert identity(session, "whatsapp", "525512345678", now) == Identity(7, Level.asserted)


def test_same_sender_on_another_channel_is_a_stranger(session: Session, now: datetime) -> None:
    prove_identity(session, "whatsapp", "s1", 7, now)
    assert identity(session, "webchat", "s1", now) == ANONYMOUS


def test_proof_beats_assertion_even_of_another_customer(session: Session, now: datetime) -> None:
    prove_identity(session, "whatsapp", "s1", 8, now)
    assert_identity(session, "whatsapp", "s1", 7, now)
    assert identity(session, "whatsapp", "s1", now) == Identity(8, Level.proven)


def test_expired_proof_falls_back_to_what_the_channel_asserted(session: Session, now: datetime) -> None:
    assert_identity(session, "whatsapp", "s1", 7, now)
    prove_identity(session, "whatsapp", "s1", 8, now)
    assert identity(session, "whatsapp", "s1", now + 12 * HOUR) == Identity(7, Level.asserted)


def test_expired_proof_without_assertion_is_anonymous(session: Session, now: datetime) -> None:
    prove_identity(session, "webchat", "s1", 7, now)
    assert identity(session, "webchat", "s1", now + 12 * HOUR - timedelta(seconds=1)).level is Level.proven
    assert identity(session, "webchat", "s1", now + 12 * HOUR) == ANONYMOUS


def test_proving_again_starts_the_twelve_hours_anew(session: Session, now: datetime) -> None:
    prove_identity(session, "webchat", "s1", 7, now)
    prove_identity(session, "webchat", "s1", 7, now + 11 * HOUR)
    assert identity(session, "webchat", "s1", now + 22 * HOUR) == Identity(7, Level.proven)


def test_next_customer_on_the_same_device_ends_the_first(session: Session, now: datetime) -> None:
    prove_identity(session, "webchat", "s1", 7, now)
    prove_identity(session, "webchat", "s1", 8, now + HOUR, lifetime=HOUR)
    assert identity(session, "webchat", "s1", now + HOUR) == Identity(8, Level.proven)
    assert identity(session, "webchat", "s1", now + 3 * HOUR) == ANONYMOUS  # and customer 7 does not come back


def test_sign_out_ends_both_levels(session: Session, now: datetime) -> None:
    assert_identity(session, "whatsapp", "s1", 7, now)
    prove_identity(session, "whatsapp", "s1", 7, now)
    forget(session, "whatsapp", "s1", now)
    assert identity(session, "whatsapp", "s1", now) == ANONYMOUS
    assert_identity(session, "whatsapp", "s1", 7, now)
    assert identity(session, "whatsapp", "s1", now) == Identity(7, Level.asserted)


def test_levels_compare() -> None:
    assert Level.anonymous < Level.asserted < Level.proven


def another(session: Session, now: datetime) -> datetime | None:
    return another_until(session, "whatsapp", "s1", identity(session, "whatsapp", "s1", now), now)


def test_who_was_alone_here_was_preceded_by_nobody(session: Session, now: datetime) -> None:
    assert another(session, now) is None
    assert_identity(session, "whatsapp", "s1", 7, now)
    prove_identity(session, "whatsapp", "s1", 7, now + HOUR)
    prove_identity(session, "whatsapp", "s2", 8, now)
    assert another(session, now + HOUR) is None


def test_another_was_here_until_they_signed_out(session: Session, now: datetime) -> None:
    prove_identity(session, "whatsapp", "s1", 7, now)
    forget(session, "whatsapp", "s1", now + MINUTE)
    assert another(session, now + 2 * MINUTE) == now + MINUTE  # also for nobody
    prove_identity(session, "whatsapp", "s1", 8, now + 3 * MINUTE)
    assert another(session, now + 4 * MINUTE) == now + MINUTE  # between the two it was nobody
    forget(session, "whatsapp", "s1", now + 5 * MINUTE)
    prove_identity(session, "whatsapp", "s1", 7, now + 6 * MINUTE)
    assert another(session, now + 7 * MINUTE) == now + 5 * MINUTE


def test_another_whom_the_channel_still_asserts_was_here_until_the_proof(session: Session, now: datetime) -> None:
    assert_identity(session, "whatsapp", "s1", 7, now)
    prove_identity(session, "whatsapp", "s1", 8, now + MINUTE)
    assert another(session, now + 2 * MINUTE) == now + MINUTE


def test_another_was_here_until_their_proof_expired(session: Session, now: datetime) -> None:
    assert_identity(session, "whatsapp", "s1", 7, now)
    prove_identity(session, "whatsapp", "s1", 8, now + MINUTE, lifetime=HOUR)
    assert another(session, now + 2 * HOUR) == now + MINUTE + HOUR  # it is customer 7 again


def test_proof_that_expired_makes_nobody_a_stranger_to_what_they_sent(session: Session, now: datetime) -> None:
    prove_identity(session, "whatsapp", "s1", 8, now, lifetime=HOUR)
    assert another(session, now + 2 * HOUR) is None
    prove_identity(session, "whatsapp", "s1", 7, now + 3 * HOUR)
    assert another(session, now + 4 * HOUR) == now + HOUR
