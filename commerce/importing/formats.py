"""The files and their columns. docs/import.md explains them to a shop; a test holds the two together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from commerce.importing import cells
from commerce.importing.cells import Parse, one_of, text

RETURN_KINDS = ("ordinary", "hygiene", "final_sale")
LOCATION_KINDS = ("warehouse", "store")
ORDER_STATUSES = (
    "placed",
    "paid",
    "preparing",
    "partially_shipped",
    "shipped",
    "ready_for_pickup",
    "delivered",
    "cancelled",
)
DELIVERY_METHODS = ("ship", "pickup")
PAYMENT_METHODS = ("card", "paypal", "bank_transfer", "gift_card", "store_credit", "oxxo", "pix", "cash")
PAYMENT_STATUSES = ("pending", "authorized", "captured", "failed", "refunded", "partially_refunded")
SHIPMENT_STATUSES = (
    "label_created",
    "in_transit",
    "out_for_delivery",
    "delivered",
    "delivery_failed",
    "lost",
    "returned_to_sender",
)
EVENT_CODES = (
    "picked_up",
    "arrived_at_hub",
    "customs",
    "out_for_delivery",
    "delivery_failed",
    "delivered",
    "lost",
)
LEDGER_KINDS = ("earn", "redeem", "expire", "adjust")


@dataclass(frozen=True)
class Column:
    """`default` is what a blank cell means. A column that the file does not have leaves stored rows as they are."""

    name: str
    parse: Parse
    is_required: bool = False
    default: Any = None


@dataclass(frozen=True)
class Family:
    """Columns `<prefix>_<something>`, gathered under one name: name_es and name_en make names = {es: ..., en: ...}."""

    prefix: str
    name: str
    parse: Parse
    is_required: bool = False  # at least one


@dataclass(frozen=True)
class FileFormat:
    """`key` names the columns that tell rows apart: no two rows of a file have the same."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    families: tuple[Family, ...] = ()
    by_name: Mapping[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})


def _must(name: str, parse: Parse) -> Column:
    return Column(name, parse, is_required=True)


_RECIPIENT = (
    Column("recipient", text(120)),
    Column("line1", text(200)),
    Column("line2", text(200), default=""),
    Column("city", text(80)),
    Column("region", text(80), default=""),
    Column("postcode", text(16)),
    Column("country", cells.country),
)
_RECIPIENT_NEEDED = tuple(column if column.default == "" else _must(column.name, column.parse) for column in _RECIPIENT)

