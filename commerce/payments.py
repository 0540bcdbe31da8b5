"""How an order is paid. Of a card there is a label at most: its number is typed on the payment page, never here."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce import refunds
from commerce.models import Customer, Order, Payment, Refund

METHODS = ("card", "paypal", "bank_transfer", "gift_card", "store_credit", "oxxo", "pix")  # cash needs a counter
ONLY_IN = {"oxxo": "MXN", "pix": "BRL"}  # methods of one country, by its currency
BALANCES = ("gift_card", "store_credit")  # the shop holds the money already
UNCOLLECTED = ("pending", "authorized")  # promised or held, the money is still with the shopper
LOST = ("failed", "voided")


def methods_for(currency: str) -> tuple[str, ...]:
    """The methods with which an amount in this currency can be paid."""
    return tuple(method for method in METHODS if ONLY_IN.get(method, currency) == currency)


def in_use(session: Session, order: Order) -> list[Payment]:
    """The payments that the order is or will be paid with: neither failed nor given back."""
    held = [payment for payment, _ in refunds.split(session, order, refunds.refundable_minor(session, order))]
    return [each for each in order.payments if each in held or each.status in UNCOLLECTED]


def balance_minor(session: Session, customer_id: int, method: str, currency: str) -> int:
    """What the shop knows to be left on the customer's gift cards or store credit: given back to them, less spent.

    A card that was bought elsewhere counts for nothing until the shop imports it: too little is safe, too much is not.
    Locks the customer until the transaction ends: two orders do not spend the same balance.
    """
    session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())
    given = sum(each.amount_minor for each in _given(session, customer_id, method, currency))
    spent = sum(each.amount_minor for each in _spent(session, customer_id, method, currency))
    return max(0, given - spent)


def _given(session: Session, customer_id: int, method: str, currency: str) -> Iterable[Refund]:
    statement = select(Refund).join(Refund.order).outerjoin(Refund.payment)
    to_method = (Refund.destination == method) | ((Refund.destination == "original") & (Payment.method == method))
    mine = (Order.customer_id == customer_id, Refund.currency == currency, Refund.status == "settled")
    refunded: Iterable[Refund] = session.execute(statement.where(to_method, *mine)).scalars()
    return refunded


def _spent(session: Session, customer_id: int, method: str, currency: str) -> Iterable[Payment]:
    statement = select(Payment).join(Payment.order).where(Payment.method == method, Payment.status.not_in(LOST))
    mine = (Order.customer_id == customer_id, Order.currency == currency)
    spent: Iterable[Payment] = session.execute(statement.where(*mine)).scalars()
    return spent


def void_uncollected(order: Order) -> None:
    """Payments that were only promised or held will never be collected."""
    for payment in order.payments:
        if payment.status in UNCOLLECTED:
            payment.status = "voided"


def payment_link(base_url: str, order_number: str, token: str) -> str:
    """The shop's page on which this amount is paid. token: what the page knows the request by, not guessable."""
    return f"{base_url.rstrip('/')}/{order_number}/{token}"


def can_be_charged(method: str) -> bool:
    """Whether a difference can be asked for by a payment link: not from a balance that may be too small, nor cash."""
    return refunds.PAYMENT_KINDS.get(method, method) in refunds.CHARGEABLE
