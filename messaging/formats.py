"""Money, dates and lists as the shopper's language and locale write them (Babel)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, get_currency_precision

from messaging.labels import in_language, label

AT_HOME = {"MXN": "MX", "EUR": "ES", "USD": "US", "BRL": "BR", "NOK": "NO"}  # countries by currency
DAY_PATTERNS = {  # this year, another year; any other language has Babel's order
    "en": ("EEE, MMM d", "MMM d, y"),
    "pt": ("EEE, d 'de' MMM", "d 'de' MMM 'de' y"),
    "nb": ("EEE d. MMM", "d. MMM y"),
}
_DOT_OF_A_SHORT_WORD = re.compile(r"(?<=[^\W\d])\.")  # would end a sentence: "fre. 20. nov."


def locale_of(language: str, country: str | None = None) -> Locale:
    """es + MX is es_MX; the language alone where Babel has no such pair."""
    try:
        return Locale.parse(f"{language}_{country}" if country else language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(language)


def locale_of_currency(language: str, currency: str) -> Locale:
    """How the language writes money where the currency is at home: in Spanish, pesos as in Mexico and euros as in Spain."""
    return locale_of(language, AT_HOME.get(currency))


def money(amount_minor: int, currency: str, locale: Locale) -> str:
    """259900, "MXN" becomes "$2,599.00" in es_MX."""
    return format_currency(amount_minor / 10 ** get_currency_precision(currency), currency, locale=locale)


def number(value: int, locale: Locale) -> str:
    return format_decimal(value, locale=locale)


def day(value: date | datetime | str, locale: Locale, today: date | None = None) -> str:
    """ "Fri, Nov 20", "fre 20. nov", with the year where it is not this one."""
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    this_year, with_year = DAY_PATTERNS.get(locale.language, ("EEE d MMM", "d MMM y"))
    pattern = this_year if today is None or value.year == today.year else with_year
    return _without_dots(format_date(value, pattern, locale=locale))


def _without_dots(names: str) -> str:
    return _DOT_OF_A_SHORT_WORD.sub("", names)


def clock_time(value: datetime, time_zone: str, locale: Locale) -> str:
    return format_time(value, "short", tzinfo=get_timezone(time_zone), locale=locale)


def city_of(time_zone: str, locale: Locale) -> str:
    """The city by whose clock this zone goes: "America/Mexico_City" is "Ciudad de México"."""
    return str(get_timezone_location(time_zone, locale=locale, return_city=True))


def language_name(language: str) -> str:
    """What its speakers call it: "Español"."""
    return str(Locale.parse(language).get_display_name() or language).capitalize()


def as_title(words: str) -> str:
    """With a capital, as on a button."""
    return words[:1].upper() + words[1:]


def listed(items: Iterable[str], locale: Locale, style: str = "standard") -> str:
    """ "a, b and c"."""
    return format_list(list(items), style=style, locale=locale) if (items := list(items)) else ""


def bullets(items: Iterable[str]) -> str:
    return "\n".join(f"• {item}" for item in items)


def options(values: Mapping[str, str], language: str) -> str:
    """The options of a variant in words: {"color": "blue", "size": "M"} becomes "blue, M"."""
    return ", ".join(label(f"{name}_{value}", language) if name == "color" else str(value) for name, value in values.items())


def variant_title(names: Mapping[str, str], values: Mapping[str, str], language: str) -> str:
    described = options(values, language)
    return f"{in_language(names, language)} ({described})" if described else in_language(names, language)


def any_day(value: Any, locale: Locale, today: date) -> str:
    return day(value, locale, today) if value else ""


def weekday_names(locale: Locale) -> list[str]:
    """Abbreviated, Monday first."""
    names = locale.days["stand-alone"]["abbreviated"]
    return [_without_dots(str(names[day])) for day in range(7)]
