"""Claims: what is wrong, and what is done about it without a person."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.models import Claim, Fulfilment, ReturnAuthorization
from commerce.proposals import Offer, Stale
from commerce.refunds import paid_minor
from commerce.returns import receive_goods, returnable_lines
from tests.commerce.returns_desk import POLICIES, Desk, back, wrong
from tests.commerce.shop import NOW

SHIRT, SHOE = "SHI-OXF-BLU-M", "SHO-CIT-WHI-40"
PICTURE = ["var/pictures/1.jpg"]


@pytest.fixture
def desk(session: Session, tmp_path: Path) -> Desk:
    return Desk(session, tmp_path / "home")


def _claims(desk: Desk) -> list[Claim]:
    return list(desk.session.execute(select(Claim).order_by(Claim.id)).scalars())


# A piece is sent again


def test_a_damaged_item_is_replaced_from_stock(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 2}, status="delivered")
    result = desk.do(desk.claims, wrong(order, "damaged", evidence=PICTURE, note="torn"))
    assert (result["claim_number"], result["resolution"], result["status"]) == ("CLM-30001", "replacement", "replacing")
    assert (result["send_back"], result["rma_number"], desk.shop.stock(SHIRT)) == (False, None, 3)
    (claim,) = _claims(desk)
    assert (claim.order_line_id, claim.note, claim.evidence, claim.policy_rule) == (
        order.lines[0].id,
        "torn",
        PICTURE,
        "damaged",
    )
    parcel = desk.session.execute(select(Fulfilment).where(Fulfilment.status == "pending")).scalar_one()
    assert [(each.order_line_id, each.quantity) for each in parcel.lines] == [(order.lines[0].id, 2)]
    assert desk.refunds() == []


def test_a_repeated_yes_opens_one_claim(desk: Desk) -> None:
    offer = desk.ask(desk.claims, wrong(desk.shop.order(desk.ana, status="delivered"), "missing_item"))
    desk.yes(desk.claims, offer)
    before = desk.counts()
    assert desk.yes(desk.claims, offer).repeated is True
    assert desk.counts() == before
    assert (before["claim"], desk.shop.stock(SHIRT)) == (1, 4)


def test_a_wrong_item_travels_back_at_the_shops_cost(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    desk.points(desk.ana, 40, order)
    result = desk.do(desk.claims, wrong(order, "wrong_item", evidence=PICTURE))
    assert (result["resolution"], result["send_back"], result["rma_number"]) == ("replacement", True, "RMA-20001")
    assert (desk.home / result["label_path"]).exists()
    authorization = desk.session.query(ReturnAuthorization).one()
    assert (authorization.shipping_paid_by, authorization.refund_to) == ("shop", None)
    assert receive_goods(desk.session, "RMA-20001", NOW, POLICIES).status == "completed"
    assert (desk.points_left(), desk.refunds()) == (40, [])


def test_what_was_replaced_may_still_be_returned(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    desk.do(desk.claims, wrong(order, "wrong_item", evidence=PICTURE))
    receive_goods(desk.session, "RMA-20001", NOW, POLICIES)
    assert desk.ask(desk.returns, back(order, method="store")).summary["refund_minor"] == 4000


# Money comes back


def test_without_stock_the_money_comes_back_with_its_share_of_shipping(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 1, SHOE: 1}, status="delivered", shipping_minor=600)
    desk.points(desk.ana, 120, order)
    desk.shop.set_stock(SHIRT, 0)
    result = desk.do(desk.claims, wrong(order, "damaged", evidence=PICTURE))
    assert (result["resolution"], result["refund_minor"], result["refund_to"]) == ("refund", 4200, "original")
    (refund,) = desk.refunds()
    assert (refund.reason, refund.status, str(refund.due_by)) == ("claim", "approved", "2026-11-27")
    assert desk.points_left() == 80


def test_the_shoppers_wish_for_money_is_met(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    result = desk.do(desk.claims, wrong(order, "missing_item", resolution="refund", refund_to="store_credit"))
    assert (result["resolution"], result["refund_to"], desk.shop.stock(SHIRT)) == ("refund", "store_credit", 5)
    assert desk.refunds()[0].status == "settled"  # store credit is given at once


def test_a_wrong_item_is_paid_back_when_it_has_come_back(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    desk.do(desk.claims, wrong(order, "wrong_item", evidence=PICTURE, resolution="refund"))
    (refund,) = desk.refunds()
    assert (refund.status, refund.authorization.rma_number) == ("waiting_for_goods", "RMA-20001")
    receive_goods(desk.session, "RMA-20001", NOW, POLICIES)
    assert (refund.status, refund.amount_minor) == ("approved", 4000)


def test_what_a_claim_paid_back_cannot_be_returned_too(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 2}, status="delivered")
    desk.do(desk.claims, wrong(order, "missing_item", resolution="refund"))
    (verdict,) = returnable_lines(desk.session, desk.ana.id, order.number, NOW, POLICIES)
    assert (verdict.quantity_left, verdict.decision.rule) == (0, "already_returned")
    assert sum(each.amount_minor for each in desk.refunds()) == paid_minor(order)


def test_what_was_returned_is_not_claimed_too(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 2}, status="delivered")
    desk.do(desk.returns, back(order, 1, method="store"))
    result = desk.do(desk.claims, wrong(order, "missing_item", resolution="refund"))
    assert result["refund_minor"] == 4000


def test_cash_is_paid_back_as_store_credit(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered", method="cash")
    result = desk.do(desk.claims, wrong(order, "missing_item", resolution="refund"))
    assert result["refund_to"] == "store_credit"


# It has not come


def test_a_parcel_long_past_its_promise_is_sent_again(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="shipped", promised_in_days=-10)
    result = desk.do(desk.claims, wrong(order, "not_received", None))
    assert (result["resolution"], _claims(desk)[0].order_line_id, desk.shop.stock(SHIRT)) == ("replacement", None, 4)


def test_a_parcel_that_the_carrier_gave_up_is_not_waited_for(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="shipped", promised_in_days=3)
    order.fulfilments[0].shipments[0].status = "lost"
    assert desk.do(desk.claims, wrong(order, "not_received", None))["resolution"] == "replacement"


@pytest.mark.parametrize(("promised", "reason"), [(3, "on_its_way"), (-3, "late"), (-9, "late")])
def test_a_parcel_that_may_still_come_is_waited_for(desk: Desk, promised: int, reason: str) -> None:
    order = desk.shop.order(desk.ana, status="shipped", promised_in_days=promised)
    refusal = desk.refused(desk.claims, wrong(order, "not_received", None))
    assert (refusal.reason, refusal.nearest) == (reason, "track")


@pytest.mark.parametrize(("days", "is_allowed"), [(1, False), (2, True), (30, True), (31, False)])
def test_delivered_but_not_here_is_waited_for_two_days_and_heard_for_thirty(desk: Desk, days: int, is_allowed: bool) -> None:
    order = desk.shop.order(desk.ana, status="delivered", delivered_days_ago=days)
    assert isinstance(desk.ask(desk.claims, wrong(order, "not_received", None)), Offer) == is_allowed


def test_of_a_partly_delivered_order_only_the_missing_line_is_claimed(desk: Desk) -> None:
    order = desk.shop.order(
        desk.ana,
        {SHIRT: 1, SHOE: 1},
        status="partially_shipped",
        shipment_status="delivered",
        delivered_days_ago=5,
        placed_days_ago=30,
        promised_in_days=-12,
    )
    result = desk.do(desk.claims, wrong(order, "not_received", None, resolution="refund"))
    assert (result["refund_minor"], _claims(desk)[0].order_line_id) == (8000, order.lines[1].id)
    verdicts = returnable_lines(desk.session, desk.ana.id, order.number, NOW, POLICIES)
    assert [each.quantity_left for each in verdicts] == [1, 0]


# A person decides


def test_above_the_limit_a_person_decides(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHOE: 2}, status="delivered")
    result = desk.do(desk.claims, wrong(order, "damaged", evidence=PICTURE))
    assert (result["resolution"], result["status"], result["agent_reason"]) == ("agent", "with_agent", "above_limit")
    assert (desk.refunds(), desk.shop.stock(SHOE)) == ([], 5)


def test_one_of_several_pieces_is_a_persons_business(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 3}, status="delivered")
    result = desk.do(desk.claims, wrong(order, "missing_item", quantity=1))
    assert (result["resolution"], result["refund_minor"], desk.shop.stock(SHIRT)) == ("agent", 0, 5)


def test_with_neither_stock_nor_money_left_a_person_decides(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered", payments=[("card", 4000, "failed")])
    desk.shop.set_stock(SHIRT, 0)
    assert desk.ask(desk.claims, wrong(order, "missing_item")).summary["resolution"] == "agent"


# Refusals


def test_damage_needs_a_picture(desk: Desk) -> None:
    refusal = desk.refused(desk.claims, wrong(desk.shop.order(desk.ana, status="delivered"), "damaged"))
    assert (refusal.reason, refusal.nearest) == ("picture_needed", "send_picture")


def test_a_second_claim_about_the_same_thing_is_refused(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 1, SHOE: 1}, status="delivered")
    desk.do(desk.claims, wrong(order, "missing_item"))
    refusal = desk.refused(desk.claims, wrong(order, "damaged", evidence=PICTURE))
    assert (refusal.reason, refusal.values["claim_number"]) == ("claim_already_open", "CLM-30001")
    assert desk.do(desk.claims, wrong(order, "missing_item", 1))["claim_number"] == "CLM-30002"


def test_nothing_is_left_to_claim_when_all_went_back(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    desk.do(desk.returns, back(order))
    assert desk.refused(desk.claims, wrong(order, "missing_item")).reason == "nothing_left"


def test_a_stranger_claims_nothing_and_learns_nothing(desk: Desk) -> None:
    eva = desk.shop.customer("Eva")
    order = desk.shop.order(desk.ana, status="delivered")
    request = wrong(order, "missing_item")
    assert desk.refused(desk.claims, request, eva) == desk.refused(desk.claims, {**request, "order_number": "99999"}, eva)
    own = desk.shop.order(eva, status="delivered")
    assert desk.refused(desk.claims, {**request, "order_number": own.number}, eva).reason == "line_not_found"


def test_yes_after_the_last_piece_was_sold_does_nothing_and_offers_money(desk: Desk) -> None:
    offer = desk.ask(desk.claims, wrong(desk.shop.order(desk.ana, status="delivered"), "missing_item"))
    desk.shop.set_stock(SHIRT, 0)
    before = desk.counts()
    stale = desk.yes(desk.claims, offer, now=NOW + timedelta(minutes=5))
    assert isinstance(stale, Stale)
    assert stale.offer is not None
    assert stale.offer.summary["resolution"] == "refund"
    assert desk.counts() == before
