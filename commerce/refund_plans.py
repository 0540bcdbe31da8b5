"""Money back before anything was delivered: what goes to which payment, planned for the summary and then carried out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from commerce import refunds
from commerce.models import Order, Payment, Refund
from commerce.policies import Decision, Policies
from commerce.rulings import ask
from commerce.working_days import add_working_days


@dataclass(frozen=True)
class Share:
    """A part of the money, in minor units, that goes back for one payment, in so many working days (0 and 0: at once)."""

    payment: Payment
    amount_minor: int
    destination: str  # original | store_credit | gift_card
    days_min: int
    days_max: int

    def to_summary(self) -> dict[str, Any]:
        return {
            "method": self.payment.method,
            "label": self.payment.label,
            "amount_minor": self.amount_minor,
            "destination": self.destination,
            "days_min": self.days_min,
            "days_max": self.days_max,
        }


def plan(session: Session, order: Order, amount_minor: int, policies: Policies, on: date) -> tuple[Share, ...]:
    """The amount over the order's payments; raises ValueError where they hold less."""
    held = refunds.split(session, order, amount_minor)
    return tuple(_share(payment, part, policies, on) for payment, part in held)


def _share(payment: Payment, amount_minor: int, policies: Policies, on: date) -> Share:
    destination, decision = way_back(payment, policies, on)
    days_min, days_max = (int(str(decision.values[name])) for name in ("refund_days_min", "refund_days_max"))
    return Share(payment, amount_minor, destination, days_min, days_max)


def way_back(payment: Payment, policies: Policies, on: date) -> tuple[str, Decision]:
    """To where it came from, or else to the nearest that the policy names (cash has no way back)."""
    decision = _may_go_to("original", payment, policies, on)
    if decision.is_allowed or decision.nearest not in refunds.DESTINATIONS:
        return "original", decision
    return decision.nearest, _may_go_to(decision.nearest, payment, policies, on)


def _may_go_to(destination: str, payment: Payment, policies: Policies, on: date) -> Decision:
    kind = refunds.PAYMENT_KINDS.get(payment.method, payment.method)
    # Whoever calls off an order has paid for it: the receiver of a gift never has it yet.
    facts = {"payment_kind": kind, "requested_to": destination, "is_gift": False}
    return ask(policies, "refund_destination", facts, on)


def carry_out(session: Session, order: Order, shares: tuple[Share, ...], reason: str, now: datetime) -> list[dict[str, Any]]:
    """Write the refunds, due from now on; those that go at once are settled. Returns what a result tells of each."""
    return [_refund(session, order, share, reason, now) for share in shares]


def _refund(session: Session, order: Order, share: Share, reason: str, now: datetime) -> dict[str, Any]:
    refund = Refund(
        order=order,
        payment=share.payment,
        reason=reason,
        destination=share.destination,
        amount_minor=share.amount_minor,
        currency=order.currency,
        status="approved",
        created_at=now,
        due_from=add_working_days(now.date(), share.days_min),
        due_by=add_working_days(now.date(), share.days_max),
    )
    session.add(refund)
    session.flush()
    if not share.days_max:
        refunds.settle_refund(session, refund.id, now)
    dates = {"due_from": refund.due_from.isoformat(), "due_by": refund.due_by.isoformat()}
    return {**share.to_summary(), **dates, "refund_id": refund.id, "status": refund.status}
