"""Orders to be paid in the chat, and what became of them."""

from __future__ import annotations

from tendero.simulator.checks.fields import Fields, wrong
from tendero.simulator.errors import GraphError

STATUSES = ("pending", "processing", "partially-shipped", "shipped", "completed", "canceled")
OFFSET = 100  # amounts are in hundredths
ITEM_NAME = 60
REFERENCE = {"INR": 35, "BRL": 60}
MOST = 1e12
SHORTEST_EXPIRY = 300  # seconds


def check_order_details(action: Fields) -> None:
    action.only("name", "parameters")
    action.choice("name", ("review_and_pay",))
    parameters = action.object("parameters")
    currency = parameters.choice("currency", REFERENCE)
    _check_reference(parameters, REFERENCE[currency])
    parameters.choice("type", ("digital-goods", "physical-goods"))
    total = _amount(parameters.object("total_amount"))
    order = parameters.object("order")
    order.choice("status", ("pending",))
    if expiration := order.maybe_object("expiration"):
        expiration.number("timestamp", SHORTEST_EXPIRY, MOST)
        expiration.text("description", 120)
    subtotal = _amount(order.object("subtotal"))
    more = [_amount(each) if (each := order.maybe_object(name)) else 0 for name in ("tax", "shipping", "discount")]
    _check_items(order, subtotal)
    if total != subtotal + more[0] + more[1] - more[2]:
        raise GraphError(2040, f"{parameters.at('total_amount')} is not subtotal + tax + shipping - discount.", http_status=400)


def check_order_status(action: Fields) -> None:
    action.only("name", "parameters")
    action.choice("name", ("review_order",))
    parameters = action.object("parameters")
    parameters.only("reference_id", "order", "payment")
    _check_reference(parameters, REFERENCE["BRL"])
    order = parameters.object("order")
    order.only("status", "description")
    order.choice("status", STATUSES)
    order.maybe_text("description", 120)


def _check_items(order: Fields, subtotal: int) -> None:
    total = 0
    for item in order.items("items", 1, 999):
        item.text("name", ITEM_NAME)
        price = _amount(item.object("amount"))
        if sale := item.maybe_object("sale_amount"):
            price = _amount(sale)
        total += price * item.whole("quantity", 1, 1_000_000)
    if total != subtotal:
        raise wrong(f"{order.at('subtotal')} is not the sum of its items.")


def _check_reference(parameters: Fields, longest: int) -> None:
    told = f"must have 1 to {longest} letters, digits, dots, dashes or underscores"
    parameters.pattern("reference_id", rf"[A-Za-z0-9_.-]{{1,{longest}}}", told)


def _amount(fields: Fields) -> int:
    if fields.whole("offset", 1, OFFSET) != OFFSET:
        raise wrong(f"{fields.at('offset')} must be {OFFSET}.")
    return fields.whole("value", 0, int(MOST))
