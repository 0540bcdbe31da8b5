"""Orders, their lines and their payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from commerce.importing.catalog import known_location, known_variant, minor_of
from commerce.importing.cells import to_major
from commerce.importing.people import known_customer
from commerce.importing.problems import FileReport, Problem
from commerce.importing.reading import Row, Source
from commerce.importing.run import OrderFacts, Run, Values, ids_of, only, stored_where, upsert
from commerce.models import Order, OrderLine, Payment

ADDRESS = ("recipient", "line1", "line2", "city", "region", "postcode", "country")
PERSONAL = ("email", "shipping_address")
Goods = dict[str, dict[str, tuple[int, int]]]
"""By order number and SKU: pieces and unit price in minor units."""


def know_orders(run: Run) -> None:
    due = Order.total_minor - Order.shipping_minor + Order.discount_minor
    found = select(Order.number, Order.id, Order.currency, Order.status, due, Order.pickup_location_id)
    run.orders.update((row[0], OrderFacts(*row[1:])) for row in run.session.execute(found))


def known_order(run: Run, source: Source, row: Row, column: str = "order") -> OrderFacts | None:
    """The order that the row names; None, and a problem, where there is none of that number."""
    number = row.get(column)
    if number is not None and number not in run.orders:
        source.blame(row, column, f'there is no order "{number}"')
    return run.orders.get(number)


# --- orders -----------------------------------------------------------------------------------------------------------


def import_orders(run: Run) -> None:
    for source, rows, report in run.batches("orders"):
        values = [_order(run, source, row) for row in rows]
        sound = [each for each, row in zip(values, rows, strict=True) if row.is_sound]
        written = upsert(run, Order, ["number"], sound)
        written.count(report, len(sound))
        ids = ids_of(run, Order.number, (key for (key,) in written.added))
        for row, each in zip(rows, values, strict=True):
            if (number := row.get("number")) is not None:
                facts = _remember(run, row, each, ids.get(number, 0))
                run.note(facts, (number,) in written.changed)


def _order(run: Run, source: Source, row: Row) -> Values:
    customer = known_customer(run, source, row)
    _check_order(run, source, row)
    pickup = known_location(run, source, row, "pickup_location")
    names = ("number", "email", "status", "currency", "placed_at", "promised_on", "delivery_method", "promotion_code")
    stored = only(row.values, **{name: name for name in names}, is_gift="gift")
    if "customer" in row.values:
        stored["customer_id"] = customer.id if customer else None
    if "pickup_location" in row.values:
        stored["pickup_location_id"] = pickup
    if any(name in row.values for name in ADDRESS):
        stored["shipping_address"] = _snapshot(row)
    if customer is not None and customer.is_erased:
        stored = {name: value for name, value in stored.items() if name not in PERSONAL}
    return {**stored, **_amounts(source, row)}


def _check_order(run: Run, source: Source, row: Row) -> None:
    if row.get("customer") is None and row.get("email") is None and row.get("number") not in run.orders:
        source.blame(row, "customer", "an order needs its customer's number or, for a guest, an e-mail")
    placed_at = row.get("placed_at")
    if placed_at is not None and placed_at > run.now:
        source.blame(row, "placed_at", f"{placed_at.isoformat()} is in the future")
    known_location(run, source, row, "location")
    if run.default_location is None and row.get("location") is None and row.get("pickup_location") is None:
        source.blame(row, "location", "no location is known: name one here and add it to locations.csv")
    if row.get("delivery_method") == "pickup" and row.get("pickup_location") is None:
        source.blame(row, "pickup_location", "is empty, though the order is to be picked up")


def _snapshot(row: Row) -> Values:
    """The address as it was; empty where the order has none."""
    given = {name: row.get(name, "") for name in ADDRESS}
    return given if any(given.values()) else {}


def _amounts(source: Source, row: Row) -> Values:
    """A file without shipping or discount has none: the total is checked against them."""
    currency = row.get("currency")
    if currency is None:
        return {}
    names = ("shipping", "discount", "total")
    return {f"{name}_minor": minor_of(source, row, name, row.get(name, 0), currency) for name in names}


def _remember(run: Run, row: Row, values: Values, number: int) -> OrderFacts:
    known = run.orders.get(row.get("number"))
    parts = [values.get(f"{name}_minor") or 0 for name in ("total", "shipping", "discount")]
    place = run.locations.get(row.get("location")) or run.locations.get(row.get("pickup_location"))
    facts = OrderFacts(
        id=known.id if known else number,
        currency=row.get("currency", "EUR"),
        status=row.get("status", "placed"),
        due_minor=parts[0] - parts[1] + parts[2],
        location_id=place or (known.location_id if known else None),
        line=row.line if row.is_sound else -1,
        is_new=known is None,
    )
    run.orders[row.get("number")] = facts
    return facts


# --- lines ------------------------------------------------------------------------------------------------------------


def import_lines(run: Run) -> Goods:
    """Write the lines and check every order's total. Returns what each order has, stored lines included."""
    goods = _stored_goods(run)
    first_lines: dict[str, int] = {}
    for source, rows, report in run.batches("lines"):
        values = [_line(run, source, row) for row in rows]
        for row, each in zip(rows, values, strict=True):
            if (number := row.get("order")) is not None:
                first_lines.setdefault(number, row.line)
                goods[number][row.get("sku")] = (row.get("quantity", 0), each.get("unit_price_minor") or 0)
                run.orders[number].line = run.orders[number].line if row.is_sound else -1
        # Whether it was sold for good is a fact of that day: a product that becomes final sale later changes no old line.
        _write(run, OrderLine, ["order_id", "sku"], rows, values, report, fixed=["is_final_sale"])
    _check_totals(run, goods, first_lines)
    return goods


