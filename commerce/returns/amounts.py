"""What a piece of an order is worth in money back, in minor units: its share of what was paid for the goods."""

from __future__ import annotations

from commerce.models import Order, OrderLine


def goods_minor(order: Order) -> int:
    """The lines' prices, before the order's discount."""
    return sum(line.quantity * line.unit_price_minor for line in order.lines)


def goods_paid_minor(order: Order) -> int:
    """The lines' prices less the order's discount: what all pieces together are worth in money back."""
    return max(0, goods_minor(order) - order.discount_minor)


def pieces_minor(line: OrderLine, already_back: int, quantity: int) -> int:
    """What the next `quantity` pieces of the line are worth, after `already_back` of them have gone back.

    Reckoned as the difference of two running totals, so that all pieces of an order together are worth exactly
    `goods_paid_minor`, in whatever parts and sequence they go back.
    """
    start = _before(line) + already_back * line.unit_price_minor
    return paid_share(line.order, start + quantity * line.unit_price_minor) - paid_share(line.order, start)


def _before(line: OrderLine) -> int:
    return sum(each.quantity * each.unit_price_minor for each in line.order.lines if each.id < line.id)


def paid_share(order: Order, price_minor: int) -> int:
    """What was paid for goods of this price, after the order's discount; rounded down."""
    goods = goods_minor(order)
    return price_minor * goods_paid_minor(order) // goods if goods else 0


def shipping_share(order: Order, goods_back_minor: int) -> int:
    """The part of the way's price that belongs to goods worth this much; rounded down."""
    paid = goods_paid_minor(order)
    return int(order.shipping_minor * min(goods_back_minor, paid) // paid) if paid else 0
