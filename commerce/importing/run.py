"""One import on its way: what has been read, under which id it is stored, and writing it in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from commerce.importing.problems import FileReport, ImportReport, Problem
from commerce.importing.reading import Row, Source
from commerce.models import Order

BATCH = 2000  # rows at a time; below what databases allow as values of one statement

Progress = Callable[[str, int, int], None]
Values = dict[str, Any]
Key = tuple[Any, ...]


@dataclass
class CustomerFacts:
    id: int
    is_erased: bool


@dataclass
class VariantFacts:
    id: int
    is_final_sale: bool


@dataclass
class OrderFacts:
    """What later files need to know of an order. `due_minor`: what its lines have to add up to."""

    id: int
    currency: str
    status: str
    due_minor: int
    location_id: int | None = None
    line: int = 0  # in the file of orders; 0: it is in the database only
    is_new: bool = False


@dataclass
class Run:
    """Ids are 0 while nothing is written: after the first problem the rest is only checked."""

    session: Session
    now: datetime
    sources: Mapping[str, Source]
    problems: list[Problem]
    progress: Progress | None
    report: ImportReport = field(default_factory=ImportReport)
    categories: dict[str, int] = field(default_factory=dict)
    locations: dict[str, int] = field(default_factory=dict)
    default_location: int | None = None
    products: dict[str, tuple[int, bool]] = field(default_factory=dict)  # handle: (id, final sale)
    variants: dict[str, VariantFacts] = field(default_factory=dict)
    customers: dict[str, CustomerFacts] = field(default_factory=dict)
    orders: dict[str, OrderFacts] = field(default_factory=dict)
    parcels: dict[str, int] = field(default_factory=dict)  # by tracking number
    touched_orders: set[int] = field(default_factory=set)  # stored before, and changed by this import

    @property
    def may_write(self) -> bool:
        return not self.problems

    def batches(self, name: str, size: int = BATCH) -> Iterator[tuple[Source, list[Row], FileReport]]:
        """A file's rows, a batch at a time; none where the file is not there."""
        source = self.sources.get(name)
        if source is None:
            return
        report = FileReport(name)
        self.report.files.append(report)
        rows = source.rows()
        while batch := list(islice(rows, size)):
            report.read += len(batch)
            yield source, batch, report
            self.tell(name, batch[-1].line, source.lines)
        self.tell(name, source.lines, source.lines)

    def tell(self, name: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(name, done, total)

    def note(self, facts: OrderFacts, is_changed: bool) -> None:
        if is_changed and not facts.is_new:
            self.touched_orders.add(facts.id)

    def raise_versions(self) -> None:
        """A summary that a shopper has seen of a changed order is stale now."""
        orders = Order.__table__
        for chunk in chunks(sorted(self.touched_orders)):
            self.session.execute(update(orders).where(orders.c.id.in_(chunk)).values(version=orders.c.version + 1))


@dataclass
class Written:
    """The keys that an upsert added and changed."""

    added: set[Key] = field(default_factory=set)
    changed: set[Key] = field(default_factory=set)

    def count(self, report: FileReport, rows: int) -> None:
        report.added += len(self.added)
        report.changed += len(self.changed)
        report.unchanged += rows - len(self.added) - len(self.changed)


def upsert(
    run: Run,
    model: Any,
    key: Sequence[str],
    rows: Sequence[Values],
    cleared: Sequence[str] = (),
    fixed: Sequence[str] = (),
) -> Written:
    """Insert the rows whose key is new and update those that differ; values that a row lacks stay as they are.

    cleared: unique columns that two rows may swap; they are emptied before any is set. fixed: columns that are never
    changed once stored. Nothing happens without rows, or while the import has problems.
    """
    if not rows or not run.may_write:
        return Written()
    stored = {_key(row, key): row for row in _stored(run.session, model, key, [row[key[0]] for row in rows])}
    fresh = [row for row in rows if _key(row, key) not in stored]
    changes = {_key(row, key): _change(row, stored.get(_key(row, key)), fixed) for row in rows}
    differing = {each: change for each, change in changes.items() if change}
    _update(run.session, model, {stored[each]["id"]: change for each, change in differing.items()}, cleared)
    insert(run.session, model, fresh)
    return Written({_key(row, key) for row in fresh}, set(differing))


def ids_of(run: Run, column: Any, values: Iterable[Any]) -> dict[Any, int]:
    """The stored ids by a natural key of one column; empty while the import has problems."""
    if not run.may_write:
        return {}
    return dict(tuple(row) for row in stored_where(run.session, (column, column.class_.id), column, values))


def insert(session: Session, model: Any, rows: Sequence[Values]) -> None:
    """Rows in bulk; those with the same columns go together, and the table's defaults fill the others."""
    groups: dict[tuple[str, ...], list[Values]] = defaultdict(list)
    for row in rows:
        groups[tuple(row)].append(row)
    for group in groups.values():
        session.execute(model.__table__.insert(), group)


def stored_where(session: Session, columns: Sequence[Any], column: Any, values: Iterable[Any]) -> Iterator[Any]:
    """Rows of the columns where `column` is one of the values, however many those are."""
    for chunk in chunks(sorted(set(values))):
        yield from session.execute(select(*columns).where(column.in_(chunk)))


def chunks(values: Sequence[Any], size: int = BATCH) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def only(values: Values, **names: str) -> Values:
    """The values under their table's names; those that the file does not have are left out."""
    return {column: values[name] for column, name in names.items() if name in values}


def _stored(session: Session, model: Any, key: Sequence[str], firsts: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    table = model.__table__
    for row in stored_where(session, list(table.c), table.c[key[0]], firsts):
        yield row._mapping


def _key(row: Mapping[str, Any], key: Sequence[str]) -> Key:
    return tuple(row[column] for column in key)


def _change(row: Values, stored: Mapping[str, Any] | None, fixed: Sequence[str]) -> Values:
    if stored is None:
        return {}
    return {name: value for name, value in row.items() if name not in fixed and stored[name] != value}


def _update(session: Session, model: Any, changes: Mapping[int, Values], cleared: Sequence[str]) -> None:
    table = model.__table__
    for column in cleared:
        for chunk in chunks([each for each, change in changes.items() if column in change]):
            session.execute(update(table).where(table.c.id.in_(chunk)).values({column: None}))
    groups: dict[tuple[str, ...], list[Values]] = defaultdict(list)
    for each, change in changes.items():
        groups[tuple(sorted(change))].append({"_id": each, **{f"_{name}": value for name, value in change.items()}})
    for names, rows in groups.items():
        values = {name: bindparam(f"_{name}", type_=table.c[name].type) for name in names}
        session.execute(
            update(table).where(table.c.id == bindparam("_id")).values(values),
            rows,
            execution_options={"synchronize_session": False},
        )
