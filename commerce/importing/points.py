"""The points ledger. Its rows are added, never edited: a row that is there already has to say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from commerce.importing.people import known_customer
from commerce.importing.reading import Row, Source
from commerce.importing.run import Run, Values, insert, stored_where
from commerce.importing.sales import known_order
from commerce.models import LedgerEntry

FIELDS = ("customer_id", "kind", "points", "lot_id", "order_id", "reason", "occurred_at", "expires_at")
SIGNS = {"earn": 1, "redeem": -1, "expire": -1}  # an adjustment may be either


@dataclass
class _Lot:
    id: int
    customer: str
    left: int


def import_loyalty(run: Run) -> None:
    if "loyalty" not in run.sources:
        return
    lots = _stored_lots(run)
    for source, rows, report in run.batches("loyalty"):
        stored = _stored_entries(run, rows)
        for row in rows:
            _check(run, source, row, lots, is_stored=row.get("key") in stored)
        fresh = [row for row in rows if row.is_sound and row.get("key") not in stored]
        if run.may_write:
            _write(run, [row for row in fresh if not row.get("lot")], lots)
            _write(run, [row for row in fresh if row.get("lot")], lots)
        for row in rows:
            _compare(run, source, row, lots, stored.get(row.get("key")))
        report.added += len(fresh)
        report.unchanged += sum(row.is_sound for row in rows) - len(fresh)


def _stored_lots(run: Run) -> dict[str, _Lot]:
    child = aliased(LedgerEntry)
    taken = select(child.lot_id, func.sum(child.points).label("points")).group_by(child.lot_id).subquery()
    left = LedgerEntry.points + func.coalesce(taken.c.points, 0)
    columns = select(LedgerEntry.key, LedgerEntry.id, LedgerEntry.customer_id, left)
    numbers = {facts.id: number for number, facts in run.customers.items()}
    rows = run.session.execute(columns.outerjoin(taken, taken.c.lot_id == LedgerEntry.id).where(LedgerEntry.lot_id.is_(None)))
    return {key: _Lot(number, numbers[customer], points) for key, number, customer, points in rows}


def _stored_entries(run: Run, rows: list[Row]) -> dict[str, Any]:
    columns = [getattr(LedgerEntry, name) for name in ("key", *FIELDS)]
    keys = [row.get("key") for row in rows if row.get("key")]
    return {entry.key: entry for entry in stored_where(run.session, columns, LedgerEntry.key, keys)}


def _check(run: Run, source: Source, row: Row, lots: dict[str, _Lot], is_stored: bool) -> None:
    known_customer(run, source, row)
    known_order(run, source, row)
    if row.get("occurred_at") is not None and row.get("occurred_at") > run.now:
        source.blame(row, "occurred_at", f"{row.get('occurred_at').isoformat()} is in the future")
    points, sign = row.get("points", 0), SIGNS.get(row.get("kind"), 0)
    if points * sign < 0:
        source.blame(row, "points", f"{points}: {row.get('kind')} {'gives' if sign > 0 else 'takes'} points")
    elif row.get("lot") is not None:
        _check_taking(source, row, lots, points, is_stored)
    elif points < 0:
        source.blame(row, "lot", "is empty: name the key of the row whose points are taken")
    elif points > 0 and not is_stored:
        lots[row.get("key")] = _Lot(0, row.get("customer"), points)


def _check_taking(source: Source, row: Row, lots: dict[str, _Lot], points: int, is_stored: bool) -> None:
    lot = lots.get(row.get("lot"))
    if points > 0:
        source.blame(row, "lot", "has to be empty: points that are given make a lot of their own")
    elif lot is None:
        source.blame(row, "lot", f'there is no row "{row.get("lot")}" before this one that gives points')
    elif lot.customer != row.get("customer"):
        source.blame(row, "lot", f'"{row.get("lot")}" is of customer {lot.customer}')
    elif not is_stored:
        lot.left += points
        if lot.left < 0:
            source.blame(row, "points", f'takes {-points} of "{row.get("lot")}", which has {lot.left - points} left')


def _write(run: Run, rows: list[Row], lots: dict[str, _Lot]) -> None:
    insert(run.session, LedgerEntry, [{"key": row.get("key"), **_values(run, row, lots)} for row in rows])
    keys = [row.get("key") for row in rows if not row.get("lot")]
    for key, number in stored_where(run.session, (LedgerEntry.key, LedgerEntry.id), LedgerEntry.key, keys):
        lots[key].id = number


def _values(run: Run, row: Row, lots: dict[str, _Lot]) -> Values:
    order = run.orders.get(row.get("order"))
    values = (
        run.customers[row.get("customer")].id,
        row.get("kind"),
        row.get("points"),
        lots[row.get("lot")].id if row.get("lot") else None,
        order.id if order else None,
        row.get("reason", ""),
        row.get("occurred_at"),
        row.get("expires_at"),
    )
    return dict(zip(FIELDS, values, strict=True))


def _compare(run: Run, source: Source, row: Row, lots: dict[str, _Lot], entry: Any) -> None:
    """A row that is stored already is left alone, and must not say anything else."""
    if entry is None or not row.is_sound:
        return
    values = _values(run, row, lots)
    different = [name.removesuffix("_id") for name in FIELDS if getattr(entry, name) != values[name]]
    for column in different:
        reason = "is not what the ledger has under this key: rows of the ledger are added, never changed"
        source.blame(row, column, reason)
