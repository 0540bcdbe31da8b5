"""Orders as their owner sees them: found by number or by what is in them, and how far each has come.

Every question names the owner. An order of somebody else is answered exactly as one that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql import Select

from commerce.models import Category, Fulfilment, Location, Order, OrderLine, Product, Shipment, Variant
from commerce.proposals import Refusal

_RMA = re.compile(r"\brma[\s#-]*\d+", re.IGNORECASE)  # the number of a return, not of an order
_NUMBER = re.compile(
    r"(?<![\w+])(?<!\d[.,])(?<![$€])(?<![$€] )"  # not within a word, a phone number or an amount
    r"(?P<prefix>[a-z]{1,4}-?)?"  # a shop's own "W10234"
    r"(?P<digits>\d{1,3}(?:[ -]\d{1,3})+|\d{2}\.\d{3}|\d{3,12})"  # "10 234" and "10.234" are one, "10234 10235" are two
    r"(?!\w|[.,]\d)",
    re.IGNORECASE,
)
_SHORTEST = 3  # digits: "2" in "2 shirts" is no order number
_OPEN = ("paid", "preparing", "partially_shipped", "shipped")  # on its way to the shopper, so it can be late


@dataclass(frozen=True)
class Title:
    """What a line is called: the product's name in the shopper's language, the options by their canonical values."""

    name: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class Item:
    """Some pieces of an order's line, usable after the session has ended."""

    line_id: int
    sku: str
    names: Mapping[str, str]  # by language
    options: Mapping[str, str]
    quantity: int


@dataclass(frozen=True)
class Parcel:
    """One shipment. `status` is the Shipment's; the event is the carrier's latest, if there was one."""

    carrier: str
    tracking_number: str
    url: str
    status: str
    promised_on: date | None
    delivered_at: datetime | None
    days_late: int
    event_code: str | None
    event_place: str | None
    event_at: datetime | None
    items: tuple[Item, ...]


@dataclass(frozen=True)
class PickupPoint:
    code: str
    name: str
    address: str
    city: str


@dataclass(frozen=True)
class Progress:
    """How far an order has come, as values for the words.

    kind: awaiting_payment, payment_failed, paid, preparing, shipped, out_for_delivery, late (a promise broken, nothing
    worse), lost, delivery_failed, returned_to_sender, partially_shipped, ready_for_pickup, delivered or cancelled. What
    has gone wrong with any parcel comes before what goes well. `waiting`: pieces that are in no parcel yet.
    """

    kind: str
    order_number: str
    status: str  # the Order's own
    promised_on: date | None
    days_late: int
    delivered_at: datetime | None
    parcels: tuple[Parcel, ...]
    waiting: tuple[Item, ...]
    pickup: PickupPoint | None


# Asking


def normalize_number(text: str) -> str | None:
    """The order number in what somebody wrote: "#10-234" and "nº 10 234" are "10234", "w-10234" is "W10234"."""
    spaced = re.sub(r"[#º°ª№]", " ", _RMA.sub(" ", text))
    found = [match for match in _NUMBER.finditer(spaced) if len(_digits(match["digits"])) >= _SHORTEST]
    if not found:
        return None
    longest = max(found, key=lambda match: len(_digits(match["digits"])))
    return (longest["prefix"] or "").rstrip("-").upper() + _digits(longest["digits"])


def find(session: Session, number: str, customer_id: int) -> Order | None:
    """This customer's order of this number, however it is written; None for unknown and for anybody else's alike."""
    owned = session.execute(_OWNED, {"customer_id": customer_id}).all()
    order_id = _matching_id([(row.id, row.number) for row in owned], number)
    return None if order_id is None else session.get(Order, order_id, options=[WITH_GOODS])


_OWNED = select(Order.id, Order.number).where(Order.customer_id == bindparam("customer_id"))
# Whatever is asked about an order names its goods: read with it, not one by one.
WITH_GOODS = selectinload(Order.lines).joinedload(OrderLine.variant).joinedload(Variant.product).joinedload(Product.category)


def find_by_tracking(session: Session, tracking_number: str, customer_id: int) -> Order | None:
    """This customer's order of which a parcel has this number, in upper or lower case; None for anybody else's."""
    statement = (
        select(Order)
        .join(Order.fulfilments)
        .join(Fulfilment.shipments)
        .where(Order.customer_id == customer_id, func.lower(Shipment.tracking_number) == tracking_number.strip().lower())
    )
    found: Order | None = session.execute(statement).scalars().first()
    return found


