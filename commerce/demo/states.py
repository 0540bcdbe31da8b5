"""The states that a demo order can be in, and when its parcel was where.

Days count from the state's anchor, the event that the state is named after: `placed=4` is four days before it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """Statuses of the order, its payment, its fulfilment and (None: no parcel yet) its shipment."""

    order: str
    payment: str
    fulfilment: str
    shipment: str | None = None
    placed: int = 0  # days before the anchor
    promised: int | None = None  # days after the anchor
    shipped: int = 0  # days before the anchor
    events: tuple[tuple[str, int], ...] = ()  # code, days before the anchor
    is_pickup: bool = False
    promised_today: bool = False

    @property
    def is_delivered(self) -> bool:
        """All of it."""
        return self.order == "delivered"


_ROUTE = (("picked_up", 3), ("arrived_at_hub", 2), ("out_for_delivery", 0))
_SLOW = (("picked_up", 4), ("arrived_at_hub", 2))  # and then nothing more is heard

STATES = {
    "awaiting_payment": State("placed", "pending", "pending"),
    "payment_failed": State("placed", "failed", "pending"),
    "authorized": State("paid", "authorized", "pending", promised=6),
    "paid": State("paid", "captured", "pending", promised=6),
    "preparing": State("preparing", "captured", "preparing", promised=5),
    "labelled": State("preparing", "captured", "preparing", "label_created", placed=1, promised=4),
    # The first line's parcel was delivered on the anchor, the others are still being packed.
    "partial": State("partially_shipped", "captured", "delivered", "delivered", 4, 6, 3, (*_ROUTE, ("delivered", 0))),
    "in_transit": State("shipped", "captured", "shipped", "in_transit", 1, 4, 0, (("picked_up", 0), ("arrived_at_hub", -1))),
    "out_for_delivery": State("shipped", "captured", "shipped", "out_for_delivery", 4, 0, 3, _ROUTE, promised_today=True),
    # Anchor: the day promised.
    "late": State("shipped", "captured", "shipped", "in_transit", 5, 0, 4, _SLOW),
    "lost": State("shipped", "captured", "shipped", "lost", 5, 0, 4, (*_SLOW, ("lost", -8))),
    "delivery_failed": State("shipped", "captured", "shipped", "delivery_failed", 4, 0, 3, (*_ROUTE, ("delivery_failed", 0))),
    "returned_to_sender": State(
        "shipped", "captured", "shipped", "returned_to_sender", 4, 0, 3, (*_ROUTE, ("delivery_failed", 0))
    ),
    "customs": State("shipped", "captured", "shipped", "in_transit", 3, 4, 2, (("picked_up", 2), ("customs", 0))),
    "ready_for_pickup": State("ready_for_pickup", "captured", "ready_for_pickup", placed=2, promised=0, is_pickup=True),
    "picked_up": State("delivered", "captured", "delivered", placed=3, promised=0, is_pickup=True),
    "delivered": State("delivered", "captured", "delivered", "delivered", 4, 0, 3, (*_ROUTE, ("delivered", 0))),
    "cancelled": State("cancelled", "captured", "cancelled", placed=1, promised=5),
    "cancelled_unpaid": State("cancelled", "failed", "cancelled", placed=1),
}
