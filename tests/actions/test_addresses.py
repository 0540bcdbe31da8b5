"""Addresses typed in one line, as people of several countries write them."""

from __future__ import annotations

import pytest
from babel import Locale

from actions.addresses import parse_address

ES, EN = Locale("es"), Locale("en")


@pytest.mark.parametrize(
    ("text", "line1", "line2", "postcode", "city", "region"),
    [
        ("Calle Luna 12, 06700 Ciudad de México", "Calle Luna 12", "", "06700", "Ciudad de México", ""),
        ("Av. Reforma 222, Col. Juárez, 06600 CDMX", "Av. Reforma 222", "Col. Juárez", "06600", "CDMX", ""),
        ("Calle Mayor 3, 2º B, 28013 Madrid", "Calle Mayor 3", "2º B", "28013", "Madrid", ""),
        ("Calle Luna 12 06700 Ciudad de México", "Calle Luna 12", "", "06700", "Ciudad de México", ""),
        ("350 Fifth Avenue, Apt 4, New York, NY 10118", "350 Fifth Avenue", "Apt 4", "10118", "New York", "NY"),
        ("12 Oak Street, 02139 Boston", "12 Oak Street", "", "02139", "Boston", ""),
        ("Rua do Exemplo 30, 01001-000 São Paulo", "Rua do Exemplo 30", "", "01001-000", "São Paulo", ""),
    ],
)
def test_address_in_one_line_is_read(text: str, line1: str, line2: str, postcode: str, city: str, region: str) -> None:
    expected = {"line1": line1, "line2": line2, "postcode": postcode, "city": city, "region": region, "country": ""}
    assert parse_address(text, EN) == expected


@pytest.mark.parametrize("text", ["Calle Luna 12", "06700 Ciudad de México", "Calle Luna 12, Ciudad de México", "", ", ,"])
def test_address_without_street_postcode_or_city_is_none(text: str) -> None:
    assert parse_address(text, ES) is None


@pytest.mark.parametrize(("text", "locale", "code"), [("España", ES, "ES"), ("Spain", ES, "ES"), ("Mexico", EN, "MX")])
def test_country_is_read_in_the_language_or_in_english(text: str, locale: Locale, code: str) -> None:
    address = parse_address(f"Calle Mayor 5, 28013 Madrid, {text}", locale)
    assert address is not None
    assert (address["country"], address["city"]) == (code, "Madrid")