def _stored_goods(run: Run) -> Goods:
    goods: Goods = defaultdict(dict)
    columns = (Order.number, OrderLine.sku, OrderLine.quantity, OrderLine.unit_price_minor)
    for number, sku, quantity, price in run.session.execute(select(*columns).join(OrderLine.order)):
        goods[number][sku] = (quantity, price)
    return goods


def _line(run: Run, source: Source, row: Row) -> Values:
    order, variant = known_order(run, source, row), known_variant(run, source, row)
    if order is None:
        row.values["order"] = None  # nothing to add it to
        return {}
    stored = only(row.values, sku="sku", quantity="quantity")
    stored["order_id"] = order.id
    stored["variant_id"] = variant.id if variant else 0
    stored["unit_price_minor"] = minor_of(source, row, "unit_price", row.get("unit_price"), order.currency)
    stored["is_final_sale"] = row.get("final_sale", variant.is_final_sale if variant else False)
    return stored


def _check_totals(run: Run, goods: Goods, first_lines: dict[str, int]) -> None:
    """total = lines + shipping - discount, for every order of the files. Rows with problems of their own are left out."""
    for number, facts in run.orders.items():
        is_told = facts.line > 0 or (facts.line == 0 and number in first_lines)
        got = sum(pieces * price for pieces, price in goods.get(number, {}).values()) if is_told else facts.due_minor
        if got != facts.due_minor:
            run.problems.append(_total_problem(run, facts, got, first_lines.get(number, 0)))


def _total_problem(run: Run, facts: OrderFacts, got: int, first_line: int) -> Problem:
    name, line, column = ("orders", facts.line, "total") if facts.line else ("lines", first_line, "unit_price")
    lines, due = (to_major(minor, facts.currency) for minor in (got, facts.due_minor))
    reason = f"the lines add up to {lines}, but total - shipping + discount is {due}"
    return Problem(run.sources[name].name, line, column, reason)


# --- payments ---------------------------------------------------------------------------------------------------------


def import_payments(run: Run) -> None:
    for source, rows, report in run.batches("payments"):
        values = [_payment(run, source, row) for row in rows]
        _write(run, Payment, ["order_id", "method", "created_at"], rows, values, report)


def _payment(run: Run, source: Source, row: Row) -> Values:
    order = known_order(run, source, row)
    if order is None:
        return {}
    stored = only(row.values, method="method", label="label", status="status", created_at="created_at")
    amount = minor_of(source, row, "amount", row.get("amount"), order.currency)
    return {"order_id": order.id, **stored, "amount_minor": amount}


def _write(
    run: Run,
    model: Any,
    key: Sequence[str],
    rows: Sequence[Row],
    values: Sequence[Values],
    report: FileReport,
    fixed: Sequence[str] = (),
) -> None:
    """Upsert parts of orders, and note the orders that they change."""
    sound = [(row, each) for row, each in zip(rows, values, strict=True) if row.is_sound]
    written = upsert(run, model, key, [each for _, each in sound], fixed=fixed)
    written.count(report, len(sound))
    for row, each in sound:
        is_changed = tuple(each[name] for name in key) in written.added | written.changed
        run.note(run.orders[row.get("order")], is_changed)


def stored_lines(run: Run, orders: set[int]) -> dict[int, dict[str, tuple[int, int]]]:
    """By order and SKU: the line's id and pieces."""
    found: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    columns = (OrderLine.order_id, OrderLine.sku, OrderLine.id, OrderLine.quantity)
    for order, sku, line, quantity in stored_where(run.session, columns, OrderLine.order_id, orders):
        found[order][sku] = (line, quantity)
    return found
