"""Refunds: to where, how far, when, and never to a stranger's eyes."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from commerce.models import Order, Refund
from commerce.refunds import (
    RefundNotReady,
    UnknownRefund,
    destinations,
    owe,
    refundable_minor,
    send_refund,
    settle_refund,
    split,
    status,
)
from commerce.returns import expire_overdue, receive_goods
from commerce.working_days import add_working_days
from tests.commerce.returns_desk import POLICIES, Desk, back
from tests.commerce.shop import NOW

RMA = "RMA-20001"


@pytest.fixture
def desk(session: Session, tmp_path: Path) -> Desk:
    return Desk(session, tmp_path / "home")


@pytest.fixture
def order(desk: Desk) -> Order:
    """Delivered, and one return of it authorized."""
    order = desk.shop.order(desk.ana, status="delivered")
    desk.do(desk.returns, back(order, method="store"))
    return order


def _done(desk: Desk) -> list[str]:
    (progress,) = status(desk.session, desk.ana.id)
    return [step.name for step in progress.steps if step.is_done]


# Step by step


def test_a_refund_goes_step_by_step(desk: Desk, order: Order) -> None:
    refund_id = desk.refunds()[0].id
    assert _done(desk) == ["requested"]
    receive_goods(desk.session, RMA, NOW, POLICIES)
    assert _done(desk) == ["requested", "goods_received", "approved"]
    send_refund(desk.session, refund_id)
    assert _done(desk) == ["requested", "goods_received", "approved", "sent"]
    settle_refund(desk.session, refund_id, NOW + timedelta(days=6))
    assert _done(desk) == ["requested", "goods_received", "approved", "sent", "settled"]


def test_the_progress_tells_amount_method_and_days(desk: Desk, order: Order) -> None:
    (waiting,) = status(desk.session, desk.ana.id)
    assert (waiting.rma_number, waiting.order_number) == (RMA, order.number)
    assert (waiting.amount_minor, waiting.currency, waiting.method) == (4000, "EUR", "Visa ···· 4242")
    assert (waiting.due_by, waiting.send_by, waiting.steps[0].on) == (None, date(2026, 12, 2), NOW.date())
    receive_goods(desk.session, RMA, NOW, POLICIES)
    (due,) = status(desk.session, desk.ana.id)
    assert (due.due_from, due.due_by, due.send_by) == (date(2026, 11, 25), date(2026, 11, 27), None)
    assert (due.is_late(date(2026, 11, 27)), due.is_late(date(2026, 11, 28))) == (False, True)


def test_a_return_that_nothing_came_of_is_no_money_under_way(desk: Desk, order: Order) -> None:
    expire_overdue(desk.session, date(2026, 12, 3))
    (progress,) = status(desk.session, desk.ana.id)
    assert (progress.status, progress.closed_as, progress.send_by) == ("failed", "expired", date(2026, 12, 2))
    assert not progress.is_under_way


def test_what_the_bank_sent_back_is_still_under_way(desk: Desk, order: Order) -> None:
    receive_goods(desk.session, RMA, NOW, POLICIES)
    desk.refunds()[0].status = "failed"
    desk.session.flush()
    (progress,) = status(desk.session, desk.ana.id)
    assert (progress.closed_as, progress.is_under_way) == (None, True)


def test_goods_that_wait_for_inspection_are_told_as_received(desk: Desk) -> None:
    desk.do(desk.returns, back(desk.shop.order(desk.ana, status="delivered"), package="opened"))
    receive_goods(desk.session, RMA, NOW, POLICIES)
    assert _done(desk) == ["requested", "goods_received"]


def test_money_without_goods_to_wait_for_has_no_such_step(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="cancelled")
    order.payments[0].status = "captured"
    owe(desk.session, order, 4000, "cancellation", "original", "approved", NOW)
    (progress,) = status(desk.session, desk.ana.id)
    assert [(step.name, step.is_done) for step in progress.steps] == [
        ("requested", True),
        ("approved", True),
        ("sent", False),
        ("settled", False),
    ]


def test_store_credit_is_there_when_the_goods_are(desk: Desk) -> None:
    desk.do(desk.returns, back(desk.shop.order(desk.ana, status="delivered"), refund_to="store_credit"))
    authorization = receive_goods(desk.session, RMA, NOW, POLICIES)
    assert (desk.refunds()[0].status, desk.refunds()[0].settled_at, authorization.status) == ("settled", NOW, "completed")


def test_a_return_is_complete_when_all_its_money_is_there(desk: Desk) -> None:
    payments = [("card", 3000, "captured"), ("paypal", 1000, "captured")]
    order = desk.shop.order(desk.ana, status="delivered", payments=payments)
    desk.do(desk.returns, back(order, method="store"))
    authorization = receive_goods(desk.session, RMA, NOW, POLICIES)
    first, second = desk.refunds()
    settle_refund(desk.session, first.id, NOW)
    assert authorization.status == "inspected"
    settle_refund(desk.session, second.id, NOW)
    assert authorization.status == "completed"
    assert [each.status for each in order.payments] == ["refunded", "refunded"]


def test_a_part_back_marks_the_payment_partially_refunded(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, {"SHI-OXF-BLU-M": 2}, status="delivered")
    desk.do(desk.returns, back(order, 1))
    receive_goods(desk.session, RMA, NOW, POLICIES)
    settle_refund(desk.session, desk.refunds()[0].id, NOW)
    assert order.payments[0].status == "partially_refunded"


def test_settling_twice_changes_nothing(desk: Desk, order: Order) -> None:
    receive_goods(desk.session, RMA, NOW, POLICIES)
    refund_id = desk.refunds()[0].id
    settle_refund(desk.session, refund_id, NOW)
    assert settle_refund(desk.session, refund_id, NOW + timedelta(days=3)).settled_at == NOW


def test_money_does_not_leave_before_the_goods_are_back(desk: Desk, order: Order) -> None:
    refund_id = desk.refunds()[0].id
    with pytest.raises(RefundNotReady):
        settle_refund(desk.session, refund_id, NOW)
    with pytest.raises(RefundNotReady):
        send_refund(desk.session, refund_id)
    with pytest.raises(UnknownRefund):
        settle_refund(desk.session, 9999, NOW)


# Whose


def test_a_stranger_sees_no_refund(desk: Desk, order: Order) -> None:
    eva = desk.shop.customer("Eva")
    assert status(desk.session, eva.id) == []
    assert status(desk.session, eva.id, order_number=order.number) == []
    assert status(desk.session, eva.id, rma_number=RMA) == []


def test_refunds_are_found_by_order_and_by_rma_newest_first(desk: Desk, order: Order) -> None:
    other = desk.shop.order(desk.ana, status="delivered")
    desk.do(desk.returns, back(other), now=NOW + timedelta(hours=1))
    assert [each.rma_number for each in status(desk.session, desk.ana.id)] == ["RMA-20002", RMA]
    assert [each.rma_number for each in status(desk.session, desk.ana.id, order_number=order.number)] == [RMA]
    assert [each.order_number for each in status(desk.session, desk.ana.id, rma_number="RMA-20002")] == [other.number]


# To where


@pytest.mark.parametrize(
    ("method", "is_gift", "original", "days"),
    [
        ("card", False, True, (5, 7)),
        ("paypal", False, True, (5, 7)),
        ("pix", False, True, (5, 7)),
        ("oxxo", False, False, (0, 0)),
        ("cash", False, False, (0, 0)),
        ("gift_card", False, True, (0, 0)),
        ("card", True, False, (0, 0)),
    ],
)
def test_the_way_back_depends_on_the_payment(
    desk: Desk, method: str, is_gift: bool, original: bool, days: tuple[int, int]
) -> None:
    order = desk.shop.order(desk.ana, status="delivered", method=method, is_gift=is_gift)
    ways = {each.name: each for each in destinations(desk.session, order, POLICIES, NOW)}
    assert (ways["original"].is_allowed, (ways["original"].days_min, ways["original"].days_max)) == (original, days)
    assert (ways["store_credit"].is_allowed, ways["store_credit"].days_max) == (True, 0)


def test_one_payment_in_cash_keeps_the_whole_from_going_back_to_where_it_came_from(desk: Desk) -> None:
    payments = [("card", 3000, "captured"), ("cash", 1000, "captured")]
    order = desk.shop.order(desk.ana, status="delivered", payments=payments)
    original, *_ = destinations(desk.session, order, POLICIES, NOW)
    assert (original.is_allowed, original.decision.rule) == (False, "cash")


# How much


def test_a_failed_payment_gives_nothing_back(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered", payments=[("card", 4000, "failed"), ("card", 4000, "captured")])
    assert refundable_minor(desk.session, order) == 4000


def test_no_more_is_owed_than_the_order_still_holds(desk: Desk) -> None:
    order = desk.shop.order(desk.ana, status="delivered")
    owe(desk.session, order, 3000, "goodwill", "store_credit", "approved", NOW)
    owe(desk.session, order, 3000, "goodwill", "original", "approved", NOW)
    owe(desk.session, order, 3000, "goodwill", "original", "approved", NOW)
    assert [each.amount_minor for each in desk.refunds()] == [3000, 1000]
    with pytest.raises(ValueError, match="cannot give back"):
        split(desk.session, order, 1)


def test_a_failed_refund_is_owed_again(desk: Desk, order: Order) -> None:
    refund: Refund = desk.refunds()[0]
    assert refundable_minor(desk.session, order) == 0
    refund.status = "failed"
    desk.session.flush()
    assert refundable_minor(desk.session, order) == 4000


# Working days


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 11, 18), 0, date(2026, 11, 18)),
        (date(2026, 11, 18), 2, date(2026, 11, 20)),  # Wednesday to Friday
        (date(2026, 11, 18), 3, date(2026, 11, 23)),  # over the weekend
        (date(2026, 11, 21), 1, date(2026, 11, 23)),  # from a Saturday
        (date(2026, 12, 30), 2, date(2027, 1, 1)),
    ],
)
def test_working_days_skip_the_weekend(day: date, count: int, expected: date) -> None:
    assert add_working_days(day, count) == expected


def test_working_days_skip_the_holidays_that_are_named() -> None:
    assert add_working_days(date(2026, 12, 30), 2, {date(2027, 1, 1)}) == date(2027, 1, 4)


def test_working_days_are_counted_forward() -> None:
    with pytest.raises(ValueError, match="forward"):
        add_working_days(date(2026, 11, 18), -1)
