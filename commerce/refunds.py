"""Money back: how much an order can still give, to where, and how far each refund has come.

RefundError
├── UnknownRefund     no refund of that id
└── RefundNotReady    the refund is not at the step before
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.models import Order, Payment, Refund, ReturnAuthorization
from commerce.policies import Decision, Policies
from commerce.rulings import ask
from commerce.working_days import add_working_days

PAID = ("captured", "refunded", "partially_refunded")  # payments whose money reached the shop
DESTINATIONS = ("original", "store_credit", "gift_card")
# The policy tables speak of kinds of payment; a method not named here is its own kind.
PAYMENT_KINDS = {"paypal": "wallet", "pix": "bank_transfer", "oxxo": "cash"}
CHARGEABLE = ("card", "wallet", "bank_transfer")  # kinds that a payment link can ask for more
STEPS = ("requested", "goods_received", "approved", "sent", "settled")
VOID = ("rejected", "expired", "cancelled")  # returns whose goods stayed with the shopper, or went back to them
# How many of the steps each status of a refund has behind it.
PROGRESS = {"waiting_for_goods": 1, "approved": 3, "sent": 4, "settled": 5, "failed": 3}


class RefundError(Exception):
    """Root of what this module raises."""


class UnknownRefund(RefundError):
    """No refund of that id."""


class RefundNotReady(RefundError):
    """The refund is not at the step before: money would leave twice, or before the goods are back."""


@dataclass(frozen=True)
class RefundStep:
    """One of requested, goods_received, approved, sent, settled. `on` is the day it happened, where that is known."""

    name: str
    is_done: bool
    on: date | None = None


@dataclass(frozen=True)
class RefundProgress:
    """A refund on its way. `due_from` and `due_by` are known once it is approved; `method` is the payment's label."""

    refund_id: int
    order_number: str
    rma_number: str | None
    reason: str
    destination: str
    method: str
    amount_minor: int
    currency: str
    status: str
    steps: tuple[RefundStep, ...]
    due_from: date | None
    due_by: date | None
    send_by: date | None  # until when the goods are to be sent, while they are waited for; were, where they never came
    closed_as: str | None = None  # expired, rejected or cancelled: the return by which nothing is paid back

    @property
    def is_under_way(self) -> bool:
        """There is money still to come."""
        return self.status != "settled" and self.closed_as is None

    def is_late(self, today: date) -> bool:
        """Promised for a day that is over, and not there."""
        return self.status != "settled" and self.due_by is not None and self.due_by < today


@dataclass(frozen=True)
class Destination:
    """A way for money to go back. Days are working days from the approval; both 0 is at once."""

    name: str
    decision: Decision
    days_min: int
    days_max: int

    @property
    def is_allowed(self) -> bool:
        return self.decision.is_allowed


# --- how much ---------------------------------------------------------------------------------------------------------


def paid_minor(order: Order) -> int:
    """What the shopper has paid for the order so far, in minor units of its currency."""
    return sum(each.amount_minor for each in order.payments if each.status in PAID)


def refundable_minor(session: Session, order: Order) -> int:
    """What the order can still give back: paid, less every refund that has not failed."""
    return max(0, paid_minor(order) - sum(each.amount_minor for each in refunds_of(session, order.id)))


def refunds_of(session: Session, order_id: int) -> list[Refund]:
    """The order's refunds that have not failed, oldest first."""
    statement = select(Refund).where(Refund.order_id == order_id, Refund.status != "failed").order_by(Refund.id)
    return list(session.execute(statement).scalars())


def split(session: Session, order: Order, amount_minor: int) -> list[tuple[Payment, int]]:
    """The amount over the order's payments, none beyond what it still holds; the first payment is emptied first.

    Raises ValueError: the payments together hold less.
    """
    shares: list[tuple[Payment, int]] = []
    for payment, left in _held(order, refunds_of(session, order.id)):
        share = min(left, amount_minor)
        if share:
            shares.append((payment, share))
        amount_minor -= share
    if amount_minor:
        raise ValueError(f"order {order.number} cannot give back {amount_minor} more than it holds")
    return shares


