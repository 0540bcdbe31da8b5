"""Another delivery address for an order that is not packed yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce import orders
from commerce.models import CustomerAddress, Order
from commerce.policies import Policies
from commerce.proposals import Assessment, Refusal, Values
from commerce.rulings import ask, refusal_about

FIELDS = ("recipient", "line1", "line2", "city", "region", "postcode", "country")
REQUIRED = ("line1", "city", "postcode")  # recipient and country stay as they are unless they are named

Address = Mapping[str, str]


def addresses(session: Session, customer_id: int) -> list[CustomerAddress]:
    """The customer's saved addresses, the default one first."""
    statement = select(CustomerAddress).where(CustomerAddress.customer_id == customer_id)
    default_first = statement.order_by(CustomerAddress.is_default.desc(), CustomerAddress.id)
    return list(session.execute(default_first).scalars())


class ChangeAddress:
    """`parameters`: order_number, and either address (of FIELDS) or address_id (one of the customer's own)."""

    kind = "change_address"

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        order = orders.find_to_change(session, parameters["order_number"], customer_id)
        if order is None:
            return orders.not_found(parameters["order_number"])
        if order.delivery_method == "pickup":
            return Refusal("pickup_order", "pickup_order", nearest="track", values={"order_number": order.number})
        wanted = _wanted(session, order, parameters)
        # Before the shopper types an address, whether one can be changed at all.
        country = wanted["country"] if not isinstance(wanted, Refusal) else _country(order)
        facts = {"order_status": orders.stage(order), "same_country": country == _country(order)}
        ruling = ask(self._policies, "address_change", facts, now.date())
        if not ruling.is_allowed:
            return refusal_about(order, ruling)
        if isinstance(wanted, Refusal):
            return wanted
        return Assessment(_summary(order, wanted), {"version": order.version, "rule": ruling.rule})

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
        order.shipping_address = dict(assessment.summary["to"])
        order.version += 1
        session.flush()
        return {"order_number": order.number, "address": dict(order.shipping_address)}


def _wanted(session: Session, order: Order, parameters: Values) -> Address | Refusal:
    if parameters.get("address_id") is not None:
        saved = _saved(session, order.customer_id, parameters["address_id"])
        address = saved and {field: getattr(saved, field) for field in FIELDS}
    else:
        address = parameters.get("address")
    if address is None:
        return _incomplete(order, REQUIRED)
    address = _completed(address, order)
    missing = tuple(field for field in REQUIRED if not address[field])
    if missing:
        return _incomplete(order, missing)
    present = _completed(order.shipping_address, order)
    if all(address[field] in ("", present[field]) for field in FIELDS):
        return Refusal("same_address", "same_address", values={"order_number": order.number})
    return address


def _saved(session: Session, customer_id: int, address_id: int) -> CustomerAddress | None:
    return next((each for each in addresses(session, customer_id) if each.id == address_id), None)


def _completed(address: Address, order: Order) -> dict[str, str]:
    given = {field: str(address.get(field) or "").strip() for field in FIELDS}
    given["recipient"] = given["recipient"] or order.shipping_address.get("recipient", "")
    given["country"] = given["country"].upper() or _country(order)
    if given["city"] and given["city"] == order.shipping_address.get("city"):
        given["region"] = given["region"] or order.shipping_address.get("region", "")
    return given


def _country(order: Order) -> str:
    return str(order.shipping_address.get("country", "")).upper()


def _incomplete(order: Order, missing: tuple[str, ...]) -> Refusal:
    return Refusal("incomplete", "address_missing", values={"order_number": order.number, "missing": missing})


def _summary(order: Order, wanted: Address) -> dict[str, Any]:
    return {"order_number": order.number, "from": dict(order.shipping_address), "to": dict(wanted)}
