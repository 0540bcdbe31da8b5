"""One cell, from what a file holds to what the shop stores. Each parser raises ValueError with the reason in words.

CSV gives strings without blanks around them, never empty; JSON Lines may also give numbers, true and false, lists and
objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.numbers import get_currency_precision, is_currency

Parse = Callable[[Any], Any]

MAX_INTEGER = 2**31 - 1  # PostgreSQL's integer
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_CARD = re.compile(r"(?:[0-9][ -]?){12,19}")
_ITEM = re.compile(r"(?P<sku>\S+):(?P<pieces>[1-9][0-9]*)")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def text(limit: int) -> Parse:
    """Any text of at most `limit` characters."""

    def parse(value: Any) -> str:
        if isinstance(value, (bool, list, dict)):
            raise ValueError("is not text")
        told = str(value)
        if len(told) > limit:
            raise ValueError(f"has {len(told)} characters, {limit} are allowed")
        return told

    return parse


def one_of(*values: str) -> Parse:
    allowed = frozenset(values)

    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f'"{value}" is none of {", ".join(values)}')
        return str(value)

    return parse


def whole(value: Any) -> int:
    """A whole number, with or without a sign."""
    try:
        if isinstance(value, (bool, Decimal)):
            raise ValueError
        number = int(value)
    except (TypeError, ValueError):
        raise ValueError(f'"{value}" is not a whole number') from None
    if abs(number) > MAX_INTEGER:
        raise ValueError(f"{number} is too large")
    return number


def quantity(value: Any) -> int:
    number = whole(value)
    if number < 0:
        raise ValueError(f"{number} is below 0")
    return number


def pieces(value: Any) -> int:
    number = whole(value)
    if number < 1:
        raise ValueError(f"{number} is not above 0")
    return number


def degrees(most: int) -> Parse:
    """Of latitude or longitude, with a point: "-99.1626"."""

    def parse(value: Any) -> float:
        try:
            told = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
        except InvalidOperation:
            told = Decimal("NaN")
        if not told.is_finite() or abs(told) > most:
            raise ValueError(f'"{value}" is not between -{most} and {most} degrees: write 19.4187, with a point')
        return float(told)

    return parse


def points(value: Any) -> int:
    number = whole(value)
    if number == 0:
        raise ValueError("is 0: an entry gives or takes points")
    return number


def amount(value: Any) -> Decimal:
    """Money in major units with a point, "19.90". The currency, in which it becomes minor units, is the row's."""
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f'"{value}" is not an amount: write 1234.50, with a point and nothing else') from None
    if not number.is_finite():
        raise ValueError(f'"{value}" is not an amount')
    if number < 0:
        raise ValueError(f"{value} is below 0")
    return number


@lru_cache(maxsize=65536)
def to_minor(number: Decimal, code: str) -> int:
    """An amount in the currency's minor units. Raises ValueError: more decimals than it has, or too large."""
    minor = number.scaleb(get_currency_precision(code))
    if minor != minor.to_integral_value():
        raise ValueError(f"{number} has more decimals than {code}")
    if minor > MAX_INTEGER:
        raise ValueError(f"{number} is too large")
    return int(minor)


def to_major(minor: int, code: str) -> str:
    """Minor units as a file writes them."""
    return f"{Decimal(minor).scaleb(-get_currency_precision(code)):f}"


def flag(value: Any) -> bool:
    told = _FLAGS.get(str(value).lower())
    if told is None:
        raise ValueError(f'"{value}" is none of true, false')
    return told


def instant(value: Any) -> datetime:
    """A date and time with its offset from UTC."""
    try:
        moment = datetime.fromisoformat(re.sub("Z$", "+00:00", str(value)))
    except ValueError:
        raise ValueError(f'"{value}" is not a date and time: write 2026-11-18T15:00:00Z') from None
    if moment.tzinfo is None:
        raise ValueError(f'"{value}" has no time zone: write 2026-11-18T15:00:00Z or ...+01:00')
    return moment.astimezone(timezone.utc)


def day(value: Any) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f'"{value}" is not a date: write 2026-11-18') from None


@lru_cache(maxsize=1024)
def currency(value: Any) -> str:
    if not is_currency(str(value)):
        raise ValueError(f'"{value}" is not a currency: write a code such as EUR')
    return str(value)


@lru_cache(maxsize=1024)
def country(value: Any) -> str:
    told = str(value)
    if len(told) != 2 or told not in Locale("en").territories:
        raise ValueError(f'"{value}" is not a country: write two capital letters such as MX')
    return told


def language(value: Any) -> str:
    if not _LANGUAGE.fullmatch(str(value)):
        raise ValueError(f'"{value}" is not a language: write a code such as es')
    return str(value)


def email(value: Any) -> str:
    told = text(254)(value).lower()
    if not _EMAIL.fullmatch(told):
        raise ValueError(f'"{value}" is not an e-mail address')
    return told


def phone(value: Any) -> str:
    """E.164: blanks, dashes and parentheses are dropped."""
    told = re.sub(r"[\s().-]", "", str(value))
    if not _PHONE.fullmatch(told):
        raise ValueError(f'"{value}" is not a phone number with its country: write +34600000001')
    return told


def payment_label(value: Any) -> str:
    told: str = text(40)(value)
    if _CARD.search(told):
        raise ValueError("looks like a card number, which is never stored: write its last four digits at most")
    return told


def addresses_of_pictures(value: Any) -> list[str]:
    """A list, or addresses with blanks between."""
    told = value if isinstance(value, list) else str(value).split()
    if not all(isinstance(each, str) and each.startswith(("https://", "http://", "/")) for each in told):
        raise ValueError("is not a list of addresses of pictures, each from https:// on")
    return told


def attributes(value: Any) -> dict[str, Any]:
    """`{"material": {"es": "algodón", "en": "cotton"}}`, in CSV as JSON."""
    try:
        told = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("is not JSON") from None
    if not isinstance(told, dict) or not all(isinstance(each, Mapping) for each in told.values()):
        raise ValueError('is not an object such as {"material": {"es": "algodón", "en": "cotton"}}')
    return told


def parcel_items(value: Any) -> dict[str, int]:
    """`SKU:2 OTHER:1`, or an object of pieces by SKU."""
    if isinstance(value, dict):
        return {str(sku): pieces(count) for sku, count in value.items()}
    found = [_ITEM.fullmatch(each) for each in str(value).split()]
    told = {each["sku"]: int(each["pieces"]) for each in found if each}
    if len(told) != len(found):
        raise ValueError(f'"{value}" is not a list of items: write each SKU once, SHI-OXF-BLU-M:2 SHO-CIT-WHI-40:1')
    return told
