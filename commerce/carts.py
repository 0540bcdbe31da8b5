"""A basket that was put together elsewhere, with the shop's own prices and stock: what it says of them counts for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from commerce import catalog
from commerce.models import Variant


@dataclass(frozen=True)
class CartLine:
    """variant: None where nothing has this SKU (any more), or it is not sold in this currency. in_stock: pieces at all places."""

    sku: str
    quantity: int
    variant: Variant | None
    price_minor: int = 0  # of one piece
    in_stock: int = 0

    @property
    def can_be_had(self) -> int:
        """Pieces of those wanted."""
        return min(self.quantity, self.in_stock)

    @property
    def total_minor(self) -> int:
        return self.can_be_had * self.price_minor


def price_cart(session: Session, wanted: Iterable[tuple[str, int]], currency: str) -> list[CartLine]:
    """Each SKU once, in the order in which it was named first. wanted: (SKU, pieces)."""
    pieces: dict[str, int] = {}
    for sku, quantity in wanted:
        pieces[sku] = pieces.get(sku, 0) + quantity
    return [_line(session, sku, quantity, currency) for sku, quantity in pieces.items()]


def _line(session: Session, sku: str, quantity: int, currency: str) -> CartLine:
    variant = catalog.find_by_sku(session, sku)
    price = catalog.price(session, variant.id, currency) if variant is not None and variant.is_active else None
    if variant is None or price is None:
        return CartLine(sku, quantity, None)
    return CartLine(sku, quantity, variant, price, catalog.available(session, variant.id))