CATEGORIES = FileFormat(
    "categories",
    ("slug",),
    (_must("slug", text(64)), Column("return_kind", one_of(*RETURN_KINDS), default="ordinary")),
    (Family("name", "names", text(120), is_required=True),),
)
LOCATIONS = FileFormat(
    "locations",
    ("code",),
    (
        _must("code", text(32)),
        _must("kind", one_of(*LOCATION_KINDS)),
        _must("name", text(96)),
        _must("address", text(200)),
        _must("city", text(64)),
        _must("country", cells.country),
        Column("latitude", cells.degrees(90)),
        Column("longitude", cells.degrees(180)),
    ),
)
PRODUCTS = FileFormat(
    "products",
    ("handle",),
    (
        _must("handle", text(96)),
        _must("category", text(64)),
        Column("brand", text(64)),
        Column("final_sale", cells.flag, default=False),
        Column("images", cells.addresses_of_pictures, default=[]),
        Column("attributes", cells.attributes, default={}),
    ),
    (Family("name", "names", text(200), is_required=True), Family("description", "descriptions", text(4000))),
)
VARIANTS = FileFormat(
    "variants",
    ("sku",),
    (_must("sku", text(64)), _must("handle", text(96)), Column("active", cells.flag, default=True)),
    (Family("option", "options", text(64)), Family("price", "prices", cells.amount)),
)
STOCK = FileFormat(
    "stock",
    ("sku", "location"),
    (_must("sku", text(64)), _must("location", text(32)), _must("quantity", cells.quantity)),
)
CUSTOMERS = FileFormat(
    "customers",
    ("number",),
    (
        _must("number", text(32)),
        _must("name", text(120)),
        Column("email", cells.email),
        Column("phone", cells.phone),
        _must("language", cells.language),
        _must("country", cells.country),
        _must("currency", cells.currency),
        _must("created_at", cells.instant),
        Column("accepts_marketing", cells.flag, default=False),
    ),
)
ADDRESSES = FileFormat(
    "addresses",
    ("customer", "label"),
    (
        _must("customer", text(32)),
        _must("label", text(32)),
        *_RECIPIENT_NEEDED,
        Column("default", cells.flag, default=False),
    ),
)
ORDERS = FileFormat(
    "orders",
    ("number",),
    (
        _must("number", text(32)),
        Column("customer", text(32)),
        Column("email", cells.email),
        _must("status", one_of(*ORDER_STATUSES)),
        _must("currency", cells.currency),
        _must("placed_at", cells.instant),
        Column("promised_on", cells.day),
        Column("delivery_method", one_of(*DELIVERY_METHODS), default="ship"),
        Column("pickup_location", text(32)),
        Column("location", text(32)),
        *_RECIPIENT,
        Column("gift", cells.flag, default=False),
        Column("shipping", cells.amount, default=0),
        Column("discount", cells.amount, default=0),
        Column("promotion_code", text(32)),
        _must("total", cells.amount),
    ),
)
LINES = FileFormat(
    "lines",
    ("order", "sku"),
    (
        _must("order", text(32)),
        _must("sku", text(64)),
        _must("quantity", cells.pieces),
        _must("unit_price", cells.amount),
        Column("final_sale", cells.flag),
    ),
)
PAYMENTS = FileFormat(
    "payments",
    ("order", "method", "created_at"),
    (
        _must("order", text(32)),
        _must("method", one_of(*PAYMENT_METHODS)),
        Column("label", cells.payment_label, default=""),
        _must("amount", cells.amount),
        _must("status", one_of(*PAYMENT_STATUSES)),
        _must("created_at", cells.instant),
    ),
)
SHIPMENTS = FileFormat(
    "shipments",
    ("tracking_number",),
    (
        _must("tracking_number", text(64)),
        _must("order", text(32)),
        _must("carrier", text(32)),
        _must("status", one_of(*SHIPMENT_STATUSES)),
        Column("tracking_url", text(200), default=""),
        Column("shipped_at", cells.instant),
        Column("promised_on", cells.day),
        Column("delivered_at", cells.instant),
        Column("location", text(32)),
        Column("items", cells.parcel_items),
    ),
)
SHIPMENT_EVENTS = FileFormat(
    "shipment_events",
    ("tracking_number", "occurred_at", "code"),
    (
        _must("tracking_number", text(64)),
        _must("occurred_at", cells.instant),
        _must("code", one_of(*EVENT_CODES)),
        Column("place", text(80), default=""),
    ),
)
LOYALTY = FileFormat(
    "loyalty",
    ("key",),
    (
        _must("key", text(80)),
        _must("customer", text(32)),
        _must("kind", one_of(*LEDGER_KINDS)),
        _must("points", cells.points),
        Column("lot", text(80)),
        Column("order", text(32)),
        Column("reason", text(40), default=""),
        _must("occurred_at", cells.instant),
        Column("expires_at", cells.instant),
    ),
)

# In the order in which they are read: each refers only to those before it.
FORMATS = (
    CATEGORIES,
    LOCATIONS,
    PRODUCTS,
    VARIANTS,
    STOCK,
    CUSTOMERS,
    ADDRESSES,
    ORDERS,
    LINES,
    PAYMENTS,
    SHIPMENTS,
    SHIPMENT_EVENTS,
    LOYALTY,
)
