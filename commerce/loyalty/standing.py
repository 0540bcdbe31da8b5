"""Where a customer stands: the tier, what is missing to the next one, what expires next; and the points of an order."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce.loyalty.ledger import Cause, add_lot, balance, lots
from commerce.models import LedgerEntry, Order, Refund
from commerce.policies import Policies
from commerce.rulings import ask

YEAR = timedelta(days=365)
EARNING_STATUS = "delivered"  # points come when the whole order has arrived


@dataclass(frozen=True)
class Expiry:
    """The next points to expire, and the day on which they do (UTC)."""

    points: int
    date: date


@dataclass(frozen=True)
class Standing:
    """`next_tier` is None and `missing` 0 at the top. `next_expiry` is None where nothing expires."""

    tier: str
    earned_12_months: int
    next_tier: str | None
    missing: int
    balance: int
    next_expiry: Expiry | None


def tier(session: Session, customer_id: int | None, now: datetime, policies: Policies) -> str:
    """The level by the table `tiers`; without a customer, a guest's."""
    return str(_tier_row(_earned(session, customer_id, now), customer_id, now, policies)["tier"])


def tiers(session: Session, customer_ids: Collection[int], now: datetime, policies: Policies) -> dict[int, str]:
    """The levels of several customers, in two queries."""
    recent = (LedgerEntry.customer_id.in_(customer_ids), LedgerEntry.kind == "earn", LedgerEntry.occurred_at > now - YEAR)
    orders = select(LedgerEntry.order_id).where(*recent, LedgerEntry.order_id.is_not(None))
    returned = (LedgerEntry.customer_id.in_(customer_ids), LedgerEntry.reason == "return", LedgerEntry.order_id.in_(orders))
    points = dict.fromkeys(customer_ids, 0)
    for condition in (recent, returned):
        summed = select(LedgerEntry.customer_id, func.sum(LedgerEntry.points)).where(*condition)
        for customer_id, earned in session.execute(summed.group_by(LedgerEntry.customer_id)):
            points[customer_id] += int(earned)
    by_points = {earned: str(_tier_row(max(0, earned), 0, now, policies)["tier"]) for earned in set(points.values())}
    return {customer_id: by_points[earned] for customer_id, earned in points.items()}


def standing(session: Session, customer_id: int, now: datetime, policies: Policies) -> Standing:
    """Tier, way to the next one, balance and the next expiry, at `now`."""
    earned = _earned(session, customer_id, now)
    row = _tier_row(earned, customer_id, now, policies)
    is_top = row["next_tier"] == "none"
    return Standing(
        tier=str(row["tier"]),
        earned_12_months=earned,
        next_tier=None if is_top else str(row["next_tier"]),
        missing=0 if is_top else max(0, int(str(row["next_from"])) - earned),
        balance=balance(session, customer_id, now),
        next_expiry=next_expiry(session, customer_id, now),
    )


def earned_in_12_months(session: Session, customer_id: int, now: datetime) -> int:
    """Points earned in the last 365 days, less those that returns of the same orders took back; 0 or more."""
    recent = (LedgerEntry.customer_id == customer_id, LedgerEntry.kind == "earn", LedgerEntry.occurred_at > now - YEAR)
    earned = select(func.coalesce(func.sum(LedgerEntry.points), 0)).where(*recent)
    orders = select(LedgerEntry.order_id).where(*recent, LedgerEntry.order_id.is_not(None))
    returned = select(func.coalesce(func.sum(LedgerEntry.points), 0)).where(
        LedgerEntry.customer_id == customer_id, LedgerEntry.reason == "return", LedgerEntry.order_id.in_(orders)
    )
    return max(0, int(session.execute(earned).scalar_one() + session.execute(returned).scalar_one()))


def next_expiry(session: Session, customer_id: int, now: datetime) -> Expiry | None:
    """All points that go on the first day on which any do."""
    dated = [(lot.expires_at.date(), lot.left) for lot in lots(session, customer_id, now) if lot.expires_at]
    if not dated:
        return None
    first = min(day for day, _ in dated)
    return Expiry(sum(left for day, left in dated if day == first), first)


def points_of(session: Session, order: Order, now: datetime, policies: Policies) -> int:
    """What the goods that the shopper keeps of this order earn: shipping and refunds earn nothing; rounded down."""
    decision = ask(policies, "earning", _order_facts(session, order, now, policies), now.date())
    if not decision.is_allowed:
        return 0
    percent, price = int(str(decision.values["percent"])), int(str(decision.values["minor_per_point"]))
    return _kept_minor(session, order) * percent // (price * 100)


def earn_for_order(session: Session, order: Order, now: datetime, policies: Policies) -> int:
    """Credit a delivered order's points, once; the points added now. 0: a guest's, not delivered, or credited before."""
    points = points_of(session, order, now, policies)
    if order.customer_id is None or order.status != EARNING_STATUS or points == 0:
        return 0
    return book(session, order, points, "purchase", now, policies)


def book(session: Session, order: Order, points: int, reason: str, now: datetime, policies: Policies) -> int:
    """Credit `points` (above 0) for a customer's order under the order's own key; 0: it has been credited before."""
    cause = Cause("earn", reason, f"earn:{order.number}", now, order.id)
    lot = add_lot(session, order.customer_id, points, cause, expires_at(session, order.customer_id, now, policies))
    return points if lot is not None else 0


def expires_at(session: Session, customer_id: int, now: datetime, policies: Policies) -> datetime:
    """When points given at `now` expire, by the table `expiry`."""
    decision = ask(policies, "expiry", {"tier": tier(session, customer_id, now, policies)}, now.date())
    return add_months(now, int(str(decision.values["months"])))


def add_months(moment: datetime, months: int) -> datetime:
    """The same day and time so many months on; the month's last day where it has no such day."""
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def _earned(session: Session, customer_id: int | None, now: datetime) -> int:
    return 0 if customer_id is None else earned_in_12_months(session, customer_id, now)


def _tier_row(earned: int, customer_id: int | None, now: datetime, policies: Policies) -> dict[str, object]:
    facts = {"has_account": customer_id is not None, "points_12_months": earned}
    return dict(ask(policies, "tiers", facts, now.date()).values)


def _order_facts(session: Session, order: Order, now: datetime, policies: Policies) -> dict[str, object]:
    return {"tier": tier(session, order.customer_id, now, policies), "currency": order.currency}


def _kept_minor(session: Session, order: Order) -> int:
    refunded = select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
        Refund.order_id == order.id, Refund.status != "failed"
    )
    return max(0, order.total_minor - order.shipping_minor - int(session.execute(refunded).scalar_one()))
