from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from messaging.consent import grant, may_send, withdraw
from messaging.models import Consent

NEWS = {"purpose": "marketing", "channel": "email"}


def test_without_a_word_nothing_is_sent(session: Session) -> None:
    assert may_send(session, customer_id=7, **NEWS) is False


def test_newest_word_counts(session: Session, now: datetime) -> None:
    said = []
    for act in (grant, withdraw, grant):
        act(session, customer_id=7, source="chat", now=now, **NEWS)
        said.append(may_send(session, customer_id=7, **NEWS))
    assert said == [True, False, True]


def test_late_arrival_of_an_old_word_changes_nothing(session: Session, now: datetime) -> None:
    withdraw(session, customer_id=7, source="chat", now=now, **NEWS)
    grant(session, customer_id=7, source="import", now=now - timedelta(days=1), **NEWS)
    assert may_send(session, customer_id=7, **NEWS) is False


def test_words_are_added_never_edited(session: Session, now: datetime) -> None:
    grant(session, customer_id=7, source="chat", now=now, **NEWS)
    withdraw(session, customer_id=7, source="chat", now=now, **NEWS)
    assert session.execute(select(func.count()).select_from(Consent)).scalar_one() == 2


def test_consent_is_for_its_purpose_channel_and_person_only(session: Session, now: datetime) -> None:
    grant(session, customer_id=7, source="chat", now=now, **NEWS)
    assert may_send(session, customer_id=8, **NEWS) is False
    assert may_send(session, customer_id=7, purpose="marketing", channel="whatsapp") is False
    assert may_send(session, customer_id=7, purpose="survey", channel="email") is False


def test_withdrawal_by_address_counts_for_the_customer(session: Session, now: datetime) -> None:
    grant(session, customer_id=7, contact="ana@example.com", source="chat", now=now, **NEWS)
    withdraw(session, contact=" Ana@Example.com", source="link", now=now, **NEWS)
    assert may_send(session, customer_id=7, contact="ana@example.com", **NEWS) is False


def test_consent_of_nobody_is_a_mistake(session: Session, now: datetime) -> None:
    with pytest.raises(ValueError, match="somebody's"):
        grant(session, source="chat", now=now, **NEWS)
    with pytest.raises(ValueError, match="somebody's"):
        may_send(session, **NEWS)