def _held(order: Order, refunds: Sequence[Refund]) -> list[tuple[Payment, int]]:
    """What each payment still holds. A refund that names no payment is taken from the last ones."""
    unnamed = sum(each.amount_minor for each in refunds if each.payment_id is None)
    held: list[tuple[Payment, int]] = []
    for payment in reversed([each for each in order.payments if each.status in PAID]):
        own = sum(each.amount_minor for each in refunds if each.payment_id == payment.id)
        left = max(0, payment.amount_minor - own)
        taken = min(left, unnamed)
        unnamed -= taken
        held.insert(0, (payment, left - taken))
    return held


def owe(
    session: Session,
    order: Order,
    amount_minor: int,
    reason: str,
    destination: str,
    status: str,
    now: datetime,
    authorization: ReturnAuthorization | None = None,
) -> list[Refund]:
    """Write the refunds for an amount: one for each payment that goes back to where it came from, else one.

    Never beyond what the order can still give. An amount of 0 writes nothing.
    """
    amount_minor = min(amount_minor, refundable_minor(session, order))
    parts: list[tuple[Payment | None, int]] = [(None, amount_minor)] if amount_minor else []
    if destination == "original":
        parts = list(split(session, order, amount_minor))
    refunds = [
        Refund(
            order=order,
            authorization=authorization,
            payment=payment,
            reason=reason,
            destination=destination,
            amount_minor=share,
            currency=order.currency,
            status=status,
            created_at=now,
        )
        for payment, share in parts
    ]
    session.add_all(refunds)
    session.flush()
    return refunds


# --- to where ---------------------------------------------------------------------------------------------------------


def destinations(session: Session, order: Order, policies: Policies, now: datetime) -> list[Destination]:
    """Every way for the order's money to go back, each with the policy's decision on it."""
    return [destination(order, name, policies, now) for name in DESTINATIONS]


def destination(order: Order, name: str, policies: Policies, now: datetime) -> Destination:
    """The policy's decision on one way back: original, store_credit, gift_card or other_account.

    An order paid by several methods goes back to all of them, so the one that cannot bear it decides; else the slowest.
    """
    methods = [each.method for each in order.payments if each.status in PAID]
    ways = [_destination(order, name, method, policies, now) for method in methods or ["store_credit"]]
    refused = next((each for each in ways if not each.is_allowed), None)
    return refused or max(ways, key=lambda each: each.days_max)


def _destination(order: Order, name: str, method: str, policies: Policies, now: datetime) -> Destination:
    facts = {"payment_kind": PAYMENT_KINDS.get(method, method), "requested_to": name, "is_gift": order.is_gift}
    decision = ask(policies, "refund_destination", facts, now.date())
    days_min, days_max = decision.values.get("refund_days_min", 0), decision.values.get("refund_days_max", 0)
    return Destination(name, decision, int(str(days_min)), int(str(days_max)))


def chargeable_payment(order: Order) -> Payment | None:
    """The first payment whose method can be asked for more, by a link."""
    paid = (each for each in order.payments if each.status in PAID)
    return next((each for each in paid if PAYMENT_KINDS.get(each.method, each.method) in CHARGEABLE), None)


def refund_parts(session: Session, order: Order, amount_minor: int, name: str) -> list[dict[str, object]]:
    """How an amount would be paid out, as values for the words: method, label and amount of each part."""
    if name != "original":
        return [{"method": name, "label": "", "amount_minor": amount_minor}] if amount_minor else []
    parts = split(session, order, amount_minor)
    return [{"method": each.method, "label": each.label, "amount_minor": share} for each, share in parts]


# --- how far ----------------------------------------------------------------------------------------------------------


def status(
    session: Session, customer_id: int, order_number: str | None = None, rma_number: str | None = None
) -> list[RefundProgress]:
    """The customer's own refunds, newest first; of one order or of one return where that is named.

    Another person's number gives the same empty list as a number that does not exist.
    """
    statement = select(Refund).join(Order, Refund.order_id == Order.id).where(Order.customer_id == customer_id)
    if order_number is not None:
        statement = statement.where(Order.number == order_number)
    if rma_number is not None:
        statement = statement.join(Refund.authorization).where(ReturnAuthorization.rma_number == rma_number)
    newest_first = statement.order_by(Refund.created_at.desc(), Refund.id.desc())
    return [_progress(each) for each in session.execute(newest_first).scalars()]


