"""Rows gathered in memory and inserted table by table: tens of thousands of them in a second or two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.orm import Session

from commerce import models

ORDER_OF_INSERTION = (
    models.Location,
    models.Category,
    models.Product,
    models.Variant,
    models.Price,
    models.StockLevel,
    models.Customer,
    models.CustomerAddress,
    models.Order,
    models.OrderLine,
    models.Payment,
    models.Fulfilment,
    models.FulfilmentLine,
    models.Shipment,
    models.ShipmentEvent,
    models.Cancellation,
    models.ReturnAuthorization,
    models.ReturnLine,
    models.Refund,
    models.Claim,
    models.LedgerEntry,
    models.Voucher,
)


class Rows:
    """Rows by table, each with its id from the start, so that others can point to it."""

    def __init__(self) -> None:
        self.by_table: dict[str, list[dict[str, Any]]] = {model.__tablename__: [] for model in ORDER_OF_INSERTION}
        self._defaults = {model.__tablename__: _defaults(model.__table__) for model in ORDER_OF_INSERTION}

    def add(self, model: Any, **values: Any) -> dict[str, Any]:
        """The row, complete with defaults and its id. It may be changed until it is inserted."""
        rows = self.by_table[model.__tablename__]
        row = {name: default() for name, default in self._defaults[model.__tablename__].items()}
        row.update(values, id=len(rows) + 1)
        rows.append(row)
        return row

    def insert(self, session: Session) -> None:
        for model in ORDER_OF_INSERTION:
            if rows := self.by_table[model.__tablename__]:
                session.execute(insert(model.__table__), rows)
        if session.get_bind().dialect.name == "postgresql":
            _advance_sequences(session)

    def counts(self) -> dict[str, int]:
        return {table: len(rows) for table, rows in self.by_table.items()}


def _defaults(table: Table) -> dict[str, Any]:
    return {column.name: _default(column) for column in table.columns if not column.primary_key}


def _default(column: Any) -> Any:
    if column.default is None:
        return lambda: None
    if column.default.is_callable:
        return lambda: column.default.arg(None)
    return lambda: column.default.arg


def _advance_sequences(session: Session) -> None:
    # PostgreSQL does not notice ids that were given: its next own one would be 1.
    for model in ORDER_OF_INSERTION:
        highest = session.execute(select(func.max(model.id))).scalar()
        if highest:
            statement = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :highest)")
            session.execute(statement, {"name": model.__tablename__, "highest": highest})
