"""What the shop knows about a customer: all of it to read, and all that is personal gone.

Orders and points stay without a name, under the customer's number: the shop's books need them. What conversations know
is `messaging.privacy`'s; whoever erases calls both in one transaction. `Traces` has what is to be cleared elsewhere, and
has to be asked for before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from commerce.loyalty import balance
from commerce.loyalty.ledger import lock
from commerce.models import (
    Cancellation,
    Claim,
    Customer,
    CustomerAddress,
    Effect,
    Fulfilment,
    FulfilmentLine,
    LedgerEntry,
    Order,
    OrderLine,
    Payment,
    Proposal,
    Refund,
    ReturnAuthorization,
    ReturnLine,
    Shipment,
    ShipmentEvent,
    Voucher,
)
from commerce.proposals import Assessment, Refusal, Values

ENDED_ORDERS = ("delivered", "cancelled")
ENDED_PARTS = ("delivered", "cancelled")
ENDED_RETURNS = ("completed", "rejected", "expired", "cancelled")
OWED_REFUNDS = ("waiting_for_goods", "approved", "sent")
UNSETTLED_CLAIMS = ("open", "with_agent", "waiting_for_carrier")
ERASED = "erased"


@dataclass(frozen=True)
class Traces:
    """What else may name the customer. contacts: e-mail and phone on file; files: paths below TENDERO_HOME."""

    contacts: tuple[str, ...]
    files: tuple[str, ...]  # return labels and pictures of claims


class UnknownCustomer(Exception):
    """No customer of that id."""


# --- export -----------------------------------------------------------------------------------------------------------


def export_customer(session: Session, customer_id: int) -> dict[str, Any]:
    """Everything that commerce holds about a customer, by table, fit for JSON (dates and instants in ISO 8601).

    A guest's orders under the customer's e-mail are theirs too. Raises UnknownCustomer.
    """
    customer = _customer(session, customer_id)
    return {
        "customer": _plain(customer),
        "addresses": _rows(session, CustomerAddress, CustomerAddress.customer_id == customer_id),
        "orders": [_order(session, order) for order in _orders(session, customer)],
        "points": _rows(session, LedgerEntry, LedgerEntry.customer_id == customer_id),
        "vouchers": _rows(session, Voucher, Voucher.customer_id == customer_id),
        "requests": _rows(session, Proposal, Proposal.customer_id == customer_id),
        "effects": _rows(session, Effect, Effect.proposal_id.in_(_proposals_of(customer_id))),
    }


def _order(session: Session, order: Order) -> dict[str, Any]:
    mine = order.id
    parts = select(Fulfilment.id).where(Fulfilment.order_id == mine)
    parcels = select(Shipment.id).where(Shipment.fulfilment_id.in_(parts))
    returns = select(ReturnAuthorization.id).where(ReturnAuthorization.order_id == mine)
    return {
        **_plain(order),
        "lines": _rows(session, OrderLine, OrderLine.order_id == mine),
        "payments": _rows(session, Payment, Payment.order_id == mine),
        "fulfilments": _rows(session, Fulfilment, Fulfilment.order_id == mine),
        "fulfilment_lines": _rows(session, FulfilmentLine, FulfilmentLine.fulfilment_id.in_(parts)),
        "shipments": _rows(session, Shipment, Shipment.fulfilment_id.in_(parts)),
        "shipment_events": _rows(session, ShipmentEvent, ShipmentEvent.shipment_id.in_(parcels)),
        "cancellations": _rows(session, Cancellation, Cancellation.order_id == mine),
        "returns": _rows(session, ReturnAuthorization, ReturnAuthorization.order_id == mine),
        "return_lines": _rows(session, ReturnLine, ReturnLine.authorization_id.in_(returns)),
        "refunds": _rows(session, Refund, Refund.order_id == mine),
        "claims": _rows(session, Claim, Claim.order_id == mine),
    }


def _rows(session: Session, model: Any, condition: Any) -> list[dict[str, Any]]:
    found = session.execute(select(model).where(condition).order_by(*model.__table__.primary_key.columns)).scalars()
    return [_plain(row) for row in found]


def _plain(row: Any) -> dict[str, Any]:
    return {column.name: _json(getattr(row, column.name)) for column in row.__table__.columns}


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


# --- erase ------------------------------------------------------------------------------------------------------------


def traces_of(session: Session, customer_id: int) -> Traces:
    """What to clear elsewhere; ask before erasing. Raises UnknownCustomer."""
    customer = _customer(session, customer_id)
    orders = [order.id for order in _orders(session, customer)]
    labels = select(ReturnAuthorization.label_path).where(ReturnAuthorization.order_id.in_(orders))
    pictures = select(Claim.evidence).where(Claim.order_id.in_(orders))
    files = {path for path in session.execute(labels).scalars() if path}
    files.update(path for paths in session.execute(pictures).scalars() for path in paths)
    contacts = tuple(contact for contact in (customer.email, customer.phone) if contact)
    return Traces(contacts, tuple(sorted(files)))


def open_orders(session: Session, customer_id: int) -> list[str]:
    """Numbers of the orders for which the customer is still needed: on their way, or with goods or money to come back."""
    orders = {order.id: order for order in _orders(session, _customer(session, customer_id))}
    waiting = (
        (Fulfilment, Fulfilment.status.not_in(ENDED_PARTS)),
        (ReturnAuthorization, ReturnAuthorization.status.not_in(ENDED_RETURNS)),
        (Refund, Refund.status.in_(OWED_REFUNDS)),
        (Claim, Claim.status.in_(UNSETTLED_CLAIMS)),
    )
    found = {number for number, order in orders.items() if order.status not in ENDED_ORDERS}
    ended = [number for number, order in orders.items() if order.status != "cancelled"]
    for model, condition in waiting:
        among = ended if model is Fulfilment else list(orders)
        found.update(session.execute(select(model.order_id).where(model.order_id.in_(among), condition)).scalars())
    return [order.number for number, order in orders.items() if number in found]


def erase_customer(session: Session, customer_id: int, now: datetime) -> Traces | Refusal:
    """Erase name, e-mail, phone and addresses wherever commerce has them; what is left to clear elsewhere.

    Refusal `open_orders` (values: order_numbers) while an order still needs them: nothing is changed then. A customer
    who has been erased is left as is. Raises UnknownCustomer.
    """
    lock(session, customer_id)
    if waiting := open_orders(session, customer_id):
        return _open_orders(waiting)
    traces = traces_of(session, customer_id)
    _erase(session, _customer(session, customer_id), now, kept=None)
    return traces


class EraseCustomer:
    """Operation `erase_customer`. Parameters: {}. Summary: orders, addresses, points, vouchers: what is there now.

    Result: number, erased_on. It names nobody, so `traces_of` is to be asked before confirming.
    """

    kind = "erase_customer"

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        lock(session, customer_id)
        customer = _customer(session, customer_id)
        if customer.erased_at is not None:
            return Refusal("already_erased", "already_erased")
        if waiting := open_orders(session, customer_id):
            return _open_orders(waiting)
        mine = Voucher.customer_id == customer_id
        active = select(func.count(Voucher.id)).where(mine, Voucher.status == "active", Voucher.expires_at > now)
        summary = {
            "orders": len(_orders(session, customer)),
            "addresses": len(customer.addresses),
            "points": balance(session, customer_id, now),
            "vouchers": session.execute(active).scalar_one(),
        }
        return Assessment(summary, {})

    def perform(
        self,
        session: Session,
        customer_id: int,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        customer = _customer(session, customer_id)
        _erase(session, customer, now, kept=proposal_id)
        return {"number": customer.number, "erased_on": now.date().isoformat()}


def _open_orders(numbers: Sequence[str]) -> Refusal:
    return Refusal("open_orders", "open_orders", nearest="list_orders", values={"order_numbers": list(numbers)})


def _erase(session: Session, customer: Customer, now: datetime, kept: str | None) -> None:
    """kept: the proposal that asks for this; a second "yes" to it finds it again."""
    if customer.erased_at is not None:
        return
    orders = [order.id for order in _orders(session, customer)]
    statements = [
        *_erase_orders(orders),
        *_erase_requests(customer, kept),
        delete(CustomerAddress).where(CustomerAddress.customer_id == customer.id),
        update(Customer)
        .where(Customer.id == customer.id)
        .values(name="", email=None, phone=None, accepts_marketing=False, erased_at=now),
    ]
    for statement in statements:
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()


def _erase_orders(orders: Sequence[int]) -> Iterable[Any]:
    yield update(Order).where(Order.id.in_(orders)).values(email=None, shipping_address={})
    # A label may be the address of an account: "ana@example.com" at PayPal.
    yield update(Payment).where(Payment.order_id.in_(orders)).values(label="")
    yield update(Claim).where(Claim.order_id.in_(orders)).values(note="", evidence=[])
    yield update(ReturnAuthorization).where(ReturnAuthorization.order_id.in_(orders)).values(label_path=None)


def _erase_requests(customer: Customer, kept: str | None) -> Iterable[Any]:
    """Summaries and results quote addresses; on some channels a conversation's name is a phone number."""
    theirs = Proposal.customer_id == customer.id
    yield update(Proposal).where(theirs).values(parameters={}, summary={})
    yield update(Effect).where(Effect.proposal_id.in_(_proposals_of(customer.id))).values(result={})
    others = Proposal.id != (kept or "")
    texts = ((customer.phone or "").lstrip("+"), customer.email)
    named = [Proposal.conversation.contains(text, autoescape=True) for text in texts if text]
    yield update(Proposal).where(theirs, or_(others, *named)).values(conversation=ERASED)


def _customer(session: Session, customer_id: int) -> Customer:
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise UnknownCustomer(f"no customer {customer_id}")
    return customer


def _orders(session: Session, customer: Customer) -> list[Order]:
    """The customer's orders, and a guest's under their e-mail, oldest first."""
    theirs = Order.customer_id == customer.id
    if customer.email:
        theirs = or_(theirs, and_(Order.customer_id.is_(None), func.lower(Order.email) == customer.email))
    return list(session.execute(select(Order).where(theirs).order_by(Order.placed_at, Order.id)).scalars())


def _proposals_of(customer_id: int) -> Any:
    return select(Proposal.id).where(Proposal.customer_id == customer_id)
