"""Customers and their addresses. Who was erased stays erased, whatever the files say."""

from __future__ import annotations

from sqlalchemy import select

from commerce.importing.reading import Row, Source
from commerce.importing.run import CustomerFacts, Run, Values, ids_of, only, upsert
from commerce.models import Customer, CustomerAddress

ALL_AT_ONCE = 10**9  # rows: e-mails may wander between customers, so all of them are looked at together
UNIQUE = ("email", "phone")
FIELDS = ("number", "name", *UNIQUE, "language", "country", "currency", "created_at", "accepts_marketing")
ADDRESS_FIELDS = ("label", "recipient", "line1", "line2", "city", "region", "postcode", "country")


def know_customers(run: Run) -> None:
    found = run.session.execute(select(Customer.number, Customer.id, Customer.erased_at))
    run.customers.update((number, CustomerFacts(key, erased is not None)) for number, key, erased in found)


def import_customers(run: Run) -> None:
    for source, rows, report in run.batches("customers", ALL_AT_ONCE):
        for column in UNIQUE:
            _check_unique(run, source, rows, column)
        kept = [row for row in rows if row.is_sound and not _is_erased(run, row.get("number"))]
        values = [only(row.values, **{name: name for name in FIELDS}) for row in kept]
        upsert(run, Customer, ["number"], values, cleared=UNIQUE).count(report, len(values))
        report.skipped += sum(_is_erased(run, row.get("number")) for row in rows)
        numbers = {number for row in rows if (number := row.get("number"))} - set(run.customers)
        ids = ids_of(run, Customer.number, numbers)
        run.customers.update((number, CustomerFacts(ids.get(number, 0), False)) for number in numbers)


def _check_unique(run: Run, source: Source, rows: list[Row], column: str) -> None:
    """No two customers may end up with the same e-mail or phone, be they in the file or in the database."""
    renewed = {row.get("number") for row in rows if column in row.values}
    stored = run.session.execute(select(Customer.number, getattr(Customer, column)))
    owners = {value: number for number, value in stored if value is not None and number not in renewed}
    for row in rows:
        value, number = row.get(column), row.get("number")
        if value is not None and owners.setdefault(value, number) != number:
            source.blame(row, column, f"customer {owners[value]} has it too")


def _is_erased(run: Run, number: str | None) -> bool:
    facts = run.customers.get(number or "")
    return facts is not None and facts.is_erased


def import_addresses(run: Run) -> None:
    for source, rows, report in run.batches("addresses"):
        for row in rows:
            known_customer(run, source, row)
        kept = [row for row in rows if row.is_sound and not _is_erased(run, row.get("customer"))]
        values = [_address(run, row) for row in kept]
        upsert(run, CustomerAddress, ["customer_id", "label"], values).count(report, len(values))
        report.skipped += sum(_is_erased(run, row.get("customer")) for row in rows)


def _address(run: Run, row: Row) -> Values:
    stored = only(row.values, **{name: name for name in ADDRESS_FIELDS}, is_default="default")
    return {"customer_id": run.customers[row.get("customer")].id, **stored}


def known_customer(run: Run, source: Source, row: Row) -> CustomerFacts | None:
    """The customer that the row names; None, and a problem, where there is none of that number."""
    number = row.get("customer")
    if number is not None and number not in run.customers:
        source.blame(row, "customer", f'there is no customer "{number}"')
    return run.customers.get(number)
