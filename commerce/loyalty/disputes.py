"""Points are missing, or a promotion was not applied: credited at once within the table `goodwill_credit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce import orders
from commerce.loyalty.ledger import Cause, add_lot, balance, lock
from commerce.loyalty.standing import EARNING_STATUS, YEAR, book, expires_at, points_of, tier
from commerce.models import LedgerEntry, Order, ReturnAuthorization
from commerce.policies import Decision, Policies
from commerce.proposals import Assessment, Refusal, Values
from commerce.rulings import ask, refusal_of

NEVER_DAYS = 36500  # the table's word for "there was no credit yet"
CLOSED_RETURNS = ("completed", "rejected", "expired", "cancelled")


@dataclass(frozen=True)
class _Missing:
    """Orders whose points never came, with those points; or points claimed for a promotion, without orders."""

    points: int
    orders: tuple[tuple[str, int], ...] = ()


class DisputePoints:
    """Operation `dispute_points`. Parameters: {order_number, points_claimed, cause}, each may be missing or None.

    cause: missing_points (the default), promotion_not_applied or other. Missing points are those that the orders should
    have earned, to the point, whatever was claimed: of the order named, or of every delivered order of the last year
    that earned nothing. A promotion is credited as claimed.

    Summary: points, orders ([{number, points}]), cause, balance_after. Result: points, orders, balance.
    Refusals: order_not_found; already_credited (values order_number, points, credited_on); not_delivered_yet;
    return_open and amount_unknown (needs_human); the table's.
    """

    kind = "dispute_points"

    def __init__(self, policies: Policies) -> None:
        self.policies = policies

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        lock(session, customer_id)  # from here to the end of the transaction the ledger is what was assessed
        cause = parameters.get("cause") or "missing_points"
        missing = self._missing(session, customer_id, parameters, cause, now)
        if isinstance(missing, Refusal):
            return missing
        decision = self._decide(session, customer_id, missing.points, cause, now)
        told = [{"number": number, "points": points} for number, points in missing.orders]
        if not decision.is_allowed:
            return refusal_of(decision, points=missing.points, orders=told)
        summary = {"points": missing.points, "orders": told, "cause": cause}
        after = balance(session, customer_id, now) + missing.points
        return Assessment({**summary, "balance_after": after}, {"rule": decision.rule})

    def perform(
        self,
        session: Session,
        customer_id: int,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        told = assessment.summary
        for each in told["orders"]:
            # Under the purchase's own key: the shop's late booking of the same order then adds nothing.
            if order := orders.find(session, each["number"], customer_id):
                book(session, order, each["points"], "goodwill", now, self.policies)
        if not told["orders"]:
            cause = Cause("adjust", "goodwill", f"goodwill:{proposal_id}", now)
            add_lot(session, customer_id, told["points"], cause, expires_at(session, customer_id, now, self.policies))
        return {
            "points": told["points"],
            "orders": told["orders"],
            "balance": balance(session, customer_id, now),
        }

    def _missing(self, session: Session, customer_id: int, parameters: Values, cause: str, now: datetime) -> _Missing | Refusal:
        number = parameters.get("order_number")
        order = orders.find(session, number, customer_id) if number else None
        if number and order is None:
            return _refusal("order_not_found", order_number=number)
        if cause != "missing_points":
            return _claimed(parameters.get("points_claimed"))
        if order is None:
            return self._of(session, _unbooked(session, customer_id, now), now)
        return _why_not(session, order) or self._of(session, [order], now)

    def _of(self, session: Session, unbooked: Sequence[Order], now: datetime) -> _Missing:
        each = [(order.number, points_of(session, order, now, self.policies)) for order in unbooked]
        earned = tuple((number, points) for number, points in each if points)
        return _Missing(sum(points for _, points in earned), earned)

    def _decide(self, session: Session, customer_id: int, points: int, cause: str, now: datetime) -> Decision:
        facts = {
            "tier": tier(session, customer_id, now, self.policies),
            "cause": cause,
            "points_asked": points,
            "days_since_last_credit": _days_since_last_credit(session, customer_id, now),
        }
        return ask(self.policies, "goodwill_credit", facts, now.date())


def _claimed(points: int | None) -> _Missing | Refusal:
    if points is None or points < 0:
        return _refusal("amount_unknown", verdict="needs_human")
    return _Missing(points)


def _why_not(session: Session, order: Order) -> Refusal | None:
    earned = _earned(session, order)
    if earned is not None:
        credited_on = earned.occurred_at.date().isoformat()
        return _refusal("already_credited", order_number=order.number, points=earned.points, credited_on=credited_on)
    if order.status != EARNING_STATUS:
        return _refusal("not_delivered_yet", order_number=order.number, status=order.status)
    if _has_open_return(session, order):
        # What the order is worth is not known before the goods have been looked at.
        return _refusal("return_open", verdict="needs_human", order_number=order.number)
    return None


def _earned(session: Session, order: Order) -> LedgerEntry | None:
    statement = select(LedgerEntry).where(LedgerEntry.order_id == order.id, LedgerEntry.kind == "earn")
    entry: LedgerEntry | None = session.execute(statement.limit(1)).scalar_one_or_none()
    return entry


def _unbooked(session: Session, customer_id: int, now: datetime) -> list[Order]:
    """Delivered orders of the last year that earned nothing and are not being returned, oldest first."""
    booked = select(LedgerEntry.id).where(LedgerEntry.order_id == Order.id, LedgerEntry.kind == "earn")
    statement = select(Order).where(
        Order.customer_id == customer_id,
        Order.status == EARNING_STATUS,
        Order.placed_at > now - YEAR,
        ~booked.exists(),
    )
    found = session.execute(statement.order_by(Order.placed_at)).scalars()
    return [order for order in found if not _has_open_return(session, order)]


def _has_open_return(session: Session, order: Order) -> bool:
    statement = select(ReturnAuthorization.id).where(
        ReturnAuthorization.order_id == order.id, ReturnAuthorization.status.not_in(CLOSED_RETURNS)
    )
    return session.execute(statement).first() is not None


def _days_since_last_credit(session: Session, customer_id: int, now: datetime) -> int:
    newest = select(func.max(LedgerEntry.occurred_at)).where(
        LedgerEntry.customer_id == customer_id, LedgerEntry.reason == "goodwill"
    )
    last: datetime | None = session.execute(newest).scalar_one()
    return NEVER_DAYS if last is None else max(0, (now.date() - last.date()).days)


def _refusal(reason: str, verdict: str = "deny", **values: object) -> Refusal:
    return Refusal(rule=reason, reason=reason, verdict=verdict, values=values)
