"""The paper of a return: its RMA, its way back, its lines and its label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.models import Customer, Location, Order, ReturnAuthorization, ReturnLine
from commerce.numbering import add_numbered
from commerce.orders import item
from commerce.policies import Decision, Policies
from commerce.returns.eligibility import Case, Pieces
from commerce.returns.label import Label, write_label
from commerce.rulings import ask

PREFIX, FIRST = "RMA-", 20001
DAYS_TO_SEND = 14  # from the authorization until the goods should be on their way


@dataclass(frozen=True)
class Terms:
    """What an authorization says besides its goods."""

    kind: str  # return | exchange
    reason: str
    method: str
    shipping_paid_by: str
    policy_rule: str
    refund_to: str | None = None
    exchange_variant_id: int | None = None
    difference_minor: int = 0


def way_back(case: Case, method: str, policies: Policies) -> Decision:
    """How the goods may travel back and who pays: the decision of `return_shipping`.

    Allowed, its values are `shipping_paid_by` and `fee_minor`, in the order's currency.
    """
    facts = {
        "tier": case.tier,
        "reason": case.reason,
        "return_method": method,
        "pick_up_available": bool(case.order.shipping_address.get("line1")),
        "currency": case.order.currency,
    }
    return ask(policies, "return_shipping", facts, case.now.date())


def send_by(now: datetime) -> date:
    return now.date() + timedelta(days=DAYS_TO_SEND)


def shown(pieces: Pieces, **more: Any) -> dict[str, Any]:
    """Some pieces as values for the words."""
    one = item(pieces.line, pieces.quantity)
    shape = {"line_id": one.line_id, "sku": one.sku, "names": dict(one.names), "options": dict(one.options)}
    return {**shape, "quantity": one.quantity, **more}


def issue(
    session: Session, order: Order, pieces: Iterable[Pieces], terms: Terms, home: Path, now: datetime
) -> ReturnAuthorization:
    """Write the authorization with its lines, number and label. The label's file lies below `home`."""
    authorization = ReturnAuthorization(
        order=order,
        customer_id=order.customer_id,
        kind=terms.kind,
        status="authorized",
        reason=terms.reason,
        method=terms.method,
        refund_to=terms.refund_to,
        shipping_paid_by=terms.shipping_paid_by,
        exchange_variant_id=terms.exchange_variant_id,
        difference_minor=terms.difference_minor,
        policy_rule=terms.policy_rule,
        authorized_at=now,
        send_by=send_by(now),
        lines=[ReturnLine(order_line=each.line, quantity=each.quantity) for each in pieces],
    )
    add_numbered(session, authorization, "rma_number", PREFIX, FIRST)
    authorization.label_path = write_label(home, _label(session, authorization))
    session.flush()
    return authorization


def _label(session: Session, authorization: ReturnAuthorization) -> Label:
    order = authorization.order
    return Label(
        rma_number=authorization.rma_number,
        order_number=order.number,
        destination=_destination(session, authorization),
        sender=_sender(session.get(Customer, order.customer_id), order.shipping_address),
        send_by=authorization.send_by.isoformat(),
        items=tuple(f"{each.quantity} x {each.order_line.sku}" for each in authorization.lines),
        made_at=authorization.authorized_at,
    )


def _sender(customer: Customer, address: Mapping[str, str]) -> tuple[str, ...]:
    town = " ".join(filter(None, (address.get("postcode"), address.get("city"), address.get("country"))))
    lines = (customer.name, address.get("line1", ""), address.get("line2", ""), town)
    return tuple(line for line in lines if line)


def _destination(session: Session, authorization: ReturnAuthorization) -> tuple[str, ...]:
    place = _place(session, authorization)
    return (place.name, place.address, f"{place.city} {place.country}") if place else ()


def _place(session: Session, authorization: ReturnAuthorization) -> Location | None:
    """Goods go back to the place that packed them; by hand, to a store in that country."""
    packed = authorization.order.fulfilments
    home = packed[0].location if packed else None
    if authorization.method != "store" or home is None:
        return home
    stores = select(Location).where(Location.kind == "store", Location.country == home.country).order_by(Location.id)
    return session.execute(stores.limit(1)).scalar_one_or_none() or home


def items_of(session: Session, customer_id: int, rma_number: str) -> list[dict[str, Any]]:
    """What this customer's own return holds, as values for the words; empty for another person's and for none."""
    statement = select(ReturnAuthorization).where(
        ReturnAuthorization.rma_number == rma_number, ReturnAuthorization.customer_id == customer_id
    )
    authorization = session.execute(statement).scalar_one_or_none()
    return [shown(Pieces(line.order_line, line.quantity)) for line in authorization.lines] if authorization else []
