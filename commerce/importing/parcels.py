"""Parcels, their events, and what of an order is not in any parcel yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select, update

from commerce.importing.catalog import known_location
from commerce.importing.problems import FileReport
from commerce.importing.reading import Row, Source
from commerce.importing.run import OrderFacts, Run, Values, chunks, ids_of, insert, only, stored_where, upsert
from commerce.importing.sales import Goods, known_order, stored_lines
from commerce.models import Fulfilment, FulfilmentLine, Shipment, ShipmentEvent

Pieces = dict[int, int]
"""Pieces by the id of the order line."""
ORDERS_AT_ONCE = 500
# What the status of a parcel says about the part of the order in it; all others are shipped.
OF_PARCEL = {"label_created": "preparing", "delivered": "delivered"}
# What the status of an order says about the part of it that is in no parcel.
OF_REST = {
    "placed": "pending",
    "paid": "pending",
    "partially_shipped": "pending",
    "preparing": "preparing",
    "shipped": "shipped",
    "ready_for_pickup": "ready_for_pickup",
    "delivered": "delivered",
    "cancelled": "cancelled",
}


@dataclass
class _Packed:
    """What the file puts into the parcels of one order, to see that nothing is in two of them."""

    pieces: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rows: list[Row] = field(default_factory=list)


@dataclass
class _Parcel:
    """A row of the file, on its way into the database."""

    row: Row
    values: Values
    order: OrderFacts
    pieces: Pieces

    @property
    def number(self) -> str:
        return str(self.values["tracking_number"])


@dataclass
class _Part:
    """A stored fulfilment."""

    id: int
    order_id: int
    status: str
    pieces: Pieces = field(default_factory=dict)


def import_shipments(run: Run, goods: Goods) -> None:
    """Write the parcels, each with the fulfilment that it is the parcel of. goods: what the orders have."""
    packed: dict[str, _Packed] = defaultdict(_Packed)
    owners = _owners(run)
    for source, rows, report in run.batches("shipments"):
        values = [_shipment(run, source, row, goods, packed) for row in rows]
        for row in rows:
            _check_owner(run, source, row, owners)
            run.parcels.setdefault(row.get("tracking_number"), 0)
        sound = [(row, each) for row, each in zip(rows, values, strict=True) if row.is_sound]
        if run.may_write:
            _write_shipments(run, sound, report)
    for number, each in packed.items():
        _check_packed(run, each, goods[number])


def _owners(run: Run) -> dict[str, int]:
    """The order's id by tracking number, of the parcels stored."""
    found = run.session.execute(
        select(Shipment.tracking_number, Shipment.id, Fulfilment.order_id).join(Shipment.fulfilment)
    ).all()
    run.parcels.update((number, parcel) for number, parcel, _ in found)
    return {number: order for number, _, order in found}


def _check_owner(run: Run, source: Source, row: Row, owners: Mapping[str, int]) -> None:
    order = run.orders.get(row.get("order"))
    owner = owners.get(row.get("tracking_number"))
    if order is not None and owner not in (None, order.id):
        source.blame(row, "order", "this parcel belongs to another order")


def _shipment(run: Run, source: Source, row: Row, goods: Goods, packed: dict[str, _Packed]) -> Values:
    order = known_order(run, source, row)
    known_location(run, source, row, "location")
    if order is None:
        return {}
    number = row.get("order")
    for sku in row.get("items", {}):
        if sku not in goods[number]:
            source.blame(row, "items", f'order {number} has no line with "{sku}"')
    for column in ("shipped_at", "delivered_at"):
        if row.get(column) is not None and row.get(column) > run.now:
            source.blame(row, column, f"{row.get(column).isoformat()} is in the future")
    packed[number].rows.append(row)
    for sku, pieces in _items(row, goods[number]).items():
        packed[number].pieces[sku] += pieces
    names = ("tracking_number", "carrier", "status", "tracking_url", "shipped_at", "promised_on", "delivered_at")
    return only(row.values, **{name: name for name in names})


