"""Calling an order off before it is packed: the goods back into stock, the money back to where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from commerce import loyalty, orders, payments, refund_plans, refunds, reservations
from commerce.models import Cancellation, Order
from commerce.policies import Decision, Policies
from commerce.powers import Excuse, Powers
from commerce.proposals import Assessment, Refusal, Values
from commerce.refund_plans import Share
from commerce.returns.amounts import goods_paid_minor
from commerce.returns.points import points_of_goods
from commerce.rulings import ask, refusal_about

TABLE = "cancellation"
BEING_PACKED = Excuse("stop_preparing_order", frozenset({"being_prepared"}), {"order_status": "paid"})
NOT_LISTED = frozenset({"reason_not_listed"})  # a person may look at any reason


def reasons(policies: Policies, on: date) -> tuple[str, ...]:
    """The reasons that the policy knows, in its order; empty when it does not ask for one."""
    asked = {fact.name: fact for fact in policies.table(TABLE, on).facts}
    return tuple(asked["cancellation_reason"].values) if "cancellation_reason" in asked else ()


class CancelOrder:
    """`parameters`: order_number, reason (one of `reasons`; without one the refusal asks for it).

    powers: of a person of ours, who may overlook some of what the table refuses.
    """

    kind = "cancel_order"

    def __init__(self, policies: Policies, powers: Powers | None = None) -> None:
        self._policies = policies
        self._powers = powers

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        number, reason = parameters["order_number"], parameters.get("reason")
        order = orders.find_to_change(session, number, customer_id)
        if order is None:
            return orders.not_found(number)
        refundable = refunds.refundable_minor(session, order)
        ruling, exceptions = self._ruling(order, reason, refundable, now.date())
        if isinstance(ruling, Refusal):
            return ruling
        if not ruling.is_allowed:
            return refusal_about(order, ruling)
        if refusal := self._beyond_powers(exceptions, refundable, order.currency, now.date()):
            return refusal
        shares = self._shares(session, order, ruling, now.date())
        points = points_of_goods(session, order, goods_paid_minor(order))
        by_hand = {"exceptions": exceptions, "exception_minor": refundable} if exceptions else {}
        summary = {**_summary(order, reason, ruling, shares), "points_reversed": points, **by_hand}
        return Assessment(summary, {"version": order.version, "rule": ruling.rule})

    def perform(
        self,
        session: Session,
        customer_id: int,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        order = orders.find_to_change(session, parameters["order_number"], customer_id)
        assert order is not None  # it was assessed in this transaction, under the same lock
        ruling, _ = self._ruling(order, parameters.get("reason"), refunds.refundable_minor(session, order), now.date())
        assert isinstance(ruling, Decision)
        shares = self._shares(session, order, ruling, now.date())
        _call_off(session, order, parameters.get("reason"), now)
        paid_back = refund_plans.carry_out(session, order, shares, "cancellation", now)
        points = loyalty.reverse_for_return(session, customer_id, order.id, 1, 1, f"cancel:{proposal_id}", now)
        return {
            "order_number": order.number,
            "currency": order.currency,
            "refund_minor": sum(share.amount_minor for share in shares),
            "refunds": paid_back,
            "points_reversed": points.taken,
            **{name: assessment.summary[name] for name in ("exceptions", "exception_minor") if name in assessment.summary},
        }

    def _beyond_powers(self, exceptions: Sequence[str], cost_minor: int, currency: str, on: date) -> Refusal | None:
        powers = self._powers
        refusals = (powers.refusal(each, cost_minor, currency, on) for each in exceptions if powers is not None)
        return next(filter(None, refusals), None)

    def _ruling(self, order: Order, reason: str | None, refundable: int, on: date) -> tuple[Decision | Refusal, list[str]]:
        """The decision, and the exceptions that a person makes for it."""
        stage = orders.stage(order)
        # Part of it paid is paid: there is money to give back.
        facts = {"order_status": "paid" if stage == "placed" and refundable else stage}
        known = reasons(self._policies, on)
        if not known or reason in known:
            return self._decided({**facts, "cancellation_reason": reason}, known, on)
        rulings = [self._decided({**facts, "cancellation_reason": each}, known, on) for each in known]
        if any(ruling.is_allowed for ruling, _ in rulings):
            return Refusal("incomplete", "reason_missing", values={"order_number": order.number, "reasons": known}), []
        return rulings[0]  # too late for any reason: no need to ask for one

    def _decided(self, facts: Mapping[str, Any], known: Sequence[str], on: date) -> tuple[Decision, list[str]]:
        if self._powers is None:
            return ask(self._policies, TABLE, facts, on), []
        any_reason = Excuse(None, NOT_LISTED, {"cancellation_reason": known[0]} if known else {})
        return self._powers.excused(TABLE, facts, on, (BEING_PACKED, any_reason))

    def _shares(self, session: Session, order: Order, ruling: Decision, on: date) -> tuple[Share, ...]:
        amount = max(0, refunds.refundable_minor(session, order) - _fee_minor(ruling))
        return refund_plans.plan(session, order, amount, self._policies, on)


def _fee_minor(ruling: Decision) -> int:
    return int(str(ruling.values.get("fee_minor", 0)))


def _summary(order: Order, reason: str | None, ruling: Decision, shares: tuple[Share, ...]) -> dict[str, Any]:
    return {
        "order_number": order.number,
        "reason": reason,
        "items": [orders.item_values(line) for line in order.lines],
        "total_minor": order.total_minor,
        "currency": order.currency,
        "nearest": ruling.nearest,  # what might serve the shopper better, such as a change
        "fee_minor": _fee_minor(ruling),
        "refund_minor": sum(share.amount_minor for share in shares),
        "refunds": [share.to_summary() for share in shares],
    }


def _call_off(session: Session, order: Order, reason: str | None, now: datetime) -> None:
    _release_stock(session, order)
    for fulfilment in order.fulfilments:
        fulfilment.status = "cancelled"
    payments.void_uncollected(order)
    order.status = "cancelled"
    order.version += 1
    session.add(Cancellation(order=order, reason=reason or "", cancelled_at=now))
    session.flush()


def _release_stock(session: Session, order: Order) -> None:
    for fulfilment in order.fulfilments:
        for part in fulfilment.lines if fulfilment.status != "cancelled" else ():
            reservations.give_back(session, part.order_line.variant_id, fulfilment.location_id, part.quantity)
