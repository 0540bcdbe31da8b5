"""Money back by a person's decision, without goods coming back: `refund_exception`, and its taking back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce import orders, refunds
from commerce.models import Order, Refund
from commerce.policies import Policies
from commerce.powers import Powers
from commerce.proposals import Assessment, Refusal, Values
from commerce.refunds import Destination
from commerce.rulings import refusal_of

REASON = "goodwill"  # of the refunds
EXCEPTION = "refund_without_return"
NOT_SENT = "approved"  # the status in which money has not left yet


@dataclass(frozen=True)
class _Plan:
    amount_minor: int
    given_before_minor: int  # by a person, for the same order
    destination: Destination


class RefundWithoutReturn:
    """Parameters: order_number, amount_minor (above 0), currency, refund_to (original | store_credit), reason (for the books).

    What a person has given for the same order before counts: many small amounts are one large one. Refuses by the tables
    agent_powers and refund_destination, and with order_not_found, other_currency, no_amount, more_than_paid.
    """

    kind = "refund_exception"

    def __init__(self, policies: Policies, powers: Powers) -> None:
        self._policies = policies
        self._powers = powers

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        number = parameters["order_number"]
        order = orders.find_to_change(session, number, customer_id)
        if order is None:
            return orders.not_found(number)
        plan = self._plan(session, order, parameters, now)
        if isinstance(plan, Refusal):
            return plan
        summary = {
            "order_number": order.number,
            "refund_minor": plan.amount_minor,
            "currency": order.currency,
            "refund_to": plan.destination.name,
            "refund_parts": refunds.refund_parts(session, order, plan.amount_minor, plan.destination.name),
            "refund_days_min": plan.destination.days_min,
            "refund_days_max": plan.destination.days_max,
            "reason": parameters["reason"],
            "exceptions": [EXCEPTION],
            "exception_minor": plan.amount_minor + plan.given_before_minor,
        }
        return Assessment(summary, {"version": order.version, "refundable_minor": refunds.refundable_minor(session, order)})

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
        told = assessment.summary
        written = refunds.owe(session, order, told["refund_minor"], REASON, told["refund_to"], NOT_SENT, now)
        for each in written:
            refunds.approve_refund(session, each, self._policies, now)
        kept = ("order_number", "refund_minor", "currency", "refund_to", "refund_days_min", "refund_days_max", "reason")
        by_hand = ("exceptions", "exception_minor")
        return {"refund_ids": [each.id for each in written], **{name: told[name] for name in (*kept, *by_hand)}}

    def _plan(self, session: Session, order: Order, parameters: Values, now: datetime) -> _Plan | Refusal:
        amount, named = int(parameters["amount_minor"]), {"order_number": order.number, "currency": order.currency}
        if parameters["currency"] != order.currency:
            return Refusal("other_currency", "other_currency", values=named)
        if amount <= 0:
            return Refusal("no_amount", "no_amount", values=named)
        left = refunds.refundable_minor(session, order)
        if amount > left:
            return Refusal("more_than_paid", "more_than_paid", values={**named, "refundable_minor": left, "amount_minor": amount})
        goal = refunds.destination(order, parameters["refund_to"], self._policies, now)
        if not goal.is_allowed:
            return refusal_of(goal.decision, **named)
        before = given_minor(session, order)
        return self._powers.refusal(EXCEPTION, amount + before, order.currency, now.date()) or _Plan(amount, before, goal)


def given_minor(session: Session, order: Order) -> int:
    """What people have given back for this order without goods, in minor units of its currency."""
    return sum(each.amount_minor for each in refunds.refunds_of(session, order.id) if each.reason == REASON)


class TakeBackRefund:
    """Parameters: refund_ids, all of them of one refund by hand. Only as long as no money has left: refuses with
    order_not_found and money_has_left."""

    kind = "undo_refund_exception"

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        found = _own(session, customer_id, parameters["refund_ids"])
        if not found:
            return Refusal("order_not_found", "order_not_found")
        amount, order = sum(each.amount_minor for each in found), found[0].order
        told = {"order_number": order.number, "refund_minor": amount, "currency": order.currency}
        if any(each.status != NOT_SENT for each in found):
            return Refusal("money_has_left", "money_has_left", values=told)
        return Assessment(told, {"refunds": [each.id for each in found]})

    def perform(
        self,
        session: Session,
        customer_id: int,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        for each in _own(session, customer_id, parameters["refund_ids"]):
            each.status = "failed"
        session.flush()
        return dict(assessment.summary)


def _own(session: Session, customer_id: int, refund_ids: Sequence[int]) -> list[Refund]:
    """These refunds by hand of this customer's orders, locked until the transaction ends."""
    named = select(Refund).join(Order, Refund.order_id == Order.id)
    named = named.where(Refund.id.in_(list(refund_ids)), Refund.reason == REASON, Order.customer_id == customer_id)
    locked = named.order_by(Refund.id).with_for_update(of=Refund).execution_options(populate_existing=True)
    return list(session.execute(locked).scalars())