def _items(row: Row, goods: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Pieces by SKU in a parcel; a parcel that names none holds the whole order."""
    named: dict[str, int] | None = row.get("items")
    return named if named is not None else {sku: pieces for sku, (pieces, _) in goods.items()}


def _check_packed(run: Run, packed: _Packed, goods: Mapping[str, tuple[int, int]]) -> None:
    source = run.sources["shipments"]
    for row in packed.rows:
        if len(packed.rows) > 1 and row.get("items") is None:
            source.blame(row, "items", "is empty, though the order has several parcels: say what is in each")
            return
    for sku, pieces in packed.pieces.items():
        if sku in goods and pieces > goods[sku][0]:
            reason = f"{pieces} pieces of {sku} in parcels, {goods[sku][0]} in the order"
            source.blame(packed.rows[-1], "items", reason)


def _write_shipments(run: Run, rows: Sequence[tuple[Row, Values]], report: FileReport) -> None:
    """The parcels of a batch; those that are new get a fulfilment first."""
    parcels = _parcels(run, rows)
    stored = _stored_parcels(run, [each.number for each in parcels])
    _link(run, [each for each in parcels if each.number not in stored])
    known = [each for each in parcels if each.number in stored]
    renewed = {each.number for each in known if _renew(run, stored[each.number], _part_status(each.row), each.pieces)}
    written = upsert(run, Shipment, ["tracking_number"], [each.values for each in parcels])
    written.changed |= {(number,) for number in renewed}
    written.count(report, len(parcels))
    for each in parcels:
        run.note(each.order, (each.number,) in written.added | written.changed)
    run.parcels.update(ids_of(run, Shipment.tracking_number, [each.number for each in parcels]))


def _parcels(run: Run, rows: Sequence[tuple[Row, Values]]) -> list[_Parcel]:
    orders = [run.orders[row.get("order")] for row, _ in rows]
    lines = stored_lines(run, {order.id for order in orders})
    return [_Parcel(row, values, order, _pieces(row, lines[order.id])) for (row, values), order in zip(rows, orders, strict=True)]


def _link(run: Run, parcels: Sequence[_Parcel]) -> None:
    parts = _new_parts(run, [_part_values(run, each) for each in parcels])
    for each, part in zip(parcels, parts, strict=True):
        each.values["fulfilment_id"] = part
    insert_pieces(run, [(part, each.pieces) for each, part in zip(parcels, parts, strict=True)])


def _part_values(run: Run, parcel: _Parcel) -> Values:
    location = run.locations.get(parcel.row.get("location")) or parcel.order.location_id or run.default_location
    return {"order_id": parcel.order.id, "location_id": location, "status": _part_status(parcel.row)}


def _part_status(row: Row) -> str:
    return OF_PARCEL.get(row.get("status"), "shipped")


def _pieces(row: Row, lines: Mapping[str, tuple[int, int]]) -> Pieces:
    named = row.get("items")
    if named is None:
        return dict(lines.values())
    return {lines[sku][0]: pieces for sku, pieces in named.items()}


def _stored_parcels(run: Run, numbers: Iterable[str]) -> dict[str, _Part]:
    columns = (Shipment.tracking_number, Shipment.fulfilment_id)
    found = dict(tuple(row) for row in stored_where(run.session, columns, Shipment.tracking_number, numbers))
    parts = _stored_parts(run, Fulfilment.id, found.values())
    return {number: parts[part] for number, part in found.items()}


def _stored_parts(run: Run, column: Any, values: Iterable[int]) -> dict[int, _Part]:
    """Fulfilments by id, with their pieces."""
    columns = (Fulfilment.id, Fulfilment.order_id, Fulfilment.status)
    parts = {row.id: _Part(*row) for row in stored_where(run.session, columns, column, values)}
    columns = (FulfilmentLine.fulfilment_id, FulfilmentLine.order_line_id, FulfilmentLine.quantity)
    for part, line, quantity in stored_where(run.session, columns, FulfilmentLine.fulfilment_id, parts):
        parts[part].pieces[line] = quantity
    return parts


def _new_parts(run: Run, values: Sequence[Values]) -> list[int]:
    """Insert fulfilments; their ids, in the same order."""
    newest = run.session.execute(select(func.coalesce(func.max(Fulfilment.id), 0))).scalar_one()
    if values:
        run.session.execute(Fulfilment.__table__.insert(), list(values))
    mine = select(Fulfilment.id, Fulfilment.order_id).where(Fulfilment.id > newest).order_by(Fulfilment.id)
    ids: dict[int, list[int]] = defaultdict(list)
    for part, order in run.session.execute(mine):
        ids[order].append(part)
    return [ids[each["order_id"]].pop(0) for each in values]


def insert_pieces(run: Run, parts: Iterable[tuple[int, Pieces]]) -> None:
    values = [
        {"fulfilment_id": part, "order_line_id": line, "quantity": quantity}
        for part, pieces in parts
        for line, quantity in pieces.items()
    ]
    insert(run.session, FulfilmentLine, values)


def _renew(run: Run, part: _Part, status: str, pieces: Pieces) -> bool:
    """Bring a stored fulfilment in line with the file; True where anything was different."""
    if part.status != status:
        fulfilments = Fulfilment.__table__
        run.session.execute(update(fulfilments).where(fulfilments.c.id == part.id).values(status=status))
    if part.pieces != pieces:
        _drop_pieces(run, [part.id])
        insert_pieces(run, [(part.id, pieces)])
    return (part.status, part.pieces) != (status, pieces)


def _drop_pieces(run: Run, parts: Sequence[int]) -> None:
    table = FulfilmentLine.__table__
    for chunk in chunks(parts):
        run.session.execute(delete(table).where(table.c.fulfilment_id.in_(chunk)))


# --- events -----------------------------------------------------------------------------------------------------------


def import_shipment_events(run: Run) -> None:
    """Dated steps of the parcels' way."""
    for source, rows, report in run.batches("shipment_events"):
        for row in rows:
            number = row.get("tracking_number")
            if number is not None and number not in run.parcels:
                source.blame(row, "tracking_number", f'there is no shipment "{number}"')
        sound = [row for row in rows if row.is_sound]
        values = [
            {
                "shipment_id": run.parcels[row.get("tracking_number")],
                **only(row.values, occurred_at="occurred_at", code="code", place="place"),
            }
            for row in sound
        ]
        upsert(run, ShipmentEvent, ["shipment_id", "occurred_at", "code"], values).count(report, len(values))


# --- the rest ---------------------------------------------------------------------------------------------------------


def settle_rests(run: Run) -> None:
    """What is in no parcel is one fulfilment of its own, in the state that the order's status says."""
    orders = {facts.id: facts for facts in run.orders.values() if facts.line or facts.id in run.touched_orders}
    done = 0
    for chunk in chunks(sorted(orders), ORDERS_AT_ONCE):
        _settle(run, {order: orders[order] for order in chunk})
        done += len(chunk)
        run.tell("fulfilments", done, len(orders))


def _settle(run: Run, orders: Mapping[int, OrderFacts]) -> None:
    lines = stored_lines(run, set(orders))
    parts = _stored_parts(run, Fulfilment.order_id, orders)
    sent = {row[0] for row in stored_where(run.session, (Shipment.fulfilment_id,), Shipment.fulfilment_id, parts)}
    unsent: dict[int, list[_Part]] = defaultdict(list)
    gone: dict[int, list[_Part]] = defaultdict(list)
    for part in parts.values():
        (gone if part.id in sent else unsent)[part.order_id].append(part)
    rests = {order: _rest(lines[order], gone[order]) for order in orders}
    new = [order for order in orders if not _keep(run, orders[order], unsent[order], rests[order])]
    _insert_rests(run, [(orders[order], rests[order]) for order in new if rests[order]])


def _rest(lines: Mapping[str, tuple[int, int]], sent: Iterable[_Part]) -> Pieces:
    rest = dict(lines.values())
    for part in sent:
        for line, pieces in part.pieces.items():
            rest[line] = rest.get(line, 0) - pieces
    return {line: pieces for line, pieces in rest.items() if pieces > 0}


def _keep(run: Run, facts: OrderFacts, unsent: Sequence[_Part], rest: Pieces) -> bool:
    """Keep the fulfilments without a parcel where they hold just the rest; else remove them. True: kept."""
    held: Pieces = defaultdict(int)
    for part in unsent:
        for line, pieces in part.pieces.items():
            held[line] += pieces
    if unsent and held == rest:
        changed = [_renew(run, part, OF_REST[facts.status], part.pieces) for part in unsent]
        run.note(facts, any(changed))
        return True
    ids = [part.id for part in unsent]
    _drop_pieces(run, ids)
    table = Fulfilment.__table__
    for chunk in chunks(ids):
        run.session.execute(delete(table).where(table.c.id.in_(chunk)))
    run.note(facts, bool(ids or rest))
    return False


def _insert_rests(run: Run, new: Sequence[tuple[OrderFacts, Pieces]]) -> None:
    values = [
        {
            "order_id": facts.id,
            "location_id": facts.location_id or run.default_location,
            "status": OF_REST[facts.status],
        }
        for facts, _ in new
    ]
    parts = _new_parts(run, values)
    insert_pieces(run, zip(parts, (pieces for _, pieces in new), strict=True))
