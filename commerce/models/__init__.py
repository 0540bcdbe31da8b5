"""The shop's tables, by capability. Statuses are explained where they are defined."""

from commerce.models.catalog import Category, Location, Price, Product, StockLevel, Variant
from commerce.models.customers import Customer, CustomerAddress
from commerce.models.loyalty import LedgerEntry, Voucher
from commerce.models.orders import (
    Cancellation,
    Fulfilment,
    FulfilmentLine,
    Order,
    OrderLine,
    Payment,
    Shipment,
    ShipmentEvent,
)
from commerce.models.proposals import Effect, Proposal
from commerce.models.returns import Claim, Refund, ReturnAuthorization, ReturnLine
from commerce.models.settings import ShopSetting

__all__ = [
    "Cancellation",
    "Category",
    "Claim",
    "Customer",
    "CustomerAddress",
    "Effect",
    "Fulfilment",
    "FulfilmentLine",
    "LedgerEntry",
    "Location",
    "Order",
    "OrderLine",
    "Payment",
    "Price",
    "Product",
    "Proposal",
    "Refund",
    "ReturnAuthorization",
    "ReturnLine",
    "Shipment",
    "ShipmentEvent",
    "ShopSetting",
    "StockLevel",
    "Variant",
    "Voucher",
]
