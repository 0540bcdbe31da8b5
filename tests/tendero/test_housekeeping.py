"""Housekeeping does what is due, once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from commerce.loyalty.ledger import Cause, add_lot
from commerce.models import LedgerEntry
from database import transaction
from messaging import codes
from messaging.models import CodeRequest
from tendero.housekeeping import tidy
from tests.commerce.shop import Shop


def test_points_past_their_day_get_their_expiry_row_and_only_one(database_url: str, now: datetime) -> None:
    with transaction(database_url) as session:
        customer = Shop(session).customer("Ana")
        cause = Cause("earn", "purchase", "earn:1", now - timedelta(days=400))
        add_lot(session, customer.id, 300, cause, now - timedelta(days=1))
    assert tidy(database_url, now) == "300 points expired"
    assert tidy(database_url, now) == ""
    with transaction(database_url) as session:
        rows = select(func.count()).select_from(LedgerEntry).where(LedgerEntry.kind == "expire")
        assert session.execute(rows).scalar_one() == 1


def test_code_requests_are_deleted_when_no_limit_counts_them(database_url: str, now: datetime) -> None:
    with transaction(database_url) as session:
        codes.request_code(session, "web-1", "ana@example.com", None, now - timedelta(days=30), b"k" * 32)
        codes.request_code(session, "web-1", "ana@example.com", None, now, b"k" * 32)
    assert tidy(database_url, now) == "1 code requests deleted"
    with transaction(database_url) as session:
        assert session.execute(select(func.count()).select_from(CodeRequest)).scalar_one() == 1
