"""Taking pieces out of stock for somebody, in one statement, so that the last piece is never promised twice."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from commerce.models import Location, Order, StockLevel


class StockMoved(Exception):
    """The pieces that a summary promised are gone, though their row was locked: a broken invariant."""


def place_for(session: Session, order: Order, variant_id: int, quantity: int) -> Location | None:
    """Where so many pieces lie that can be sent to this order's shopper: warehouses first, then stores.

    Only places in the country that the order was packed in: a parcel does not cross the sea for an exchange. The stock
    level found stays locked until the transaction ends.
    """
    countries = {each.location.country for each in order.fulfilments}
    warehouses_first = case((Location.kind == "warehouse", 0), else_=1)
    statement = select(StockLevel).join(StockLevel.location)
    statement = statement.where(StockLevel.variant_id == variant_id, StockLevel.quantity >= quantity)
    if countries:
        statement = statement.where(Location.country.in_(countries))
    first = statement.order_by(warehouses_first, Location.id).limit(1).with_for_update(of=StockLevel)
    level = session.execute(first).scalar_one_or_none()
    return level.location if level else None


def reserve(session: Session, variant_id: int, location_id: int, quantity: int) -> None:
    """Take the pieces out of stock. Raises StockMoved where there are fewer."""
    taken = update(StockLevel).where(
        StockLevel.variant_id == variant_id, StockLevel.location_id == location_id, StockLevel.quantity >= quantity
    )
    if _count(session, taken.values(quantity=StockLevel.quantity - quantity)) != 1:
        raise StockMoved(f"fewer than {quantity} of variant {variant_id} at location {location_id}")


def give_back(session: Session, variant_id: int, location_id: int, quantity: int) -> None:
    """Pieces that are not needed after all, back into stock."""
    level = update(StockLevel).where(StockLevel.variant_id == variant_id, StockLevel.location_id == location_id)
    _count(session, level.values(quantity=StockLevel.quantity + quantity))


def _count(session: Session, statement: Any) -> int:
    rows: int = session.execute(statement.execution_options(synchronize_session="fetch")).rowcount
    return rows
