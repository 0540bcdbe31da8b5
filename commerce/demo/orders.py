"""Writing one demo order: lines, payments, fulfilments, parcels and their events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from commerce.demo.days import Days
from commerce.demo.goods import Good, Goods
from commerce.demo.people import Person, country_of
from commerce.demo.rates import Rates
from commerce.demo.rows import Rows
from commerce.demo.states import STATES, State
from commerce.models import Fulfilment, FulfilmentLine, Order, OrderLine, Payment, Shipment, ShipmentEvent

LABELS = {"card": "Visa ···· 4242", "paypal": "PayPal", "oxxo": "OXXO", "pix": "Pix"}
PROMOTION = ("AURORA10", 10)  # code, percent
TRACKING_URL = "https://tracking.example.com/"
HOURS = {"picked_up": 10, "arrived_at_hub": 14, "customs": 15, "out_for_delivery": 8}


@dataclass(frozen=True)
class Plan:
    """What an order should be. `days`: how many ago the event was that its state is named after."""

    number: str
    state: str
    days: int
    items: tuple[tuple[str, int], ...]  # SKU, pieces
    person: Person | None
    email: str
    country: str
    address: Mapping[str, str]
    methods: tuple[str, ...] = ("card",)
    store: str | None = None  # of a pick-up
    is_gift: bool = False
    has_promotion: bool = False
    ships_free: bool = False  # a gold member's

    @property
    def currency(self) -> str:
        return str(country_of(self.country)["currency"])

    @property
    def placed(self) -> int:
        """Days ago."""
        return self.days + STATES[self.state].placed


@dataclass(frozen=True)
class Written:
    """An order's rows, for what comes after it: a return, a refund, points."""

    plan: Plan
    row: dict[str, Any]
    lines: tuple[dict[str, Any], ...]
    payments: tuple[dict[str, Any], ...]

    @property
    def customer_id(self) -> int | None:
        return self.plan.person.id if self.plan.person else None

    @property
    def goods_minor(self) -> int:
        """The items after discounts, without shipping."""
        return int(self.row["total_minor"] - self.row["shipping_minor"])


class OrderBook:
    """Writes orders into the rows."""

    def __init__(self, rows: Rows, days: Days, goods: Goods, rates: Rates) -> None:
        self.rows, self.days, self.goods, self.rates = rows, days, goods, rates

    def write(self, plan: Plan) -> Written:
        state = STATES[plan.state]
        order = self._order(plan, state)
        lines = tuple(self._line(order, plan, sku, pieces) for sku, pieces in plan.items)
        self._total(order, plan, state, lines)
        payments = tuple(self._pay(order, plan, state))
        self._fulfil(order, plan, state, lines)
        return Written(plan, order, lines, payments)

    def _order(self, plan: Plan, state: State) -> dict[str, Any]:
        return self.rows.add(
            Order,
            number=plan.number,
            customer_id=plan.person.id if plan.person else None,
            email=plan.email,
            status=state.order,
            currency=plan.currency,
            placed_at=self.days.at(plan.placed, hour=9, minute=int(plan.number) % 60),
            promised_on=self._promise(plan, state),
            delivery_method="pickup" if state.is_pickup else "ship",
            pickup_location_id=self.goods.locations[self._store(plan)] if state.is_pickup else None,
            shipping_address=dict(plan.address),
            is_gift=plan.is_gift,
            total_minor=0,
        )

    def _promise(self, plan: Plan, state: State) -> date | None:
        if state.promised is None:
            return None
        return self.days.today if state.promised_today else self.days.on(plan.days - state.promised)

    def _store(self, plan: Plan) -> str:
        return plan.store or str(country_of(plan.country)["store"])

    def _line(self, order: dict[str, Any], plan: Plan, sku: str, pieces: int) -> dict[str, Any]:
        good: Good = self.goods.by_sku[sku]
        return self.rows.add(
            OrderLine,
            order_id=order["id"],
            variant_id=good.variant_id,
            sku=sku,
            quantity=pieces,
            unit_price_minor=good.prices[plan.currency],
            is_final_sale=good.is_final_sale,
        )

    def _total(self, order: dict[str, Any], plan: Plan, state: State, lines: tuple[dict[str, Any], ...]) -> None:
        goods = sum(line["quantity"] * line["unit_price_minor"] for line in lines)
        if plan.has_promotion:
            order["promotion_code"], percent = PROMOTION
            order["discount_minor"] = goods * percent // 100
        goods -= order["discount_minor"]
        is_free = state.is_pickup or plan.ships_free or goods >= self.rates.free_shipping_from[plan.currency]
        order["shipping_minor"] = 0 if is_free else self.rates.shipping_fee[plan.currency]
        order["total_minor"] = goods + order["shipping_minor"]

    def _pay(self, order: dict[str, Any], plan: Plan, state: State) -> list[dict[str, Any]]:
        parts = [order["total_minor"]]
        if len(plan.methods) == 2:
            parts = [order["total_minor"] // 4, order["total_minor"] - order["total_minor"] // 4]
        return [
            self.rows.add(
                Payment,
                order_id=order["id"],
                method=method,
                label=LABELS.get(method, ""),
                amount_minor=amount,
                status=state.payment,
                created_at=order["placed_at"],
            )
            for method, amount in zip(plan.methods, parts, strict=True)
        ]

    def _fulfil(self, order: dict[str, Any], plan: Plan, state: State, lines: tuple[dict[str, Any], ...]) -> None:
        place = self._store(plan) if state.is_pickup else str(country_of(plan.country)["warehouse"])
        is_partial = plan.state == "partial"
        packed = self._pack(order, place, state.fulfilment, lines[:1] if is_partial else lines)
        if is_partial:
            self._pack(order, place, "preparing", lines[1:])
        if state.shipment:
            self._ship(order, packed, plan, state)

    def _pack(self, order: dict[str, Any], place: str, status: str, lines: tuple[dict[str, Any], ...]) -> dict[str, Any]:
        location = self.goods.locations[place]
        packed = self.rows.add(Fulfilment, order_id=order["id"], location_id=location, status=status)
        for line in lines:
            self.rows.add(FulfilmentLine, fulfilment_id=packed["id"], order_line_id=line["id"], quantity=line["quantity"])
        return packed

    def _ship(self, order: dict[str, Any], packed: dict[str, Any], plan: Plan, state: State) -> None:
        tracking = f"AX{int(plan.number):08d}1{plan.country}"
        is_delivered = state.shipment == "delivered"
        shipment = self.rows.add(
            Shipment,
            fulfilment_id=packed["id"],
            carrier=country_of(plan.country)["carrier"],
            tracking_number=tracking,
            tracking_url=TRACKING_URL + tracking,
            status=state.shipment,
            shipped_at=self.days.at(plan.days + state.shipped, hour=10) if state.events else None,
            promised_on=self.days.on(plan.days) if is_delivered else order["promised_on"],
            delivered_at=self._when("delivered", plan.days) if is_delivered else None,
        )
        hubs = iter((*country_of(plan.country)["hubs"], *[plan.address["city"]] * 3))
        for code, before in state.events:
            self._event(shipment, code, plan.days + before, next(hubs))

    def _event(self, shipment: dict[str, Any], code: str, ago: int, place: str) -> None:
        if ago >= 0:  # a parcel that was shipped today has been seen nowhere else yet
            moment = self._when(code, ago)
            self.rows.add(ShipmentEvent, shipment_id=shipment["id"], occurred_at=moment, code=code, place=place)

    def _when(self, code: str, ago: int) -> datetime:
        return self.days.at(ago, hour=HOURS.get(code, 16))
