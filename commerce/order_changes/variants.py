"""Another variant or quantity of the same product, once an order, before it is packed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from commerce import catalog, loyalty, orders, payments, refund_plans, refunds, reservations
from commerce.models import Fulfilment, FulfilmentLine, Location, Order, OrderLine, Payment, Variant
from commerce.policies import Decision, Policies
from commerce.proposals import Assessment, Refusal, Values
from commerce.refund_plans import Share
from commerce.rulings import ask, refusal_about


@dataclass(frozen=True)
class Choice:
    """A variant that the line could become now. difference_minor: for all its pieces; above 0 the shopper pays."""

    variant: Variant
    stock: int
    price_minor: int
    difference_minor: int


@dataclass(frozen=True)
class _Change:
    """What would become of a line. unit_price_minor and difference_minor are in the order's currency."""

    order: Order
    line: OrderLine
    variant: Variant
    quantity: int
    unit_price_minor: int
    difference_minor: int
    place: Location | None  # where the pieces would come from; None: there are not enough anywhere

    @property
    def direction(self) -> str:
        if self.difference_minor == 0:
            return "none"
        return "to_pay" if self.difference_minor > 0 else "to_refund"


def choices_for_variant_change(session: Session, line: OrderLine, **options: str | None) -> list[Choice]:
    """The product's other variants of which there are enough for the line.

    options: such as ``color="blue", size="M"``; None for any.
    """
    priced = catalog.variants(session, line.variant.product_id, line.order.currency, **options)
    others = [each for each in priced if each.variant.id != line.variant_id]
    changes = [(each, _change(session, line, each.variant, line.quantity)) for each in others]
    return [
        Choice(each.variant, each.stock, change.unit_price_minor, change.difference_minor)
        for each, change in changes
        if change.place is not None
    ]


