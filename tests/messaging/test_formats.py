"""Dates and money as each language writes them."""

from __future__ import annotations

from datetime import date

import pytest

from actions.words import languages
from messaging import formats

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("language", "this_year", "another_year"),
    [
        ("es", "vie 20 nov", "20 nov 2026"),
        ("en", "Fri, Nov 20", "Nov 20, 2026"),
        ("pt", "sex, 20 de nov", "20 de nov de 2026"),
        ("nb", "fre 20. nov", "20. nov 2026"),
    ],
)
def test_day_is_short_and_has_its_year_only_where_it_is_another(language: str, this_year: str, another_year: str) -> None:
    locale = formats.locale_of(language)
    assert formats.day(FRIDAY, locale, date(2026, 1, 1)) == this_year
    assert formats.day(FRIDAY, locale, date(2027, 1, 1)) == another_year


@pytest.mark.parametrize("language", languages())
def test_no_day_ends_with_a_dot_that_would_end_a_sentence(language: str) -> None:
    locale = formats.locale_of(language)
    days = [formats.day(date(2026, month, 20), locale, date(year, 1, 1)) for month in range(1, 13) for year in (2026, 2027)]
    assert [each for each in (*days, *formats.weekday_names(locale)) if each.endswith(".")] == []


@pytest.mark.parametrize(
    ("language", "currency", "written"),
    [("pt", "BRL", "R$\xa01.299,90"), ("nb", "NOK", "1\xa0299,90\xa0kr"), ("es", "MXN", "$1,299.90"), ("en", "USD", "$1,299.90")],
)
def test_money_is_written_as_at_home(language: str, currency: str, written: str) -> None:
    assert formats.money(129990, currency, formats.locale_of_currency(language, currency)) == written
