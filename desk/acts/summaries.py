"""Summaries and results of acts in the agent's language: a label and a value for each thing that is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desk.in_words import Json, as_money, day, goods, listed, money, number, title

# Values that have titles, by the kind of title.
TITLED = {
    "method": "method",
    "refund_to": "refund_to",
    "channel": "channel",
    "status": "return_status",
}
DAYS = ("send_by",)
EMPTY: Sequence[Any] = (None, "", [], (), {})


def in_words(values: Mapping[str, Any], told: Sequence[str], language: str, titled: Mapping[str, str] = {}) -> list[Json]:
    """[{label, value}] of what is there of `told`; a count or an amount of 0 is left out, but for what goes back."""
    named = {**TITLED, **titled}
    there = [name for name in told if _says_something(name, values.get(name))]
    shown = ((name, _titled(named, name, values, language) or _word(name, values[name], values, language)) for name in there)
    return [{"label": title("sum", name, language), "value": word} for name, word in shown]


def _says_something(name: str, value: Any) -> bool:
    if value in EMPTY or value is False:
        return False
    return value != 0 or name in ("refund_minor", "balance_after")


def _titled(named: Mapping[str, str], name: str, values: Mapping[str, Any], language: str) -> str:
    return title(named[name], str(values[name]), language) if name in named else ""


def _word(name: str, value: Any, values: Mapping[str, Any], language: str) -> str | Json:
    """Money as the protocol has it; everything else in words."""
    if name.endswith("_minor"):
        return as_money(int(value), str(values["currency"]))
    if name in DAYS:
        return day(value, language)
    if name == "exceptions":
        return listed((title("exception", each, language) for each in value), language)
    if isinstance(value, bool):
        return title("fact_is", "true", language)
    if isinstance(value, int):
        return number(value, language)
    if isinstance(value, list | tuple):
        return listed((_part(each, str(values.get("currency")), language) for each in value), language)
    return str(value)


def _part(value: Mapping[str, Any], currency: str, language: str) -> str:
    """A piece of goods, or a part of the money and the way it goes."""
    if "names" in value:
        return goods(value, language)
    way = value.get("label") or title("method", str(value.get("method")), language)
    return f"{money(int(value['amount_minor']), currency, language)} ({way})"
