"""A real shop from a folder of CSV and JSON Lines files, all of it or nothing. docs/import.md explains the files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from commerce.importing.catalog import (
    import_categories,
    import_locations,
    import_products,
    import_stock,
    import_variants,
    know_catalog,
)
from commerce.importing.parcels import import_shipment_events, import_shipments, settle_rests
from commerce.importing.people import import_addresses, import_customers, know_customers
from commerce.importing.points import import_loyalty
from commerce.importing.problems import FileReport, ImportFailed, ImportReport, Problem
from commerce.importing.reading import check_encoding, find_sources
from commerce.importing.run import Progress, Run
from commerce.importing.sales import import_lines, import_orders, import_payments, know_orders

__all__ = ["FileReport", "ImportFailed", "ImportReport", "Problem", "Progress", "import_shop"]


def import_shop(session: Session, folder: Path, now: datetime, progress: Progress | None = None) -> ImportReport:
    """Read every file of the folder into the database. The same files again change nothing.

    progress: called with a file's name, lines done and lines in all. Raises ImportFailed, with every problem of every
    file, and leaves the database as it was, whatever the caller does with its transaction.
    """
    problems: list[Problem] = []
    sources = find_sources(folder, problems)
    readable = [check_encoding(source) for source in sources.values()]
    if not all(readable) or not sources:
        raise ImportFailed(sorted(problems))
    run = Run(session, now, sources, problems, progress)
    with session.begin_nested():
        _import(run)
        if problems:
            raise ImportFailed(sorted(set(problems)))
    session.expire_all()
    return run.report


def _import(run: Run) -> None:
    know_catalog(run)
    know_customers(run)
    know_orders(run)
    _import_catalog(run)
    import_customers(run)
    import_addresses(run)
    import_orders(run)
    goods = import_lines(run)
    import_payments(run)
    import_shipments(run, goods)
    import_shipment_events(run)
    import_loyalty(run)
    if run.may_write:
        settle_rests(run)
        run.raise_versions()


def _import_catalog(run: Run) -> None:
    import_categories(run)
    import_locations(run)
    import_products(run)
    import_variants(run)
    import_stock(run)
