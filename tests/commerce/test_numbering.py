"""Running numbers: the next one, also past a digit, and also when somebody else was faster."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commerce import numbering
from commerce.models import Claim
from tests.commerce.shop import NOW, Shop


@pytest.fixture
def shop(session: Session) -> Shop:
    return Shop(session)


def _claim(shop: Shop) -> Claim:
    order = shop.order(shop.customer(f"Ana{shop._people}"))
    facts = {"problem": "damaged", "resolution": "agent", "status": "with_agent", "policy_rule": "damaged"}
    return Claim(order_id=order.id, opened_at=NOW, **facts)


def _add(shop: Shop) -> str:
    return numbering.add_numbered(shop.session, _claim(shop), "claim_number", "CLM-", 99998)


def test_numbers_run_on_past_a_digit(shop: Shop) -> None:
    assert [_add(shop) for _ in range(4)] == ["CLM-99998", "CLM-99999", "CLM-100000", "CLM-100001"]


def test_a_number_taken_meanwhile_is_reckoned_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _add(shop)
    old, reckoned = numbering.next_number, iter(["CLM-99998"])
    monkeypatch.setattr(numbering, "next_number", lambda *given: next(reckoned, None) or old(*given))
    assert _add(shop) == "CLM-99999"


def test_a_number_that_stays_taken_is_an_error(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _add(shop)
    monkeypatch.setattr(numbering, "next_number", lambda *given: "CLM-99998")
    with pytest.raises(IntegrityError):
        _add(shop)
