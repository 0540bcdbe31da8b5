"""What others do to the shop while a conversation goes on: the warehouse packs, a colleague cancels, the stock runs out.

A change is a mapping: `table`; whose rows, by `order` (number), `sku`, `customer` (e-mail) or `return` (RMA number), and
`where` (column: value); order and SKU together are also the order's line;
then `set` (column: value), `add` (column: value, for a new row) or `delete: true`. A date or an instant may be written as
days from now: "-40d".
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Date, and_, delete, insert, select, update
from sqlalchemy.orm import Session

import messaging.models  # noqa: F401
from commerce.models import Customer, Fulfilment, Order, OrderLine, ReturnAuthorization, Shipment, Variant
from database import Base


def apply(session: Session, change: dict[str, Any]) -> None:
    """Do it. Raises AssertionError where it touches no row: a story must not lean on a change that never was."""
    table = Base.metadata.tables[change["table"]]
    if "add" in change:
        session.execute(insert(table).values(**_owner(session, table, change), **_values(table, change["add"])))
        return
    where = (table.c[column] == value for column, value in _values(table, change.get("where", {})).items())
    chosen = and_(*_scopes(session, table, change), *where)
    what = delete(table) if change.get("delete") else update(table).values(**_values(table, change["set"]))
    assert session.execute(what.where(chosen)).rowcount, f"this change finds nothing to change: {change}"


def _scopes(session: Session, table: Any, change: dict[str, Any]) -> list[Any]:
    owner = _owner(session, table, change)
    scopes = [table.c[column] == value for column, value in owner.items()]
    if "order" in change and not owner.keys() & {"id", "order_id", "order_line_id"}:
        fulfilments = select(Fulfilment.id).where(Fulfilment.order_id == _id(session, Order, Order.number, change["order"]))
        if "fulfilment_id" in table.c:
            scopes.append(table.c.fulfilment_id.in_(fulfilments))
        else:
            shipments = select(Shipment.id).where(Shipment.fulfilment_id.in_(fulfilments))
            scopes.append(table.c.shipment_id.in_(shipments))
    return scopes


def _owner(session: Session, table: Any, change: dict[str, Any]) -> dict[str, int]:
    """The columns by which the rows belong to the order, variant and customer that the change names."""
    owner = {}
    for key, model, name, column in (
        ("order", Order, Order.number, "order_id"),
        ("sku", Variant, Variant.sku, "variant_id"),
        ("customer", Customer, Customer.email, "customer_id"),
        ("return", ReturnAuthorization, ReturnAuthorization.rma_number, "authorization_id"),
    ):
        if key in change and (column in table.c or table.name == model.__tablename__):
            own = "id" if table.name == model.__tablename__ else column
            owner[own] = _id(session, model, name, change[key])
    if {"order", "sku"} <= change.keys() and "order_line_id" in table.c:
        owner["order_line_id"] = _line(session, change)
    return owner


def _line(session: Session, change: dict[str, Any]) -> int:
    order = _id(session, Order, Order.number, change["order"])
    found = session.scalars(select(OrderLine.id).where(OrderLine.order_id == order, OrderLine.sku == change["sku"])).one()
    return int(found)


def _id(session: Session, model: Any, name: Any, value: Any) -> int:
    found = session.scalars(select(model.id).where(name == str(value))).one_or_none()
    assert found is not None, f"there is no {model.__tablename__} {value}"
    return int(found)


def _values(table: Any, written: dict[str, Any]) -> dict[str, Any]:
    return {column: _value(table.c[column], value) for column, value in written.items()}


def _value(column: Any, value: Any) -> Any:
    days = re.fullmatch(r"([+-]\d+)d", value) if isinstance(value, str) else None
    if days is None:
        return value
    moment = datetime.now(timezone.utc) + timedelta(days=int(days[1]))
    return moment.date() if isinstance(column.type, Date) else moment
