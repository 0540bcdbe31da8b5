"""The demo's customers: scripted personas first, then made-up people of five countries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from commerce.demo.days import Days
from commerce.demo.goods import read_yaml
from commerce.demo.rows import Rows
from commerce.models import Customer, CustomerAddress
from commerce.product_index import fold

PHONES = range(200, 1000)  # lower ones are the personas'
FICTIONAL_PHONES = range(100, 200)  # of each area of North America: 555-0100 to 555-0199
NEWEST, OLDEST = 20, 700  # days since signing up
MARKETING_SHARE = 0.4


@dataclass(frozen=True)
class Person:
    """A customer as orders need them."""

    id: int
    name: str
    email: str
    currency: str
    country: str
    address: Mapping[str, str]  # as an order's snapshot
    joined: int  # days ago


def country_of(code: str) -> Mapping[str, Any]:
    country: Mapping[str, Any] = read_yaml("people.yml")["countries"][code]
    return country


def add_person(rows: Rows, days: Days, *, joined: int, address: Mapping[str, str], **values: Any) -> Person:
    """A customer with a default address. values: name, email, phone, language, country, currency, accepts_marketing."""
    number = f"C-{10001 + len(rows.by_table['customer'])}"
    row = rows.add(Customer, number=number, created_at=days.at(joined, hour=9), **values)
    rows.add(CustomerAddress, customer_id=row["id"], is_default=True, **address)
    return Person(row["id"], row["name"], row["email"], row["currency"], row["country"], address, joined)


def add_people(rows: Rows, days: Days, random: Random, total: int) -> list[Person]:
    """As many made-up customers as are missing to `total`."""
    missing = total - len(rows.by_table["customer"])
    countries = read_yaml("people.yml")["countries"]
    shares = [countries[code]["share"] for code in countries]
    numbers = {code: _phones(countries[code]) for code in countries}
    drawn = random.choices(list(countries), shares, k=missing)
    return [_made_up(rows, days, random, code, next(numbers[code])) for code in drawn]


def _phones(country: Mapping[str, Any]) -> Iterator[str]:
    pattern = country["phone"]
    if "areas" not in country:
        yield from (pattern.format(number) for number in PHONES)
    for area in country.get("areas", ()):
        yield from (pattern.format(area, number) for number in FICTIONAL_PHONES)


def _made_up(rows: Rows, days: Days, random: Random, code: str, phone: str) -> Person:
    country = country_of(code)
    name = name_in(code, random)
    serial = len(rows.by_table["customer"]) + 1
    return add_person(
        rows,
        days,
        joined=random.randint(NEWEST, OLDEST),
        address=address_in(code, name, random),
        name=name,
        email=f"{fold(name).replace(' ', '.')}{serial}@example.org",
        phone=phone,
        language=country["language"],
        country=code,
        currency=country["currency"],
        accepts_marketing=random.random() < MARKETING_SHARE,
    )


def name_in(code: str, random: Random) -> str:
    country = country_of(code)
    return f"{random.choice(country['first'])} {random.choice(country['last'])}"


def address_in(code: str, recipient: str, random: Random) -> dict[str, str]:
    """Somewhere in this country, at a street that is in the data file."""
    country = country_of(code)
    city, region, postcode = random.choice(country["places"])
    return {
        "recipient": recipient,
        "line1": f"{random.choice(country['streets'])} {random.randint(1, 199)}",
        "line2": "",
        "city": city,
        "region": region,
        "postcode": postcode,
        "country": code,
    }
