"""Returns: who may give what back until when, for how much, and that it happens once."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from commerce.models import ReturnAuthorization
from commerce.proposals import Offer, Refusal, Stale, confirm, propose
from commerce.refunds import paid_minor
from commerce.returns import UnknownReturn, expire_overdue, inspect_goods, receive_goods, returnable_lines
from commerce.returns.label import Label, label_bytes, printable
from database import Base
from tests.commerce.returns_desk import POLICIES, Desk, back
from tests.commerce.shop import NOW

SHIRT, BRIEFS, BAG, SHOE = "SHI-OXF-BLU-M", "UND-COT-BLA-M", "BAG-OUT-BLA", "SHO-CIT-WHI-40"


@pytest.fixture
def desk(session: Session, tmp_path: Path) -> Desk:
    return Desk(session, tmp_path / "home")


# A return from end to end


def test_the_summary_says_what_goes_back_and_what_it_costs(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 2, SHOE: 1}, status="delivered", shipping_minor=500)
    desk.points(desk.ana, 160, order)
    offer = desk.ask(desk.returns, back(order, 1, 1))
    assert isinstance(offer, Offer)
    items = [(each["sku"], each["quantity"], each["amount_minor"]) for each in offer.summary["items"]]
    assert items == [(SHIRT, 1, 4000), (SHOE, 1, 8000)]
    assert {key: value for key, value in offer.summary.items() if key != "items"} == {
        "order_number": order.number,
        "reason": "changed_mind",
        "method": "drop_off",
        "send_by": "2026-12-02",
        "currency": "EUR",
        "goods_minor": 12000,
        "shipping_refund_minor": 0,
        "shipping_paid_by": "shopper",
        "shipping_fee_minor": 495,
        "refund_minor": 11505,
        "refund_to": "original",
        "refund_parts": [{"method": "card", "label": "Visa ···· 4242", "amount_minor": 11505}],
        "refund_days_min": 5,
        "refund_days_max": 7,
        "inspection": False,
        "points_reversed": 120,
    }


def test_yes_writes_the_authorization_its_refund_and_its_label(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 2}, status="delivered")
    result = desk.do(desk.returns, back(order, 2))
    assert (result["rma_number"], result["label_path"]) == ("RMA-20001", "labels/RMA-20001.pdf")
    authorization = desk.session.query(ReturnAuthorization).one()
    assert (authorization.kind, authorization.status, authorization.policy_rule) == ("return", "authorized", "in_window")
    assert [(each.order_line_id, each.quantity) for each in authorization.lines] == [(order.lines[0].id, 2)]
    (refund,) = desk.refunds()
    assert (refund.amount_minor, refund.status, refund.authorization) == (7505, "waiting_for_goods", authorization)
    assert (desk.home / result["label_path"]).exists()


def test_a_repeated_yes_changes_nothing(desk: Desk) -> None:
    offer = desk.ask(desk.returns, back(desk.shop.order(desk.ana, status="delivered")))
    first = desk.yes(desk.returns, offer)
    before = desk.counts()
    again = desk.yes(desk.returns, offer)
    assert (again.repeated, again.result) == (True, first.result)
    assert desk.counts() == before
    assert before["return_authorization"] == before["refund"] == before["labels"] == 1


def test_the_next_return_has_the_next_number(desk: Desk) -> None:
    numbers = [desk.do(desk.returns, back(desk.shop.order(desk.ana, status="delivered")))["rma_number"] for _ in range(3)]
    assert numbers == ["RMA-20001", "RMA-20002", "RMA-20003"]


def test_an_order_discount_is_taken_off_pro_rata(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 1, SHOE: 1}, status="delivered", discount_minor=1000)
    offer = desk.ask(desk.returns, back(order, 1, method="store"))
    assert offer.summary["refund_minor"] == 3666  # 4000 of 12000, of which 11000 were paid; rounded down


def test_the_last_piece_gets_what_rounding_left(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 3}, status="delivered", discount_minor=1000)
    for _ in range(3):
        desk.do(desk.returns, back(order, 1, method="store"))
        receive_goods(desk.session, f"RMA-{20000 + len(desk.refunds())}", NOW, POLICIES)
    assert [each.amount_minor for each in desk.refunds()] == [3666, 3667, 3667]


def test_shipping_is_refunded_only_for_a_defect(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 1}, status="delivered", shipping_minor=500)
    summary = desk.ask(desk.returns, back(order, reason="defective")).summary
    assert (summary["shipping_refund_minor"], summary["refund_minor"]) == (500, 4500)
    assert (summary["shipping_paid_by"], summary["shipping_fee_minor"]) == ("shop", 0)


def test_a_pick_up_costs_more_than_a_drop_off(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    assert desk.ask(desk.returns, back(order, method="pick_up")).summary["shipping_fee_minor"] == 795


def test_no_pick_up_without_an_address(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    order.shipping_address = {}
    refusal = desk.refused(desk.returns, back(order, method="pick_up"))
    assert (refusal.reason, refusal.nearest) == ("pick_up_unavailable", "drop_off")


def test_two_payments_get_back_what_each_has_given(desk: Desk) -> None:
    payments = [("card", 3000, "captured"), ("gift_card", 1000, "captured")]
    order = desk.shop.order(desk.ana, {SHIRT: 1}, status="delivered", payments=payments)
    desk.do(desk.returns, back(order, method="store"))
    assert [(each.payment.method, each.amount_minor) for each in desk.refunds()] == [("card", 3000), ("gift_card", 1000)]


# Refusals


@pytest.mark.parametrize(("points", "days", "is_allowed"), [(0, 30, 1), (0, 31, 0), (1000, 45, 1), (1000, 46, 0)])
def test_the_window_is_longer_for_a_higher_tier(desk: Desk, points: int, days: int, is_allowed: int) -> None:
    if points:
        desk.points(desk.ana, points)
    order = desk.shop.order(desk.ana, status="delivered", delivered_days_ago=days)
    outcome = desk.ask(desk.returns, back(order))
    assert isinstance(outcome, Offer) == bool(is_allowed)
    if not is_allowed:
        assert (outcome.rule, outcome.nearest) == ("window_closed", "agent")
        assert outcome.values["return_days"] == (45 if points else 30)


def test_the_refusal_of_a_late_return_says_what_would_change_it(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered", delivered_days_ago=40)
    refusal = desk.refused(desk.returns, back(order))
    assert {"fact": "tier", "to": "silver", "verdict": "allow", "rule": "in_window"} in refusal.would_change
    assert (refusal.values["sku"], refusal.values["delivered_on"]) == (SHIRT, "2026-10-09")


@pytest.mark.parametrize(
    ("sku", "package", "verdict", "reason"),
    [
        (BRIEFS, "opened", "deny", "hygiene_opened"),
        (BRIEFS, "unknown", "needs_human", "package_unknown"),
        (BAG, "sealed", "deny", "final_sale"),
    ],
)
def test_hygiene_and_final_sale_are_refused(desk: Desk, sku: str, package: str, verdict: str, reason: str) -> None:
    order = desk.shop.order(desk.ana, {sku: 1}, status="delivered")
    refusal = desk.refused(desk.returns, back(order, package=package))
    assert (refusal.verdict, refusal.reason) == (verdict, reason)


def test_sealed_hygiene_may_come_back(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {BRIEFS: 1}, status="delivered")
    assert isinstance(desk.ask(desk.returns, back(order)), Offer)


def test_one_item_that_may_not_come_back_refuses_the_whole_request(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 1, BAG: 1}, status="delivered")
    refusal = desk.refused(desk.returns, back(order, 1, 1))
    assert (refusal.reason, refusal.values["sku"]) == ("final_sale", BAG)


def test_a_gift_gives_store_credit_only(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered", is_gift=True)
    refusal = desk.refused(desk.returns, back(order))
    assert (refusal.reason, refusal.nearest) == ("gift_to_giver", "store_credit")
    desk.do(desk.returns, back(order, refund_to="store_credit"))
    assert [(each.destination, each.payment_id) for each in desk.refunds()] == [("store_credit", None)]


def test_a_destination_that_the_table_does_not_offer_is_refused(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    refusal = desk.refused(desk.returns, back(order, refund_to="gift_card"))
    assert (refusal.reason, refusal.nearest) == ("destination_not_offered", "original")


def test_cash_does_not_go_back_as_cash(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered", method="oxxo")
    assert desk.refused(desk.returns, back(order)).reason == "cash"


def test_what_has_not_arrived_is_not_returned(desk: Desk) -> None:
    refusal = desk.refused(desk.returns, back(desk.shop.order(desk.ana, status="shipped")))
    assert (refusal.reason, refusal.nearest) == ("not_delivered", "cancel")


def test_of_a_partly_delivered_order_the_arrived_line_may_come_back(desk: Desk) -> None:
    order = desk.shop.order(
        desk.ana, {SHIRT: 1, SHOE: 1}, status="partially_shipped", shipment_status="delivered", delivered_days_ago=1
    )
    verdicts = returnable_lines(desk.session, desk.ana.id, order.number, NOW, POLICIES)
    assert [(each.quantity_left, each.decision.rule) for each in verdicts] == [(1, "opened"), (0, "not_delivered")]


def test_an_item_picked_up_in_the_store_may_come_back(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered", delivery_method="pickup", promised_in_days=-20)
    assert isinstance(desk.ask(desk.returns, back(order)), Offer)


def test_what_is_on_its_way_back_is_refused_with_its_number_and_what_is_back_without(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    desk.do(desk.returns, back(order))
    refusal = desk.refused(desk.returns, back(order))
    assert (refusal.rule, refusal.reason) == ("already_returned", "already_coming_back")
    assert refusal.values["rma_number"] == "RMA-20001"
    receive_goods(desk.session, "RMA-20001", NOW, POLICIES)
    assert desk.refused(desk.returns, back(order)).reason == "already_returned"


def test_one_return_of_an_order_at_a_time(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 1, SHOE: 1}, status="delivered")
    desk.do(desk.returns, back(order, 1, 0))
    refusal = desk.refused(desk.returns, back(order, 0, 1))
    assert (refusal.reason, refusal.values["rma_number"]) == ("return_already_open", "RMA-20001")
    receive_goods(desk.session, "RMA-20001", NOW, POLICIES)
    assert isinstance(desk.ask(desk.returns, back(order, 0, 1)), Offer)


def test_more_pieces_than_the_shopper_has_are_refused(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 2}, status="delivered")
    refusal = desk.refused(desk.returns, back(order, 3))
    assert (refusal.reason, refusal.values["quantity_left"]) == ("quantity_too_large", 2)


def test_a_line_named_twice_counts_its_pieces_together(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 2}, status="delivered")
    request = back(order)
    request["lines"] = [{"line_id": order.lines[0].id, "quantity": 2}] * 2
    assert desk.refused(desk.returns, request).reason == "quantity_too_large"


@pytest.mark.parametrize("lines", [[], [{"line_id": 1, "quantity": 0}], [{"line_id": 1, "quantity": -1}]])
def test_a_request_without_pieces_is_a_mistake_of_the_caller(desk: Desk, lines: list[dict[str, int]]) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    with pytest.raises(ValueError, match="at least one piece"):
        desk.ask(desk.returns, {**back(order), "lines": lines})


# Strangers


def test_a_stranger_learns_nothing_and_changes_nothing(desk: Desk) -> None:
    eva = desk.shop.customer("Eva")
    order = desk.shop.order(desk.ana, status="delivered")
    of_another = desk.refused(desk.returns, back(order), eva)
    assert of_another == desk.refused(desk.returns, back(order, order_number="99999"), eva)
    assert of_another.reason == "order_not_found"
    assert returnable_lines(desk.session, eva.id, order.number, NOW, POLICIES) == []


def test_a_stranger_cannot_say_yes(desk: Desk) -> None:
    offer = desk.ask(desk.returns, back(desk.shop.order(desk.ana, status="delivered")))
    before = desk.counts()
    assert desk.yes(desk.returns, offer, desk.shop.customer("Eva")) == Stale("unknown")
    assert desk.counts() == before


def test_a_line_of_another_order_is_not_found(desk: Desk) -> None:
    other = desk.shop.order(desk.shop.customer("Eva"), status="delivered")
    order = desk.shop.order(desk.ana, status="delivered")
    request = {**back(order), "lines": back(other)["lines"]}
    assert desk.refused(desk.returns, request).reason == "line_not_found"


# Old summaries


def test_yes_after_the_order_changed_does_nothing_and_offers_anew(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    offer = desk.ask(desk.returns, back(order))
    order.version += 1
    desk.session.flush()
    before = desk.counts()
    stale = desk.yes(desk.returns, offer)
    assert isinstance(stale, Stale)
    assert (stale.reason, stale.offer is not None) == ("facts_changed", True)
    assert desk.counts() == before


def test_yes_in_a_second_conversation_after_the_first_has_returned_it_does_nothing(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    offer = desk.ask(desk.returns, back(order))
    other = propose(desk.session, desk.returns, desk.ana.id, "whatsapp:ana", back(order), NOW)
    assert isinstance(other, Offer)
    confirm(desk.session, desk.returns, other.proposal_id, desk.ana.id, "whatsapp:ana", NOW)
    before = desk.counts()
    stale = desk.yes(desk.returns, offer)
    assert isinstance(stale, Stale)
    assert stale.refusal is not None
    assert (stale.refusal.rule, stale.refusal.reason) == ("already_returned", "already_coming_back")
    assert desk.counts() == before


def test_an_order_number_may_be_written_loosely(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    loosely = f"#{order.number[:2]}-{order.number[2:]}"
    assert desk.do(desk.returns, back(order, order_number=loosely))["order_number"] == order.number


# The warehouse


def test_goods_received_approve_the_money_and_take_back_the_points_pro_rata(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 1, SHOE: 1}, status="delivered")
    desk.points(desk.ana, 120, order)
    desk.do(desk.returns, back(order, 1))
    receive_goods(desk.session, "RMA-20001", NOW, POLICIES)
    assert desk.points_left() == 80
    (refund,) = desk.refunds()
    assert (refund.status, str(refund.due_from), str(refund.due_by)) == ("approved", "2026-11-25", "2026-11-27")


def test_receiving_twice_changes_nothing(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 2}, status="delivered")
    desk.points(desk.ana, 80, order)
    desk.do(desk.returns, back(order, 1))
    receive_goods(desk.session, "RMA-20001", NOW, POLICIES)
    before = desk.counts()
    receive_goods(desk.session, "RMA-20001", NOW + timedelta(days=9), POLICIES)
    assert desk.counts() == before
    assert (desk.points_left(), str(desk.refunds()[0].due_from)) == (40, "2026-11-25")


def test_goods_received_again_do_not_open_a_settled_return(desk: Desk) -> None:
    desk.do(desk.returns, back(desk.shop.order(desk.ana, status="delivered"), refund_to="store_credit"))
    assert receive_goods(desk.session, "RMA-20001", NOW, POLICIES).status == "completed"
    expired = desk.session.query(ReturnAuthorization).one()
    assert receive_goods(desk.session, "RMA-20001", NOW, POLICIES).status == "completed"
    expired.status = "expired"
    desk.session.flush()
    assert receive_goods(desk.session, "RMA-20001", NOW, POLICIES).status == "expired"


def test_an_opened_package_waits_for_inspection(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    desk.points(desk.ana, 40, order)
    offer = desk.ask(desk.returns, back(order, package="opened"))
    assert offer.summary["inspection"] is True
    desk.yes(desk.returns, offer)
    assert receive_goods(desk.session, "RMA-20001", NOW, POLICIES).status == "received"
    assert (desk.refunds()[0].status, desk.points_left()) == ("waiting_for_goods", 40)
    assert inspect_goods(desk.session, "RMA-20001", True, NOW, POLICIES).status == "inspected"
    assert (desk.refunds()[0].status, desk.points_left()) == ("approved", 0)


def test_a_worn_item_is_rejected_and_stays_the_shoppers(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    desk.points(desk.ana, 40, order)
    desk.do(desk.returns, back(order, package="opened"))
    receive_goods(desk.session, "RMA-20001", NOW, POLICIES)
    assert inspect_goods(desk.session, "RMA-20001", False, NOW, POLICIES).status == "rejected"
    assert (desk.refunds()[0].status, desk.points_left()) == ("failed", 40)
    (verdict,) = returnable_lines(desk.session, desk.ana.id, order.number, NOW, POLICIES)
    assert verdict.quantity_left == 1


def test_what_is_never_sent_expires_and_may_be_asked_for_again(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    desk.do(desk.returns, back(order))
    last_day = (NOW + timedelta(days=14)).date()
    assert expire_overdue(desk.session, last_day) == []
    assert expire_overdue(desk.session, last_day + timedelta(days=1)) == ["RMA-20001"]
    assert desk.refunds()[0].status == "failed"
    assert isinstance(desk.ask(desk.returns, back(order)), Offer)


def test_an_unknown_return_is_an_error(desk: Desk) -> None:
    with pytest.raises(UnknownReturn):
        receive_goods(desk.session, "RMA-29999", NOW, POLICIES)


# The label


def test_the_label_is_a_whole_pdf_with_the_rma_number_in_it(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {SHIRT: 2}, status="delivered")
    content = (desk.home / desk.do(desk.returns, back(order, 2))["label_path"]).read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    table = int(re.search(rb"startxref\s+(\d+)", content)[1])  # type: ignore[index]
    offsets = re.findall(rb"(\d{10}) 00000 n", content[table:])
    for number, offset in enumerate(offsets, start=1):
        assert content[int(offset) :].startswith(b"%d 0 obj" % number)
    printed = [each.decode("latin-1") for each in re.findall(rb"\((.*?)\) Tj", content)]
    assert printed[:3] == ["Ana López", "Calle Mayor 1", "28013 Madrid ES"]
    assert printed[3:6] == ["Almacén", "Polígono 1", "Madrid ES"]
    assert printed[6:] == ["RMA-20001", f"#{order.number}   2026-12-02", f"2 x {SHIRT}"]


def test_goods_brought_to_the_store_are_labelled_for_it(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    content = (desk.home / desk.do(desk.returns, back(order, method="store"))["label_path"]).read_bytes()
    assert "Malasaña".encode("latin-1") in content


def test_the_same_label_has_the_same_bytes() -> None:
    label = Label("RMA-20001", "10201", ("A",), ("B",), "2026-12-02", ("1 x C",), NOW)
    assert label_bytes(label) == label_bytes(label)


def test_a_name_in_other_letters_is_printed_as_near_as_the_font_allows() -> None:
    assert [printable(each) for each in ("José Ñandú", "Šárka", "Łódź", "a\nb")] == ["José Ñandú", "Sárka", "?ódz", "a b"]


# Never more than was paid

MOVES = st.lists(
    st.tuples(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)),
        st.sampled_from(["changed_mind", "defective"]),
        st.sampled_from(["drop_off", "store"]),
        st.sampled_from(["original", "store_credit"]),
        st.sampled_from(["accept", "reject", "expire"]),
    ),
    max_size=8,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES, discount=st.integers(0, 30000), shipping=st.integers(0, 900), share=st.integers(0, 100))
def test_refunds_never_exceed_what_was_paid(
    tmp_path_factory: pytest.TempPathFactory,
    moves: list[tuple[tuple[int, int, int], str, str, str, str]],
    discount: int,
    shipping: int,
    share: int,
) -> None:
    engine = create_engine("sqlite://", future=True)
    Base.metadata.create_all(engine)
    with closing(engine.connect()) as connection, Session(connection, future=True) as session:
        desk = Desk(session, tmp_path_factory.mktemp("home"))
        items = {SHIRT: 3, SHOE: 2, "SHI-OXF-RED-M": 1}
        total = 31000 + shipping - min(discount, 31000)
        split = [("card", total * share // 100, "captured"), ("gift_card", total - total * share // 100, "captured")]
        order = desk.shop.order(
            desk.ana, items, status="delivered", discount_minor=min(discount, 31000), shipping_minor=shipping, payments=split
        )
        for quantities, reason, method, refund_to, ending in moves:
            if not any(quantities):
                continue
            offer = desk.ask(desk.returns, back(order, *quantities, reason=reason, method=method, refund_to=refund_to))
            if isinstance(offer, Refusal):
                continue
            _end(desk, desk.yes(desk.returns, offer).result["rma_number"], ending)
            owed = [each for each in desk.refunds() if each.status != "failed"]
            assert sum(each.amount_minor for each in owed) <= paid_minor(order) == total
            for payment in order.payments:
                assert sum(each.amount_minor for each in owed if each.payment_id == payment.id) <= payment.amount_minor


def _end(desk: Desk, rma_number: str, ending: str) -> None:
    if ending == "accept":
        receive_goods(desk.session, rma_number, NOW, POLICIES)
    elif ending == "expire":
        expire_overdue(desk.session, (NOW + timedelta(days=15)).date())
    else:
        desk.session.query(ReturnAuthorization).filter_by(rma_number=rma_number).one().status = "received"
        inspect_goods(desk.session, rma_number, False, NOW, POLICIES)
