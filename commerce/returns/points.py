"""The points that go with goods: taken back in the same part as the goods' price."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce.loyalty import Reversal, reverse_for_return
from commerce.models import LedgerEntry, Order
from commerce.returns.amounts import goods_paid_minor


def points_of_goods(session: Session, order: Order, goods_back_minor: int) -> int:
    """Points that the order earned for goods worth this much: at most these are taken back."""
    earned = select(func.coalesce(func.sum(LedgerEntry.points), 0)).where(
        LedgerEntry.order_id == order.id, LedgerEntry.customer_id == order.customer_id, LedgerEntry.kind == "earn"
    )
    paid = goods_paid_minor(order)
    return int(session.execute(earned).scalar_one()) * min(goods_back_minor, paid) // paid if paid else 0


def reverse_points(session: Session, order: Order, goods_back_minor: int, cause: str, now: datetime) -> Reversal:
    """Take back the points of goods worth this much; the same `cause` (an RMA or claim number) again does nothing."""
    paid = goods_paid_minor(order)
    if not paid or not goods_back_minor or order.customer_id is None:
        return Reversal()
    share = min(goods_back_minor, paid)
    return reverse_for_return(session, order.customer_id, order.id, share, paid, f"return:{cause}", now)
