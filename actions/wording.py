"""Values of a summary, result or refusal as words in the shopper's language: money, days, items, addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actions.turn import Turn
from commerce.models import Customer
from messaging import formats

MONEY_SUFFIX = "_minor"
DAY_SUFFIXES = ("_on", "_by", "_from", "_until")
NO_DAYS = ("shipping_paid_by",)  # who, not when
# Values whose words are labels: reason_too_small, refund_to_original, ...
LABELLED = ("reason", "method", "refund_to", "problem", "resolution", "tier", "next_tier", "destination")

# Counts of points: written with the separators of the locale.
COUNTED = ("points", "balance", "balance_after", "goodwill_limit", "redeem_minimum", "redeem_maximum", "redeem_step")


def worded(turn: Turn, values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values as words; `refund_minor` becomes `refund`, an amount in the currency among the values."""
    currency = str(values.get("currency") or "")
    return {name.removesuffix(MONEY_SUFFIX): _word(turn, name, value, currency) for name, value in values.items()}


def items_in_words(turn: Turn, items: Iterable[Mapping[str, Any]]) -> str:
    """ "Oxford shirt (blue, M) and 2 × socks"."""
    return formats.listed((item_in_words(turn, item) for item in items), turn.locale)


def item_in_words(turn: Turn, item: Mapping[str, Any]) -> str:
    title = formats.variant_title(item["names"], item["options"], turn.language)
    quantity = item.get("quantity", 1)
    return title if quantity == 1 else f"{quantity} × {title}"


def first_name(customer: Customer) -> str:
    """As people are spoken to."""
    return str(customer.name.split()[0])


def address_in_words(address: Mapping[str, Any]) -> str:
    town = " ".join(str(address[part]) for part in ("postcode", "city") if address.get(part))
    return ", ".join(part for part in (address.get("line1"), address.get("line2"), town, address.get("region")) if part)


def _word(turn: Turn, name: str, value: Any, currency: str) -> Any:
    if name.endswith(MONEY_SUFFIX) and isinstance(value, int):
        return turn.money(abs(value), currency) if currency else turn.number(value)
    if name.endswith(DAY_SUFFIXES) and name not in NO_DAYS and isinstance(value, str):
        return turn.day(value)
    if name in COUNTED and isinstance(value, int):
        return turn.number(value)
    if name in LABELLED and isinstance(value, str):
        return turn.label(f"{name}_{value}")
    if isinstance(value, Mapping):
        return _one_in_words(turn, value)
    return _many_in_words(turn, value, currency) if isinstance(value, list | tuple) else value


def _one_in_words(turn: Turn, value: Mapping[str, Any]) -> Any:
    if "names" in value:
        return item_in_words(turn, value)
    return address_in_words(value) if "line1" in value else value


def _many_in_words(turn: Turn, values: Iterable[Any], currency: str) -> str:
    return formats.listed((_part_in_words(turn, value, currency) for value in values), turn.locale)


def _part_in_words(turn: Turn, value: Any, currency: str) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    if "names" in value:
        return item_in_words(turn, value)
    if "number" in value:
        return f"{value['number']} ({turn.number(value['points'])})"
    method = value.get("label") or turn.label(f"method_{value.get('method')}")
    return f"{turn.money(value['amount_minor'], currency)} ({method})" if "amount_minor" in value else str(method)
