"""Another way to pay for an order that is not packed yet: one method for all of it, and never card data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from commerce import orders, payments, refund_plans, refunds
from commerce.models import Order, Payment
from commerce.policies import Decision, Policies
from commerce.proposals import Assessment, Refusal, Values
from commerce.refund_plans import Share
from commerce.rulings import ask, refusal_about


def methods_to_change_to(session: Session, order: Order, customer_id: int, policies: Policies, on: date) -> tuple[str, ...]:
    """The methods that the policy allows for this order now; empty when it is too late."""
    possible = payments.methods_for(order.currency)
    rulings = {method: _ruling(session, order, customer_id, [method], policies, on) for method in possible}
    return tuple(method for method, ruling in rulings.items() if ruling.is_allowed)


class ChangePayment:
    """`parameters`: order_number, method: one of `payments.methods_for` its currency, or a list where the shopper named several.

    What was paid goes back; the new payment waits for the shopper on the payment page, except from a balance, which is
    taken at once. payment_url: the shop's payment page, to which order number and request are added.
    """

    kind = "change_payment"

    def __init__(self, policies: Policies, payment_url: str) -> None:
        self._policies = policies
        self._payment_url = payment_url

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        order = orders.find_to_change(session, parameters["order_number"], customer_id)
        if order is None:
            return orders.not_found(parameters["order_number"])
        methods = _methods(parameters)
        if not methods or not set(methods) <= set(payments.methods_for(order.currency)):
            return self._asked_for_method(session, order, customer_id, now.date())
        ruling = _ruling(session, order, customer_id, methods, self._policies, now.date())
        if not ruling.is_allowed:
            return refusal_about(order, ruling, method=methods[0])
        shares = self._shares(session, order, now.date())
        facts = {"version": order.version, "rule": ruling.rule, "payments": [_state(each) for each in order.payments]}
        return Assessment(_summary(session, order, methods[0], shares), facts)

    def _asked_for_method(self, session: Session, order: Order, customer_id: int, on: date) -> Refusal:
        allowed = methods_to_change_to(session, order, customer_id, self._policies, on)
        if allowed:
            values = {"order_number": order.number, "methods": allowed}
            return Refusal("incomplete", "method_missing", values=values)
        others = [method for method in payments.methods_for(order.currency) if method not in _used(session, order)]
        ruling = _ruling(session, order, customer_id, others[:1], self._policies, on)
        return refusal_about(order, ruling)

    def _shares(self, session: Session, order: Order, on: date) -> tuple[Share, ...]:
        return refund_plans.plan(session, order, refunds.refundable_minor(session, order), self._policies, on)

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
        method = assessment.summary["to"]
        shares = self._shares(session, order, now.date())
        payments.void_uncollected(order)
        paid_back = refund_plans.carry_out(session, order, shares, "payment_change", now)
        at_once = method in payments.BALANCES
        _pay_with(session, order, method, at_once, now)
        link = None if at_once else payments.payment_link(self._payment_url, order.number, proposal_id)
        return {
            "order_number": order.number,
            "method": method,
            "amount_minor": order.total_minor,
            "currency": order.currency,
            "payment_link": link,
            "refunds": paid_back,
        }


def _methods(parameters: Values) -> list[str]:
    named = parameters.get("method") or []
    return [named] if isinstance(named, str) else list(dict.fromkeys(named))


def _ruling(session: Session, order: Order, customer_id: int, methods: list[str], policies: Policies, on: date) -> Decision:
    facts = {
        "order_status": orders.stage(order),
        "methods_requested": len(methods),
        "same_method": bool(set(methods) & _used(session, order)),
        "enough_balance": all(_covers(session, order, customer_id, method) for method in methods),
    }
    return ask(policies, "payment_change", facts, on)


def _used(session: Session, order: Order) -> set[str]:
    return {payment.method for payment in payments.in_use(session, order)}


def _covers(session: Session, order: Order, customer_id: int, method: str) -> bool:
    if method not in payments.BALANCES:
        return True
    return payments.balance_minor(session, customer_id, method, order.currency) >= order.total_minor


def _state(payment: Payment) -> list[Any]:
    return [payment.id, payment.status, payment.amount_minor]


def _summary(session: Session, order: Order, method: str, shares: tuple[Share, ...]) -> dict[str, Any]:
    return {
        "order_number": order.number,
        "from": [{"method": each.method, "label": each.label} for each in payments.in_use(session, order)],
        "to": method,
        "amount_minor": order.total_minor,
        "currency": order.currency,
        "at_once": method in payments.BALANCES,
        "refunds": [share.to_summary() for share in shares],
    }


def _pay_with(session: Session, order: Order, method: str, at_once: bool, now: datetime) -> None:
    status = "captured" if at_once else "pending"
    payment = Payment(method=method, amount_minor=order.total_minor, status=status, created_at=now)
    order.payments.append(payment)
    # Until the new payment has come in, nothing is packed.
    order.status = "paid" if at_once else "placed"
    order.version += 1
    session.flush()