def find_to_change(session: Session, number: str, customer_id: int) -> Order | None:
    """As `find`, and the order's row is locked until the transaction ends: two writes come one after the other."""
    order = find(session, number, customer_id)
    return order and session.get(Order, order.id, with_for_update=True, populate_existing=True)


def not_found(number: str) -> Refusal:
    """The same for an order that does not exist and for one of somebody else."""
    values = {"order_number": normalize_number(number) or number}
    return Refusal("order_not_found", "order_not_found", nearest="list_orders", values=values)


def recent(session: Session, customer_id: int, limit: int = 5) -> list[Order]:
    """This customer's orders, the newest first."""
    statement = select(Order).where(Order.customer_id == customer_id).order_by(*_newest_first()).limit(limit)
    return list(session.execute(statement).scalars())


def matching(
    session: Session,
    customer_id: int,
    *,
    handles: Collection[str] = (),
    category: str | None = None,
    color: str | None = None,
    size: str | None = None,
    limit: int = 5,
) -> list[OrderLine]:
    """Lines of this customer's orders with such a product, the newest order first.

    handles: of products, any of them; category: a slug; color, size: canonical values. What is left out matches all.
    """
    wanted = {name: value for name, value in (("color", color), ("size", size)) if value}
    lines = session.execute(_lines_of(customer_id, handles, category)).scalars()
    # Options are JSON: compared here, so that SQLite and PostgreSQL agree.
    fitting = [line for line in lines if wanted.items() <= line.variant.options.items()]
    return fitting[:limit]


def _lines_of(customer_id: int, handles: Collection[str], category: str | None) -> Select:
    statement = select(OrderLine).join(OrderLine.order).join(OrderLine.variant).join(Variant.product)
    statement = statement.where(Order.customer_id == customer_id).order_by(*_newest_first(), OrderLine.id)
    if handles:
        statement = statement.where(Product.handle.in_(handles))
    if category:
        statement = statement.join(Product.category).where(Category.slug == category)
    return statement


def _newest_first() -> tuple[Any, Any]:
    return Order.placed_at.desc(), Order.id.desc()


def _matching_id(owned: Iterable[tuple[int, str]], text: str) -> int | None:
    wanted = normalize_number(text) or text.strip().upper()
    known = [(order_id, normalize_number(number) or number.upper()) for order_id, number in owned]
    same = [order_id for order_id, number in known if number == wanted]
    # "10234" for the order "W10234" is clear enough, if only one of the shopper's orders has these digits.
    digits = _digits(wanted)
    alike = same or [order_id for order_id, number in known if digits and _digits(number) == digits]
    return alike[0] if len(alike) == 1 else None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


# What is in it


def title(line: OrderLine | Item, language: str) -> Title:
    """The line's product in this language, or in the nearest that the catalogue has."""
    one = line if isinstance(line, Item) else item(line)
    return Title(name_in(one.names, language), one.options)


def name_in(names: Mapping[str, str], language: str) -> str:
    """names["es-MX"], else names["es"], else the first there is; empty when there is none."""
    for code in (language, language.split("-")[0]):
        if names.get(code):
            return names[code]
    return next(iter(names.values()), "")


def item(line: OrderLine, quantity: int | None = None) -> Item:
    """This line, or only some pieces of it."""
    names, options = line.variant.product.names, line.variant.options
    return Item(line.id, line.sku, names, options, line.quantity if quantity is None else quantity)


def item_values(line: OrderLine) -> dict[str, Any]:
    """A line as values for a summary's words; names by language, options canonical."""
    one = item(line)
    return {
        "line_id": one.line_id,
        "sku": one.sku,
        "names": dict(one.names),
        "options": dict(one.options),
        "quantity": one.quantity,
        "total_minor": line_total(line),
    }


def line_total(line: OrderLine) -> int:
    """Minor units of the order's currency."""
    total: int = line.quantity * line.unit_price_minor
    return total


def order_total(order: Order) -> int:
    """Lines and shipping without the discount, in minor units of the order's currency."""
    total: int = sum(map(line_total, order.lines)) + order.shipping_minor - order.discount_minor
    return total


# How far it has come


