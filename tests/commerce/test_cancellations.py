"""Calling an order off: before it is packed, for a reason from the table, once, and only by its owner."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce import loyalty
from commerce.cancellations import CancelOrder, reasons
from commerce.models import Cancellation, LedgerEntry, Order, Refund
from commerce.policies import Policies, load_policies
from commerce.proposals import Done, Offer, Refusal, Stale, confirm, propose
from tests.commerce.shop import NOW, POLICIES, Shop

CHAT = "web:ana"
REASON = "ordered_by_mistake"


@pytest.fixture(scope="module")
def policies() -> Policies:
    return load_policies(POLICIES)


@pytest.fixture
def cancel(policies: Policies) -> CancelOrder:
    return CancelOrder(policies)


def ask(session: Session, cancel: CancelOrder, customer_id: int, number: str, reason: str | None = REASON) -> Any:
    parameters = {"order_number": number, "reason": reason}
    return propose(session, cancel, customer_id, CHAT, parameters, NOW)


def done(session: Session, cancel: CancelOrder, order: Order, now: datetime = NOW) -> dict[str, Any]:
    offer = ask(session, cancel, order.customer_id, order.number)
    assert isinstance(offer, Offer), offer
    outcome = confirm(session, cancel, offer.proposal_id, order.customer_id, CHAT, now)
    assert isinstance(outcome, Done), outcome
    return dict(outcome.result)


def count(session: Session, table: Any) -> int:
    return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def untouched(session: Session, order: Order) -> bool:
    session.flush()
    session.expire_all()
    nothing_written = count(session, Refund) == count(session, Cancellation) == 0
    return nothing_written and order.version == 1


def test_the_summary_says_items_total_and_where_the_money_goes(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), {"SHI-OXF-BLU-M": 2}, number="10234")
    offer = ask(session, cancel, order.customer_id, "#10-234")
    assert isinstance(offer, Offer)
    assert offer.summary == {
        "order_number": "10234",
        "reason": REASON,
        "items": [
            {
                "line_id": order.lines[0].id,
                "sku": "SHI-OXF-BLU-M",
                "names": {"es": "Camisa Oxford", "en": "Oxford Shirt"},
                "options": {"size": "M", "color": "blue"},
                "quantity": 2,
                "total_minor": 8000,
            }
        ],
        "total_minor": 8000,
        "currency": "EUR",
        "nearest": None,
        "fee_minor": 0,
        "refund_minor": 8000,
        "refunds": [
            {
                "method": "card",
                "label": "Visa ···· 4242",
                "amount_minor": 8000,
                "destination": "original",
                "days_min": 5,
                "days_max": 7,
            }
        ],
        "points_reversed": 0,
    }
    assert untouched(session, order)


def test_a_confirmed_cancellation_closes_the_order_and_frees_its_stock(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), {"SHI-OXF-BLU-M": 2, "SHO-CIT-WHI-40": 1})
    done(session, cancel, order)
    session.expire_all()
    assert (order.status, order.version) == ("cancelled", 2)
    assert [each.status for each in order.fulfilments] == ["cancelled"]
    assert (order.cancellation.reason, order.cancellation.cancelled_at) == (REASON, NOW)
    assert (shop.stock("SHI-OXF-BLU-M"), shop.stock("SHO-CIT-WHI-40")) == (7, 6)


def test_a_card_is_refunded_in_five_to_seven_working_days(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer())
    result = done(session, cancel, order)
    refund = session.execute(select(Refund)).scalar_one()
    assert (refund.status, refund.destination, refund.amount_minor) == ("approved", "original", 4000)
    # Wednesday, 18 November: the fifth working day is the next Wednesday, the seventh is Friday.
    assert (refund.due_from, refund.due_by) == (date(2026, 11, 25), date(2026, 11, 27))
    assert result["refunds"][0]["due_by"] == "2026-11-27"
    assert order.payments[0].status == "captured"


@pytest.mark.parametrize("method", ["gift_card", "store_credit"])
def test_a_balance_is_refunded_at_once(session: Session, cancel: CancelOrder, method: str) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), method=method)
    result = done(session, cancel, order)
    refund = session.execute(select(Refund)).scalar_one()
    assert (refund.status, refund.settled_at, refund.amount_minor) == ("settled", NOW, 4000)
    assert result["refunds"][0]["status"] == "settled"
    assert order.payments[0].status == "refunded"


def test_cash_has_no_way_back_and_becomes_store_credit(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), method="oxxo")
    done(session, cancel, order)
    refund = session.execute(select(Refund)).scalar_one()
    assert (refund.destination, refund.status) == ("store_credit", "settled")


def test_each_payment_gets_its_own_money_back(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    payments = [("gift_card", 1000, "captured"), ("card", 3000, "captured")]
    order = shop.order(shop.customer(), payments=payments)
    result = done(session, cancel, order)
    assert result["refund_minor"] == 4000
    told = [(each["method"], each["amount_minor"], each["status"]) for each in result["refunds"]]
    assert told == [("gift_card", 1000, "settled"), ("card", 3000, "approved")]


def test_an_unpaid_order_is_called_off_without_a_refund(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), status="placed")
    result = done(session, cancel, order)
    assert (result["refund_minor"], result["refunds"], count(session, Refund)) == (0, [], 0)
    assert (order.status, order.payments[0].status) == ("cancelled", "voided")


def test_what_was_paid_of_a_half_paid_order_goes_back(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    payments = [("gift_card", 1000, "captured"), ("card", 3000, "failed")]
    order = shop.order(shop.customer(), status="placed", payments=payments)
    assert done(session, cancel, order)["refund_minor"] == 1000


def test_money_that_went_back_already_does_not_go_back_twice(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer())
    session.add(
        Refund(
            order=order,
            payment=order.payments[0],
            reason="goodwill",
            destination="original",
            amount_minor=1500,
            currency="EUR",
            status="settled",
            created_at=NOW,
        )
    )
    session.flush()
    assert done(session, cancel, order)["refund_minor"] == 2500


def test_points_of_the_order_are_taken_back(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer())
    session.add(
        LedgerEntry(
            customer_id=order.customer_id,
            kind="earn",
            points=40,
            order_id=order.id,
            reason="purchase",
            occurred_at=NOW - timedelta(days=1),
            expires_at=NOW + timedelta(days=300),
            key=f"earn:{order.id}",
        )
    )
    session.flush()
    offer = ask(session, cancel, order.customer_id, order.number)
    assert offer.summary["points_reversed"] == 40
    assert done(session, cancel, order)["points_reversed"] == 40
    assert loyalty.balance(session, order.customer_id, NOW) == 0


def test_a_second_yes_cancels_nothing_more(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer())
    offer = ask(session, cancel, order.customer_id, order.number)
    outcomes = [confirm(session, cancel, offer.proposal_id, order.customer_id, CHAT, NOW) for _ in range(2)]
    assert [isinstance(each, Done) and each.repeated for each in outcomes] == [False, True]
    assert (count(session, Refund), shop.stock("SHI-OXF-BLU-M"), order.version) == (1, 6, 2)


def test_a_stranger_learns_nothing_and_changes_nothing(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order, eva = shop.order(shop.customer("Ana"), number="10234"), shop.customer("Eva")
    refusal = ask(session, cancel, eva.id, "10234")
    nonexistent = ask(session, cancel, eva.id, "99999")
    assert refusal.reason == nonexistent.reason == "order_not_found"
    assert (refusal.values, refusal.rule) == ({"order_number": "10234"}, nonexistent.rule)
    offer = ask(session, cancel, order.customer_id, "10234")
    assert confirm(session, cancel, offer.proposal_id, eva.id, CHAT, NOW) == Stale("unknown")
    assert untouched(session, order)
    assert order.status == "paid"


def test_a_yes_after_packing_began_does_nothing_and_hands_over(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer())
    offer = ask(session, cancel, order.customer_id, order.number)
    order.fulfilments[0].status = "preparing"
    outcome = confirm(session, cancel, offer.proposal_id, order.customer_id, CHAT, NOW)
    assert isinstance(outcome, Stale)
    assert (outcome.reason, outcome.offer) == ("facts_changed", None)
    assert outcome.refusal is not None
    assert (outcome.refusal.reason, outcome.refusal.verdict) == ("being_prepared", "needs_human")
    assert untouched(session, order)


def test_a_yes_after_the_order_changed_shows_the_new_summary(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer())
    offer = ask(session, cancel, order.customer_id, order.number)
    order.version += 1
    outcome = confirm(session, cancel, offer.proposal_id, order.customer_id, CHAT, NOW)
    assert isinstance(outcome, Stale)
    assert outcome.offer is not None
    assert (order.status, count(session, Refund)) == ("paid", 0)


@pytest.mark.parametrize(
    ("status", "rule", "verdict", "nearest"),
    [
        ("preparing", "being_prepared", "needs_human", "agent"),
        ("partially_shipped", "already_shipped", "deny", "track"),
        ("shipped", "already_shipped", "deny", "track"),
        ("ready_for_pickup", "already_shipped", "deny", "track"),
        ("delivered", "already_delivered", "deny", "return"),
        ("cancelled", "already_cancelled", "deny", "refund_status"),
    ],
)
def test_after_packing_began_the_table_refuses_for_any_reason(
    session: Session, cancel: CancelOrder, status: str, rule: str, verdict: str, nearest: str
) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), status=status)
    for reason in (REASON, None, "too_small"):
        refusal = ask(session, cancel, order.customer_id, order.number, reason)
        assert isinstance(refusal, Refusal)
        assert (refusal.rule, refusal.verdict, refusal.nearest) == (rule, verdict, nearest)
    assert untouched(session, order)


def test_what_waits_in_a_store_is_refused_in_words_of_its_own(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    shopper = shop.customer()
    for status, reason in (("ready_for_pickup", "waits_in_store"), ("shipped", "already_shipped")):
        order = shop.order(shopper, status=status)
        assert ask(session, cancel, shopper.id, order.number).reason == reason


def test_a_reason_outside_the_list_goes_to_a_human(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer())
    refusal = ask(session, cancel, order.customer_id, order.number, "other")
    assert (refusal.rule, refusal.verdict, refusal.nearest) == ("reason_not_listed", "needs_human", "agent")
    assert untouched(session, order)


def test_who_wants_another_size_is_told_that_a_change_is_nearer(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer())
    offer = ask(session, cancel, order.customer_id, order.number, "change_order")
    assert offer.summary["nearest"] == "change_order"


def test_a_gift_called_off_before_it_is_packed_is_paid_back_to_its_giver(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), is_gift=True)
    refund = done(session, cancel, order)["refunds"][0]
    assert (refund["destination"], refund["status"], refund["due_by"]) == ("original", "approved", "2026-11-27")


@pytest.mark.parametrize("reason", [None, "too_small"])
def test_without_a_known_reason_the_shopper_is_asked_for_one(
    session: Session, cancel: CancelOrder, policies: Policies, reason: str | None
) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer())
    refusal = ask(session, cancel, order.customer_id, order.number, reason)
    assert (refusal.rule, refusal.reason) == ("incomplete", "reason_missing")
    assert refusal.values["reasons"] == reasons(policies, NOW.date())
    assert "found_cheaper" in refusal.values["reasons"]


def test_a_part_that_is_packed_already_keeps_the_whole_order(session: Session, cancel: CancelOrder) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer())
    order.fulfilments[0].status = "shipped"  # the order's own status lags behind
    session.flush()
    assert ask(session, cancel, order.customer_id, order.number).rule == "already_shipped"