class ChangeVariant:
    """`parameters`: order_number, line_id, to_variant_id, and quantity (of the whole line; as before without it).

    A difference to pay waits for the shopper on the payment page at payment_url; one to refund goes back as was paid.
    """

    kind = "change_variant"

    def __init__(self, policies: Policies, payment_url: str) -> None:
        self._policies = policies
        self._payment_url = payment_url

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        order = orders.find_to_change(session, parameters["order_number"], customer_id)
        if order is None:
            return orders.not_found(parameters["order_number"])
        change = _wanted(session, order, parameters)
        ruling = self._ruling(session, order, change, now.date())
        if not ruling.is_allowed:
            return refusal_about(order, ruling, **_names(change))
        if isinstance(change, Refusal):
            return change
        shares = self._shares(session, change, now.date())
        facts = {"version": order.version, "rule": ruling.rule, "stage": orders.stage(order)}
        return Assessment(_summary(change, shares), facts)

    def perform(
        self,
        session: Session,
        customer_id: int,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        order = orders.find_to_change(session, parameters["order_number"], customer_id)
        assert order is not None  # it was assessed in this transaction, under the same lock
        change = _wanted(session, order, parameters)
        assert isinstance(change, _Change)
        shares = self._shares(session, change, now.date())
        goods_minor = sum(map(orders.line_total, order.lines))
        paid_back = refund_plans.carry_out(session, order, shares, "price_difference", now)
        _settle(session, change, now)
        _move_stock(session, change)
        _rewrite(change, now)
        session.flush()
        if paid_back:
            key = f"change:{proposal_id}"
            loyalty.reverse_for_return(session, customer_id, order.id, -change.difference_minor, goods_minor, key, now)
        asked = change.difference_minor and _pending(order) is not None
        link = payments.payment_link(self._payment_url, order.number, proposal_id) if asked else None
        return {**assessment.summary, "total_minor": order.total_minor, "refunds": paid_back, "payment_link": link}

    def _ruling(self, session: Session, order: Order, change: _Change | Refusal, on: date) -> Decision:
        facts: dict[str, Any] = {"order_status": orders.stage(order), "changed_before": bool(order.items_changed_at)}
        # While the shopper has not said what it should become: whether anything could be changed at all.
        facts |= {"same_product": True, "in_stock": True, "difference": "none", "method_bears_difference": True}
        if isinstance(change, _Change):
            facts["same_product"] = change.variant.product_id == change.line.variant.product_id
            facts["in_stock"] = change.place is not None
            facts["difference"] = change.direction
            facts["method_bears_difference"] = self._is_borne(session, change, on)
        return ask(self._policies, "order_change", facts, on)

    def _is_borne(self, session: Session, change: _Change, on: date) -> bool:
        if change.direction == "to_refund":
            return all(share.destination == "original" for share in self._shares(session, change, on))
        used = payments.in_use(session, change.order)
        # With nothing paid and nothing asked for, the shopper has yet to choose how to pay the new total.
        return not used or _pending(change.order) is not None or _payer(session, change.order) is not None

    def _shares(self, session: Session, change: _Change, on: date) -> tuple[Share, ...]:
        uncollected = sum(each.amount_minor for each in change.order.payments if each.status in payments.UNCOLLECTED)
        amount = max(0, -change.difference_minor - uncollected)  # what was not collected need not go back
        amount = min(amount, refunds.refundable_minor(session, change.order))
        return refund_plans.plan(session, change.order, amount, self._policies, on)


# What it would become


def _wanted(session: Session, order: Order, parameters: Values) -> _Change | Refusal:
    line = _line(order, parameters.get("line_id"))
    if line is None:
        lines = [orders.item_values(each) for each in order.lines]
        return Refusal("incomplete", "line_missing", values={"order_number": order.number, "items": lines})
    quantity = parameters.get("quantity") or line.quantity
    variant = session.get(Variant, parameters.get("to_variant_id") or 0)
    values = {"order_number": order.number, "item": orders.item_values(line)}
    if variant is None or quantity < 1:
        return Refusal("incomplete", "variant_missing", values=values)
    if (variant.id, quantity) == (line.variant_id, line.quantity):
        return Refusal("nothing_to_change", "nothing_to_change", values=values)
    return _change(session, line, variant, quantity)


def _line(order: Order, line_id: int | None) -> OrderLine | None:
    if line_id is None and len(order.lines) == 1:
        return order.lines[0]
    return next((each for each in order.lines if each.id == line_id), None)


def _change(session: Session, line: OrderLine, variant: Variant, quantity: int) -> _Change:
    price = _unit_price(session, line, variant)
    is_sold = variant.is_active and price is not None
    place = _place(session, line, variant, quantity) if is_sold or variant.id == line.variant_id else None
    unit_price = line.unit_price_minor if price is None else price
    difference = quantity * unit_price - orders.line_total(line)
    # An order's discount may be larger than what stays of it: no more goes back than its total.
    return _Change(line.order, line, variant, quantity, unit_price, max(difference, -line.order.total_minor), place)


def _unit_price(session: Session, line: OrderLine, variant: Variant) -> int | None:
    """As sold, and by how much the variants differ today: a line's discount and an old price are kept."""
    new, old = (catalog.price(session, each, line.order.currency) for each in (variant.id, line.variant_id))
    if new is None or old is None:
        return new
    return max(0, line.unit_price_minor + new - old)


def _place(session: Session, line: OrderLine, variant: Variant, quantity: int) -> Location | None:
    """Where the line is to be packed, if there are enough; else, unless it is picked up there, another place."""
    order: Order = line.order
    own = next((part.fulfilment.location for part in _parts(order, line)), None)
    kept = line.quantity if variant.id == line.variant_id else 0  # its own pieces lie ready
    if own is not None and kept + dict(catalog.stock(session, variant.id)).get(own, 0) >= quantity:
        return own
    return None if order.delivery_method == "pickup" else reservations.place_for(session, order, variant.id, quantity)


def _parts(order: Order, line: OrderLine) -> list[FulfilmentLine]:
    every = [part for fulfilment in order.fulfilments for part in fulfilment.lines]
    return [part for part in every if part.order_line_id == line.id and part.fulfilment.status != "cancelled"]


def _names(change: _Change | Refusal) -> dict[str, Any]:
    if isinstance(change, Refusal):
        return {}
    return {"from": orders.item_values(change.line), "to": _item_after(change)}


def _summary(change: _Change, shares: tuple[Share, ...]) -> dict[str, Any]:
    return {
        "order_number": change.order.number,
        **_names(change),
        "difference_minor": change.difference_minor,
        "total_minor": change.order.total_minor + change.difference_minor,
        "currency": change.order.currency,
        "refunds": [share.to_summary() for share in shares],
    }


def _item_after(change: _Change) -> dict[str, Any]:
    return {
        "line_id": change.line.id,
        "sku": change.variant.sku,
        "names": dict(change.variant.product.names),
        "options": dict(change.variant.options),
        "quantity": change.quantity,
        "total_minor": change.quantity * change.unit_price_minor,
    }


# Doing it


def _settle(session: Session, change: _Change, now: datetime) -> None:
    """What is not collected yet becomes more or less; else more is asked for by a payment of its own."""
    if change.difference_minor > 0:
        _ask_for_more(session, change, now)
    left = max(0, -change.difference_minor)
    for payment in change.order.payments:
        if left and payment.status in payments.UNCOLLECTED:
            cut = min(left, payment.amount_minor)
            payment.amount_minor, left = payment.amount_minor - cut, left - cut
            payment.status = payment.status if payment.amount_minor else "voided"


def _ask_for_more(session: Session, change: _Change, now: datetime) -> None:
    pending, payer = _pending(change.order), _payer(session, change.order)
    if pending is not None:
        pending.amount_minor += change.difference_minor
    elif payer is not None:
        more = Payment(method=payer.method, label=payer.label, amount_minor=change.difference_minor, status="pending")
        more.created_at = now
        change.order.payments.append(more)


def _pending(order: Order) -> Payment | None:
    return next((each for each in order.payments if each.status == "pending"), None)


def _payer(session: Session, order: Order) -> Payment | None:
    used = payments.in_use(session, order)
    return next((each for each in used if payments.can_be_charged(each.method)), None)


def _move_stock(session: Session, change: _Change) -> None:
    """The old pieces back, the new ones out, at the place where they will be packed."""
    parts = _parts(change.order, change.line)
    for part in parts:
        reservations.give_back(session, change.line.variant_id, part.fulfilment.location_id, part.quantity)
    assert change.place is not None  # the policy refuses what is not in stock
    reservations.reserve(session, change.variant.id, change.place.id, change.quantity)
    _repack(session, change.order, change.line, change.place, change.quantity, parts)


def _repack(session: Session, order: Order, line: OrderLine, place: Location, quantity: int, parts: list[FulfilmentLine]) -> None:
    stays = next((part for part in parts if part.fulfilment.location_id == place.id), None)
    for part in parts:
        if part is not stays:
            _unpack(session, part)
    if stays is None:
        stays = FulfilmentLine(order_line=line)
        order.fulfilments.append(Fulfilment(location=place, status="pending", lines=[stays]))
    stays.quantity = quantity


def _unpack(session: Session, part: FulfilmentLine) -> None:
    fulfilment = part.fulfilment
    fulfilment.lines.remove(part)
    session.delete(part)
    if not fulfilment.lines:
        fulfilment.status = "cancelled"  # nothing is left to pack there


def _rewrite(change: _Change, now: datetime) -> None:
    line, order = change.line, change.order
    line.variant, line.sku, line.quantity = change.variant, change.variant.sku, change.quantity
    line.unit_price_minor = change.unit_price_minor
    line.is_final_sale = change.variant.product.is_final_sale
    order.total_minor += change.difference_minor
    order.items_changed_at = now
    order.version += 1
