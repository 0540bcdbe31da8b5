"""A tiny shop for tests: a few products in variants, customers, and orders in any state.

shop = Shop(session)
ana = shop.customer("Ana")
order = shop.order(ana, {"SHI-OXF-BLU-M": 1}, status="delivered", delivered_days_ago=5)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.models import (
    Category,
    Customer,
    CustomerAddress,
    Fulfilment,
    FulfilmentLine,
    Location,
    Order,
    OrderLine,
    Payment,
    Price,
    Product,
    Shipment,
    ShipmentEvent,
    StockLevel,
    Variant,
)

POLICIES = Path(__file__).parents[2] / "data" / "policies"  # the demo shop's own tables: load_policies(POLICIES)
NOW = datetime(2026, 11, 18, 15, 0, tzinfo=timezone.utc)  # a Wednesday, as in tests/conftest.py

# handle, category, (es, en), final sale, [(sku, options, price in EUR cents, pieces in the warehouse)]
PRODUCTS = (
    (
        "oxford-shirt",
        "shirts",
        ("Camisa Oxford", "Oxford Shirt"),
        False,
        (
            ("SHI-OXF-BLU-S", {"size": "S", "color": "blue"}, 4000, 5),
            ("SHI-OXF-BLU-M", {"size": "M", "color": "blue"}, 4000, 5),
            ("SHI-OXF-BLU-L", {"size": "L", "color": "blue"}, 4000, 0),
            ("SHI-OXF-WHI-M", {"size": "M", "color": "white"}, 4500, 5),
            ("SHI-OXF-RED-M", {"size": "M", "color": "red"}, 3000, 5),
        ),
    ),
    (
        "city-sneaker",
        "shoes",
        ("Tenis Ciudad", "City Sneaker"),
        False,
        (
            ("SHO-CIT-WHI-40", {"size": "40", "color": "white"}, 8000, 5),
            ("SHO-CIT-WHI-41", {"size": "41", "color": "white"}, 8000, 5),
        ),
    ),
    (
        "cotton-briefs",
        "underwear",
        ("Ropa interior de algodón", "Cotton Briefs"),
        False,
        (("UND-COT-BLA-M", {"size": "M", "color": "black"}, 1500, 5),),
    ),
    (
        "outlet-bag",
        "bags",
        ("Bolso de saldo", "Outlet Bag"),
        True,
        (("BAG-OUT-BLA", {"color": "black"}, 6000, 5),),
    ),
)
CATEGORIES = {
    "shirts": ("Camisas", "Shirts", "ordinary"),
    "shoes": ("Zapatos", "Shoes", "ordinary"),
    "underwear": ("Ropa interior", "Underwear", "hygiene"),
    "bags": ("Bolsos", "Bags", "ordinary"),
}
ADDRESS = {
    "recipient": "Ana López",
    "line1": "Calle Mayor 1",
    "line2": "",
    "city": "Madrid",
    "region": "Madrid",
    "postcode": "28013",
    "country": "ES",
}
# Order status: (fulfilment, payment, shipment)
STATES: Mapping[str, tuple[str, str, str | None]] = {
    "placed": ("pending", "pending", None),
    "paid": ("pending", "captured", None),
    "preparing": ("preparing", "captured", None),
    "partially_shipped": ("shipped", "captured", "in_transit"),  # the first line only
    "shipped": ("shipped", "captured", "in_transit"),
    "ready_for_pickup": ("ready_for_pickup", "captured", None),
    "delivered": ("delivered", "captured", "delivered"),
    "cancelled": ("cancelled", "refunded", None),
}


class Shop:
    """Four products, one warehouse (`madrid-warehouse`), one store (`madrid`); prices in EUR and 20-fold in MXN."""

    def __init__(self, session: Session, now: datetime = NOW) -> None:
        self.session = session
        self.now = now
        self.warehouse = Location(
            code="madrid-warehouse", kind="warehouse", name="Almacén", address="Polígono 1", city="Madrid", country="ES"
        )
        self.store = Location(
            code="madrid", kind="store", name="Malasaña", address="Calle Fuencarral 1", city="Madrid", country="ES"
        )
        session.add_all([self.warehouse, self.store])
        categories = {
            slug: Category(slug=slug, names={"es": es, "en": en}, return_kind=kind) for slug, (es, en, kind) in CATEGORIES.items()
        }
        for handle, category, (es, en), final, variants in PRODUCTS:
            product = Product(handle=handle, names={"es": es, "en": en}, is_final_sale=final)
            product.category = categories[category]
            product.variants = [self._variant(*each) for each in variants]
            session.add(product)
        session.flush()
        self._people = 0
        self._orders = 10200

    def _variant(self, sku: str, options: Mapping[str, str], price: int, pieces: int) -> Variant:
        prices = [Price(currency="EUR", amount_minor=price), Price(currency="MXN", amount_minor=price * 20)]
        levels = [
            StockLevel(location=self.warehouse, quantity=pieces),
            StockLevel(location=self.store, quantity=0),
        ]
        return Variant(sku=sku, options=dict(options), prices=prices, stock_levels=levels)

    def variant(self, sku: str) -> Variant:
        found: Variant = self.session.execute(select(Variant).where(Variant.sku == sku)).scalar_one()
        return found

    def stock(self, sku: str, location: Location | None = None) -> int:
        """Pieces at this location; everywhere without one. Read from the database, not from memory."""
        statement = select(StockLevel.quantity).join(Variant).where(Variant.sku == sku)
        if location is not None:
            statement = statement.where(StockLevel.location_id == location.id)
        return sum(self.session.execute(statement).scalars())

    def set_stock(self, sku: str, pieces: int) -> None:
        """Pieces in the warehouse."""
        variant = self.variant(sku)
        level = next(each for each in variant.stock_levels if each.location_id == self.warehouse.id)
        level.quantity = pieces
        self.session.flush()

    def customer(self, name: str = "Ana", *, days_old: int = 400, currency: str = "EUR", country: str = "ES") -> Customer:
        """A customer with one address, `<name>@example.com`."""
        self._people += 1
        customer = Customer(
            number=f"C-{10000 + self._people}",
            name=f"{name} López",
            email=f"{name.lower()}@example.com",
            phone=f"+34600000{self._people:03d}",
            language="es",
            country=country,
            currency=currency,
            created_at=self.now - timedelta(days=days_old),
        )
        customer.addresses = [CustomerAddress(**{**ADDRESS, "recipient": f"{name} López", "country": country}, is_default=True)]
        self.session.add(customer)
        self.session.flush()
        return customer

    def order(
        self,
        customer: Customer | None,
        items: Mapping[str, int] | None = None,
        *,
        status: str = "paid",
        number: str | None = None,
        placed_days_ago: int | None = None,
        delivered_days_ago: int = 3,
        method: str = "card",
        payments: Sequence[tuple[str, int, str]] | None = None,
        promised_in_days: int = 5,
        delivery_method: str = "ship",
        is_gift: bool = False,
        discount_minor: int = 0,
        shipping_minor: int = 0,
        shipment_status: str | None = None,
        email: str | None = None,
    ) -> Order:
        """An order in this status, with the fulfilments, payments and parcels that go with it.

        items: pieces by SKU, one Oxford shirt in blue M without any. payments: (method, amount, status) of each;
        without them one payment of the whole by `method`. customer: None for a guest, known by `email`.
        promised_in_days: below 0 is a broken promise. shipment_status: another than the order's status suggests.
        """
        self._orders += 1
        age = placed_days_ago if placed_days_ago is not None else 1 + (delivered_days_ago + 4) * (status == "delivered")
        currency = customer.currency if customer is not None else "EUR"
        order = Order(
            number=number or str(self._orders),
            customer=customer,
            email=customer.email if customer is not None else email,
            status=status,
            currency=currency,
            placed_at=self.now - timedelta(days=age),
            promised_on=(self.now + timedelta(days=promised_in_days)).date(),
            delivery_method=delivery_method,
            pickup_location=self.store if delivery_method == "pickup" else None,
            shipping_address=dict(ADDRESS),
            is_gift=is_gift,
            shipping_minor=shipping_minor,
            discount_minor=discount_minor,
            total_minor=0,
        )
        order.lines = [self._line(sku, pieces, currency) for sku, pieces in (items or {"SHI-OXF-BLU-M": 1}).items()]
        order.total_minor = sum(line.quantity * line.unit_price_minor for line in order.lines) + shipping_minor - discount_minor
        self._pay(order, payments or [(method, order.total_minor, STATES[status][1])])
        self._fulfil(order, delivered_days_ago, shipment_status)
        self.session.add(order)
        self.session.flush()
        return order

    def _line(self, sku: str, pieces: int, currency: str) -> OrderLine:
        variant = self.variant(sku)
        price = next(each.amount_minor for each in variant.prices if each.currency == currency)
        return OrderLine(
            variant=variant,
            sku=sku,
            quantity=pieces,
            unit_price_minor=price,
            is_final_sale=variant.product.is_final_sale,
        )

    def _pay(self, order: Order, payments: Sequence[tuple[str, int, str]]) -> None:
        order.payments = [
            Payment(
                method=method,
                label="Visa ···· 4242" if method == "card" else "",
                amount_minor=amount,
                status=status,
                created_at=order.placed_at,
            )
            for method, amount, status in payments
        ]

    def _fulfil(self, order: Order, delivered_days_ago: int, shipment_status: str | None) -> None:
        status, _, parcel = STATES[order.status]
        place = self.store if order.delivery_method == "pickup" else self.warehouse
        split = order.status == "partially_shipped" and len(order.lines) > 1
        first = order.lines[:1] if split else order.lines
        order.fulfilments = [_fulfilment(place, status, first)]
        if split:
            order.fulfilments.append(_fulfilment(place, "pending", order.lines[1:]))
        if parcel is not None and order.delivery_method == "ship":
            order.fulfilments[0].shipments = [self._parcel(order, shipment_status or parcel, delivered_days_ago)]

    def _parcel(self, order: Order, status: str, delivered_days_ago: int) -> Shipment:
        delivered_at = self.now - timedelta(days=delivered_days_ago) if status == "delivered" else None
        shipped_at = min(order.placed_at + timedelta(days=1), delivered_at or self.now)
        shipment = Shipment(
            carrier="Correos",
            tracking_number=f"PQ{order.number}ES",
            tracking_url=f"https://tracking.example.com/PQ{order.number}ES",
            status=status,
            shipped_at=shipped_at,
            promised_on=order.promised_on,
            delivered_at=delivered_at,
        )
        last = {"in_transit": "arrived_at_hub"}.get(status, status)
        shipment.events = [
            ShipmentEvent(occurred_at=shipped_at, code="picked_up", place="Madrid"),
            ShipmentEvent(occurred_at=delivered_at or self.now - timedelta(hours=2), code=last, place="Getafe"),
        ]
        return shipment


def _fulfilment(place: Location, status: str, lines: Sequence[OrderLine]) -> Fulfilment:
    parts = [FulfilmentLine(order_line=line, quantity=line.quantity) for line in lines]
    return Fulfilment(location=place, status=status, lines=parts)
