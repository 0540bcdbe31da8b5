"""Exchanges: another variant of the same product, its price settled, its piece reserved once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from commerce.models import Payment, ReturnAuthorization
from commerce.proposals import Offer, Stale
from commerce.returns import exchange_choices, expire_overdue, receive_goods
from tests.commerce.returns_desk import POLICIES, Desk, back, swap
from tests.commerce.shop import NOW

BLUE_S, BLUE_M, BLUE_L, WHITE, RED = (f"SHI-OXF-{each}" for each in ("BLU-S", "BLU-M", "BLU-L", "WHI-M", "RED-M"))


@pytest.fixture
def desk(session: Session, tmp_path: Path) -> Desk:
    return Desk(session, tmp_path / "home")


def _id(desk: Desk, sku: str) -> int:
    return int(desk.shop.variant(sku).id)


# What there is to choose from


def test_choices_are_other_variants_of_the_product_that_can_be_sent(desk: Desk) -> None:
    line = desk.shop.order(desk.ana, status="delivered").lines[0]
    choices = [(each.variant.sku, each.price_minor) for each in exchange_choices(desk.session, line, "EUR")]
    assert choices == [(BLUE_S, 4000), (WHITE, 4500), (RED, 3000)]


def test_choices_can_be_narrowed_to_a_size_or_a_colour(desk: Desk) -> None:
    line = desk.shop.order(desk.ana, status="delivered").lines[0]
    assert [each.variant.sku for each in exchange_choices(desk.session, line, "EUR", color="blue")] == [BLUE_S]
    assert exchange_choices(desk.session, line, "EUR", size="L") == []


def test_pieces_beyond_the_sea_are_no_choice(desk: Desk) -> None:
    line = desk.shop.order(desk.ana, status="delivered").lines[0]
    line.order.fulfilments[0].location.country = "MX"
    desk.shop.store.country = "MX"
    desk.session.flush()
    assert len(exchange_choices(desk.session, line, "EUR")) == 3
    elsewhere = desk.shop.order(desk.ana, status="delivered", delivery_method="pickup").lines[0]
    desk.shop.store.country = "ES"
    desk.session.flush()
    assert exchange_choices(desk.session, elsewhere, "EUR") == []


# An exchange from end to end


def test_an_even_exchange_costs_nothing_and_reserves_the_new_piece(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    offer = desk.ask(desk.exchanges, swap(order, _id(desk, BLUE_S)))
    assert isinstance(offer, Offer)
    assert (offer.summary["to_pay_minor"], offer.summary["refund_minor"]) == (0, 0)
    assert (offer.summary["item"]["sku"], offer.summary["to"]["sku"]) == (BLUE_M, BLUE_S)
    assert desk.shop.stock(BLUE_S) == 5
    result = desk.yes(desk.exchanges, offer).result
    assert (result["rma_number"], result["payment_id"], desk.shop.stock(BLUE_S)) == ("RMA-20001", None, 4)
    authorization = desk.session.query(ReturnAuthorization).one()
    assert (authorization.kind, authorization.exchange_variant.sku, authorization.policy_rule) == ("exchange", BLUE_S, "even")
    assert (desk.home / result["label_path"]).exists()
    assert desk.refunds() == []


def test_a_repeated_yes_reserves_nothing_more(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    offer = desk.ask(desk.exchanges, swap(order, _id(desk, WHITE)))
    desk.yes(desk.exchanges, offer)
    before = desk.counts()
    assert desk.yes(desk.exchanges, offer).repeated is True
    assert desk.counts() == before
    assert (desk.shop.stock(WHITE), before["return_authorization"], before["payment"]) == (4, 1, 2)


def test_for_a_dearer_variant_a_payment_is_asked_by_the_same_method(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {BLUE_M: 2}, status="delivered")
    result = desk.do(desk.exchanges, swap(order, _id(desk, WHITE), 2))
    assert (result["to_pay_minor"], result["refund_minor"]) == (1000, 0)
    payment = desk.session.get(Payment, result["payment_id"])
    assert (payment.method, payment.amount_minor, payment.status) == ("card", 1000, "pending")
    assert desk.session.query(ReturnAuthorization).one().difference_minor == 1000


def test_for_a_cheaper_variant_the_difference_comes_back(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    desk.points(desk.ana, 40, order)
    desk.do(desk.exchanges, swap(order, _id(desk, RED)))
    (refund,) = desk.refunds()
    assert (refund.reason, refund.amount_minor, refund.status) == ("price_difference", 1000, "waiting_for_goods")
    receive_goods(desk.session, "RMA-20001", NOW, POLICIES)
    assert (refund.status, desk.points_left()) == ("approved", 30)


def test_the_difference_that_comes_back_is_what_was_paid_after_the_discount(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered", discount_minor=2000)
    assert desk.ask(desk.exchanges, swap(order, _id(desk, RED))).summary["refund_minor"] == 500


def test_a_price_that_rose_since_the_purchase_is_not_paid(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    order.lines[0].unit_price_minor = 2500  # bought on sale
    desk.session.flush()
    assert desk.ask(desk.exchanges, swap(order, _id(desk, BLUE_S))).summary["to_pay_minor"] == 0


def test_no_more_comes_back_than_was_paid_for_the_piece(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    order.lines[0].unit_price_minor = 700  # bought on sale; today's prices are 1000 apart
    desk.session.flush()
    assert desk.ask(desk.exchanges, swap(order, _id(desk, RED))).summary["refund_minor"] == 700


def test_a_fee_for_the_way_back_counts_with_the_difference(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    summary = desk.ask(desk.exchanges, swap(order, _id(desk, RED), method="drop_off")).summary
    assert (summary["price_difference_minor"], summary["shipping_fee_minor"]) == (-1000, 495)
    assert (summary["to_pay_minor"], summary["refund_minor"]) == (0, 505)


def test_an_even_exchange_is_complete_when_the_goods_are_back(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    desk.points(desk.ana, 40, order)
    desk.do(desk.exchanges, swap(order, _id(desk, BLUE_S)))
    assert receive_goods(desk.session, "RMA-20001", NOW, POLICIES).status == "completed"
    assert desk.points_left() == 40


def test_an_exchange_that_is_never_sent_frees_the_piece_and_its_payment(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    payment_id = desk.do(desk.exchanges, swap(order, _id(desk, WHITE)))["payment_id"]
    assert desk.shop.stock(WHITE) == 4
    assert expire_overdue(desk.session, (NOW + timedelta(days=15)).date()) == ["RMA-20001"]
    assert (desk.shop.stock(WHITE), desk.session.get(Payment, payment_id).status) == (5, "voided")
    assert isinstance(desk.ask(desk.exchanges, swap(order, _id(desk, WHITE))), Offer)


# Refusals


def test_a_variant_that_is_sold_out_is_refused(desk: Desk) -> None:
    refusal = desk.refused(desk.exchanges, swap(desk.shop.order(desk.ana, status="delivered"), _id(desk, BLUE_L)))
    assert (refusal.reason, refusal.nearest, refusal.values["to_sku"]) == ("out_of_stock", "return", BLUE_L)
    assert {"fact": "in_stock", "to": True, "verdict": "allow", "rule": "even"} in refusal.would_change


def test_a_variant_with_fewer_pieces_than_asked_is_refused(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {BLUE_M: 2}, status="delivered")
    desk.shop.set_stock(BLUE_S, 1)
    assert desk.refused(desk.exchanges, swap(order, _id(desk, BLUE_S), 2)).reason == "out_of_stock"


def test_a_variant_that_is_no_longer_sold_is_refused(desk: Desk) -> None:
    desk.shop.variant(BLUE_S).is_active = False
    desk.session.flush()
    refusal = desk.refused(desk.exchanges, swap(desk.shop.order(desk.ana, status="delivered"), _id(desk, BLUE_S)))
    assert refusal.reason == "out_of_stock"


@pytest.mark.parametrize("sku", ["SHO-CIT-WHI-40", None])
def test_another_product_is_refused(desk: Desk, sku: str | None) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    refusal = desk.refused(desk.exchanges, swap(order, _id(desk, sku) if sku else 999999))
    assert (refusal.reason, refusal.nearest) == ("other_product", "return")


def test_the_same_variant_is_no_exchange(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    assert desk.refused(desk.exchanges, swap(order, _id(desk, BLUE_M))).reason == "same_variant"


def test_a_difference_that_the_payment_method_cannot_bear_is_refused(desk: Desk) -> None:
    to_pay = desk.shop.order(desk.ana, status="delivered", method="gift_card")
    assert desk.refused(desk.exchanges, swap(to_pay, _id(desk, WHITE))).reason == "method_cannot_bear_difference"
    assert isinstance(desk.ask(desk.exchanges, swap(to_pay, _id(desk, RED))), Offer)
    to_refund = desk.shop.order(desk.ana, status="delivered", method="oxxo")
    assert desk.refused(desk.exchanges, swap(to_refund, _id(desk, RED))).reason == "method_cannot_bear_difference"


@pytest.mark.parametrize(("points", "reason"), [(0, "window_closed"), (1000, None)])
def test_the_window_for_an_exchange_is_longer_for_a_higher_tier(desk: Desk, points: int, reason: str | None) -> None:
    if points:
        desk.points(desk.ana, points)
    order = desk.shop.order(desk.ana, status="delivered", delivered_days_ago=40)
    outcome = desk.ask(desk.exchanges, swap(order, _id(desk, BLUE_S)))
    assert isinstance(outcome, Offer) if reason is None else outcome.reason == reason


def test_a_line_is_exchanged_once(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {BLUE_M: 2}, status="delivered")
    desk.do(desk.exchanges, swap(order, _id(desk, BLUE_S)))
    receive_goods(desk.session, "RMA-20001", NOW, POLICIES)
    refusal = desk.refused(desk.exchanges, swap(order, _id(desk, BLUE_S)))
    assert (refusal.reason, refusal.nearest) == ("exchanged_before", "return")
    assert isinstance(desk.ask(desk.returns, back(order, 1)), Offer)


def test_what_came_of_an_exchange_is_a_persons_business(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {BLUE_M: 1}, status="delivered")
    desk.do(desk.exchanges, swap(order, _id(desk, BLUE_S)))
    receive_goods(desk.session, "RMA-20001", NOW, POLICIES)
    refusal = desk.refused(desk.exchanges, swap(order, _id(desk, BLUE_S)))
    assert (refusal.reason, refusal.nearest) == ("exchanged_before", "agent")
    refusal = desk.refused(desk.returns, back(order, 1))
    assert (refusal.reason, refusal.verdict) == ("exchanged", "needs_human")


def test_an_order_with_an_open_return_has_no_exchange(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {BLUE_M: 2}, status="delivered")
    desk.do(desk.returns, back(order, 1))
    assert desk.refused(desk.exchanges, swap(order, _id(desk, BLUE_S))).reason == "return_already_open"


def test_a_strangers_exchange_learns_nothing_and_changes_nothing(desk: Desk) -> None:
    eva = desk.shop.customer("Eva")
    order = desk.shop.order(desk.ana, status="delivered")
    request = swap(order, _id(desk, BLUE_S))
    assert desk.refused(desk.exchanges, request, eva) == desk.refused(desk.exchanges, {**request, "order_number": "99999"}, eva)


# Old summaries


def test_yes_after_the_last_piece_was_sold_does_nothing(desk: Desk) -> None:
    offer = desk.ask(desk.exchanges, swap(desk.shop.order(desk.ana, status="delivered"), _id(desk, BLUE_S)))
    desk.shop.set_stock(BLUE_S, 0)
    before = desk.counts()
    stale = desk.yes(desk.exchanges, offer)
    assert isinstance(stale, Stale)
    assert stale.refusal is not None
    assert (stale.reason, stale.refusal.reason) == ("facts_changed", "out_of_stock")
    assert desk.counts() == before


def test_yes_after_one_of_many_pieces_was_sold_is_still_good(desk: Desk) -> None:
    offer = desk.ask(desk.exchanges, swap(desk.shop.order(desk.ana, status="delivered"), _id(desk, BLUE_S)))
    desk.shop.set_stock(BLUE_S, 3)
    desk.yes(desk.exchanges, offer)
    assert desk.shop.stock(BLUE_S) == 2


def test_yes_after_the_price_changed_does_nothing(desk: Desk) -> None:
    offer = desk.ask(desk.exchanges, swap(desk.shop.order(desk.ana, status="delivered"), _id(desk, WHITE)))
    price = next(each for each in desk.shop.variant(WHITE).prices if each.currency == "EUR")
    price.amount_minor = 5000
    desk.session.flush()
    stale = desk.yes(desk.exchanges, offer)
    assert isinstance(stale, Stale)
    assert stale.offer is not None
    assert stale.offer.summary["to_pay_minor"] == 1000
    assert desk.shop.stock(WHITE) == 5