def _progress(refund: Refund) -> RefundProgress:
    authorization = refund.authorization
    is_void = authorization is not None and refund.status == "failed" and authorization.status in VOID
    return RefundProgress(
        refund_id=refund.id,
        order_number=refund.order.number,
        rma_number=authorization.rma_number if authorization else None,
        reason=refund.reason,
        destination=refund.destination,
        method=(refund.payment.label or refund.payment.method) if refund.payment else "",
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        status=refund.status,
        steps=tuple(_steps(refund)),
        due_from=refund.due_from,
        due_by=refund.due_by,
        send_by=authorization.send_by if authorization and (is_void or refund.status == "waiting_for_goods") else None,
        closed_as=authorization.status if is_void else None,
    )


def _steps(refund: Refund) -> list[RefundStep]:
    done = PROGRESS[refund.status]
    if refund.status == "waiting_for_goods" and refund.authorization.status in ("received", "inspected"):
        done = 2
    days = {"requested": refund.created_at.date(), "settled": refund.settled_at.date() if refund.settled_at else None}
    steps = [RefundStep(name, place < done, days.get(name)) for place, name in enumerate(STEPS)]
    # Without goods to send back there is none to wait for.
    return [step for step in steps if refund.authorization_id is not None or step.name != "goods_received"]


# --- on its way -------------------------------------------------------------------------------------------------------


def approve_refund(session: Session, refund: Refund, policies: Policies, now: datetime) -> None:
    """From now on the money is due, in the policy's working days; where that is at once, it is settled here and now."""
    method = refund.payment.method if refund.payment else "store_credit"
    way = _destination(refund.order, refund.destination, method, policies, now)
    refund.status = "approved"
    refund.due_from = add_working_days(now.date(), way.days_min)
    refund.due_by = add_working_days(now.date(), way.days_max)
    session.flush()
    if way.is_allowed and not way.days_max:
        settle_refund(session, refund.id, now)


def send_refund(session: Session, refund_id: int) -> Refund:
    """The bank has been told. Raises UnknownRefund, RefundNotReady."""
    refund = _at(session, refund_id, "approved")
    refund.status = "sent"
    session.flush()
    return refund


def settle_refund(session: Session, refund_id: int, now: datetime) -> Refund:
    """The money has arrived; a second call changes nothing. Raises UnknownRefund, RefundNotReady."""
    refund = _at(session, refund_id, "approved", "sent", "settled")
    if refund.status != "settled":
        refund.status, refund.settled_at = "settled", now
        session.flush()
        _note_on_payment(session, refund)
        _complete_return(session, refund.authorization_id)
        session.flush()
    return refund


def _at(session: Session, refund_id: int, *statuses: str) -> Refund:
    refund = session.get(Refund, refund_id, with_for_update=True, populate_existing=True)
    if refund is None:
        raise UnknownRefund(f"no refund {refund_id}")
    if refund.status not in statuses:
        raise RefundNotReady(f"refund {refund_id} is {refund.status}, not {' or '.join(statuses)}")
    return refund


def _note_on_payment(session: Session, refund: Refund) -> None:
    if refund.payment is None:
        return
    settled = select(Refund).where(Refund.payment_id == refund.payment_id, Refund.status == "settled")
    back = sum(each.amount_minor for each in session.execute(settled).scalars())
    refund.payment.status = "refunded" if back >= refund.payment.amount_minor else "partially_refunded"


def _complete_return(session: Session, authorization_id: int | None) -> None:
    if authorization_id is None:
        return
    unsettled = select(Refund.id).where(Refund.authorization_id == authorization_id, Refund.status != "settled")
    if session.execute(unsettled.limit(1)).first() is None:
        session.get(ReturnAuthorization, authorization_id).status = "completed"
