"""What the desk tells in words: titles from `data/labels`, money, days and goods as the agent's language writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from messaging import formats, labels

Json = dict[str, Any]
Values = Mapping[str, Any]

OF_A_SHOPPER = "of_a_shopper_"  # begins labels that speak of the shopper instead of for them


def title(kind: str, name: str, language: str) -> str:
    """The label `<kind>_<name>`, as people of the shop say it where they do not say it as shoppers do ("The way I paid"); where
    there is none, the name itself with blanks."""
    key = f"{kind}_{name}"
    for each in (f"{OF_A_SHOPPER}{key}", key):
        if (found := labels.label(each, language)) != each:
            return found
    return name.replace("_", " ")


def has_title(kind: str, name: str) -> bool:
    return labels.label(f"{kind}_{name}", labels.DEFAULT_LANGUAGE) != f"{kind}_{name}"


def money(amount_minor: int, currency: str, language: str) -> str:
    return formats.money(amount_minor, currency, formats.locale_of_currency(language, currency))


def as_money(amount_minor: int, currency: str) -> Json:
    """As the protocol has it."""
    return {"minor": int(amount_minor), "currency": currency}


def day(value: date | datetime | str, language: str) -> str:
    return formats.day(value, formats.locale_of(language))


def number(value: int, language: str) -> str:
    return formats.number(value, formats.locale_of(language))


def goods(item: Values, language: str) -> str:
    """ "2 × Oxford shirt (blue, M)", from `names`, `options` and `quantity`."""
    named = formats.variant_title(item["names"], item["options"], language)
    quantity = item.get("quantity", 1)
    return named if quantity == 1 else f"{quantity} × {named}"


def listed(several: Iterable[str], language: str) -> str:
    return formats.listed(several, formats.locale_of(language))


def iso(at: datetime | date | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