def stage(order: Order) -> str:
    """How far the order has come for the policies: placed, paid, preparing, shipped, delivered or cancelled.

    The furthest of its parts counts: what is packed already cannot be called off with the rest.
    """
    if order.status in ("cancelled", "delivered"):
        return str(order.status)
    reached = {order.status, *(each.status for each in order.fulfilments)}
    if reached & {"shipped", "partially_shipped", "ready_for_pickup", "delivered"}:
        return "shipped"
    return "preparing" if "preparing" in reached else str(order.status)


def progress(order: Order, today: date) -> Progress:
    """today: the day where the shopper is, for what is late."""
    parcels = tuple(_parcel(each, order, today) for fulfilment in order.fulfilments for each in fulfilment.shipments)
    promised_on = _promise(order, parcels)
    days_late = _days_late(order, parcels, promised_on, today)
    return Progress(
        kind=_kind(order, parcels, days_late),
        order_number=order.number,
        status=order.status,
        promised_on=promised_on,
        days_late=days_late,
        delivered_at=_delivered_at(parcels),
        parcels=parcels,
        waiting=_waiting(order),
        pickup=_pickup(order.pickup_location) if order.delivery_method == "pickup" else None,
    )


def _parcel(shipment: Shipment, order: Order, today: date) -> Parcel:
    last = shipment.events[-1] if shipment.events else None
    promised_on = shipment.promised_on or order.promised_on
    arrived = shipment.status in ("delivered", "returned_to_sender")
    return Parcel(
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        url=shipment.tracking_url,
        status=shipment.status,
        promised_on=promised_on,
        delivered_at=shipment.delivered_at,
        days_late=0 if arrived else _days_after(promised_on, today),
        event_code=last.code if last else None,
        event_place=(last.place or None) if last else None,
        event_at=last.occurred_at if last else None,
        items=tuple(item(each.order_line, each.quantity) for each in shipment.fulfilment.lines),
    )


def _kind(order: Order, parcels: tuple[Parcel, ...], days_late: int) -> str:
    if order.status == "placed":
        return "payment_failed" if _payment_failed(order) else "awaiting_payment"
    if order.status not in _OPEN:
        return str(order.status)
    return _trouble(parcels) or _way(order, parcels, days_late)


def _trouble(parcels: tuple[Parcel, ...]) -> str | None:
    states = {parcel.status for parcel in parcels}
    return next((each for each in ("lost", "delivery_failed", "returned_to_sender") if each in states), None)


def _way(order: Order, parcels: tuple[Parcel, ...], days_late: int) -> str:
    if _has_arrived(order, parcels):
        return "delivered"
    if order.status != "partially_shipped" and any(parcel.status == "out_for_delivery" for parcel in parcels):
        return "out_for_delivery"  # it arrives today: better news than "late"
    return "late" if days_late else str(order.status)


def _payment_failed(order: Order) -> bool:
    states = {payment.status for payment in order.payments}
    return "failed" in states and "pending" not in states


def _promise(order: Order, parcels: tuple[Parcel, ...]) -> date | None:
    """The first day that is still to be kept: of the parcels under way, else the checkout's."""
    open_days = [parcel.promised_on for parcel in parcels if parcel.promised_on and parcel.status != "delivered"]
    return min(open_days, default=order.promised_on)


def _days_late(order: Order, parcels: tuple[Parcel, ...], promised_on: date | None, today: date) -> int:
    arrived = order.status not in _OPEN or _has_arrived(order, parcels)
    return 0 if arrived else _days_after(promised_on, today)


def _has_arrived(order: Order, parcels: tuple[Parcel, ...]) -> bool:
    # The carrier knows before the shop marks the order.
    return order.status == "shipped" and bool(parcels) and all(parcel.status == "delivered" for parcel in parcels)


def _days_after(promised_on: date | None, today: date) -> int:
    return 0 if promised_on is None else max(0, (today - promised_on).days)


def _delivered_at(parcels: tuple[Parcel, ...]) -> datetime | None:
    return max((parcel.delivered_at for parcel in parcels if parcel.delivered_at), default=None)


def _waiting(order: Order) -> tuple[Item, ...]:
    idle = [each for each in order.fulfilments if _is_waiting(each)]
    return tuple(item(part.order_line, part.quantity) for each in idle for part in each.lines)


def _is_waiting(fulfilment: Fulfilment) -> bool:
    return fulfilment.status in ("pending", "preparing")


def _pickup(location: Location | None) -> PickupPoint | None:
    return PickupPoint(location.code, location.name, location.address, location.city) if location else None
