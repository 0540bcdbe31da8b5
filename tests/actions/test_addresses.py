"""Addresses typed in one line, as people of several countries write them."""

from __future__ import annotations

import pytest
from babel import Locale

from actions.addresses import address_said, parse_address, postcode_in, with_house_number, with_postcode
from actions.words import label

ES, EN, PT, NB = (Locale(language) for language in ("es", "en", "pt", "nb"))


@pytest.mark.parametrize(
    ("text", "line1", "line2", "postcode", "city", "region"),
    [
        ("Calle Luna 12, 06700 Ciudad de México", "Calle Luna 12", "", "06700", "Ciudad de México", ""),
        ("Av. Reforma 222, Col. Juárez, 06600 CDMX", "Av. Reforma 222", "Col. Juárez", "06600", "CDMX", ""),
        ("Calle Mayor 3, 2º B, 28013 Madrid", "Calle Mayor 3", "2º B", "28013", "Madrid", ""),
        ("Calle Luna 12 06700 Ciudad de México", "Calle Luna 12", "", "06700", "Ciudad de México", ""),
        ("350 Fifth Avenue, Apt 4, New York, NY 10118", "350 Fifth Avenue", "Apt 4", "10118", "New York", "NY"),
        ("12 Oak Street, 02139 Boston", "12 Oak Street", "", "02139", "Boston", ""),
        ("12 Oak Street, Boston MA 02139", "12 Oak Street", "", "02139", "Boston", "MA"),
        ("350 Fifth Avenue, Apt 4, New York, NY, 10118", "350 Fifth Avenue", "Apt 4", "10118", "New York", "NY"),
        ("Rose Cottage, 12 Oak Street, 02139 Boston", "Rose Cottage", "12 Oak Street", "02139", "Boston", ""),
        ("Av. Reforma 222, Col. Juárez, C.P. 06600, CDMX", "Av. Reforma 222", "Col. Juárez", "06600", "CDMX", ""),
        ("Calle Mayor 3 - 2º B, 28013 Madrid", "Calle Mayor 3", "2º B", "28013", "Madrid", ""),
        ("Rua do Exemplo 30, 01001-000 São Paulo", "Rua do Exemplo 30", "", "01001-000", "São Paulo", ""),
        ("Rua do Exemplo 30, 01001000 São Paulo", "Rua do Exemplo 30", "", "01001-000", "São Paulo", ""),
        ("Rua do Exemplo 30, 01.001-000 São Paulo", "Rua do Exemplo 30", "", "01001-000", "São Paulo", ""),
        ("Rua X 12 01001-000 São Paulo", "Rua X 12", "", "01001-000", "São Paulo", ""),
        ("Rua X 12 São Paulo SP 01001000", "Rua X 12", "", "01001-000", "São Paulo", "SP"),
        ("Rua das Flores, 12, São Paulo, SP, 01001-000", "Rua das Flores, 12", "", "01001-000", "São Paulo", "SP"),
        ("rua das flores, 12, são paulo, sp, cep 01001000", "rua das flores, 12", "", "01001-000", "são paulo", "sp"),
        ("Rua das Flores, 12, apto 5, São Paulo, SP, 01001-000", "Rua das Flores, 12", "apto 5", "01001-000", "São Paulo", "SP"),
        ("Rua das Flores, 12 apto 5, São Paulo - SP, 01001-000", "Rua das Flores, 12", "apto 5", "01001-000", "São Paulo", "SP"),
        ("Rua das Flores, 12 - Centro, São Paulo/SP, 01001-000", "Rua das Flores, 12", "Centro", "01001-000", "São Paulo", "SP"),
        ("Rua das Flores 12 - Curitiba - PR - CEP: 80010-000", "Rua das Flores 12", "", "80010-000", "Curitiba", "PR"),
        ("Rua 25 de Março, 100, Curitiba, PR, 80010-000", "Rua 25 de Março, 100", "", "80010-000", "Curitiba", "PR"),
        ("Av. Ipê, 1578, apto 1204, Curitiba, PR, 80010000", "Av. Ipê, 1578", "apto 1204", "80010-000", "Curitiba", "PR"),
        ("Storgata 5B, 0155 Oslo", "Storgata 5B", "", "0155", "Oslo", ""),
        ("Storgata 5 B 0155 Oslo", "Storgata 5 B", "", "0155", "Oslo", ""),
        ("Storgata 5, leil. H0203, 0155 Oslo", "Storgata 5", "leil. H0203", "0155", "Oslo", ""),
        ("Storgata 5B, 0155 Oslo, 40000001", "Storgata 5B", "", "0155", "Oslo", "40000001"),
        ("Kirkegata 12 7011 Trondheim", "Kirkegata 12", "", "7011", "Trondheim", ""),
        ("Kirkegata 12, 7011, Trondheim", "Kirkegata 12", "", "7011", "Trondheim", ""),
    ],
)
def test_address_in_one_line_is_read(text: str, line1: str, line2: str, postcode: str, city: str, region: str) -> None:
    expected = {"line1": line1, "line2": line2, "postcode": postcode, "city": city, "region": region, "country": ""}
    assert parse_address(text, EN) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Calle Luna 12",
        "06700 Ciudad de México",
        "Calle Luna 12, Ciudad de México",
        "Av. Paulista, 1578, São Paulo, SP",
        "Av. Paulista, nº 1578, São Paulo, SP",
        "",
        ", ,",
    ],
)
def test_address_without_street_postcode_or_city_is_none(text: str) -> None:
    assert parse_address(text, ES) is None


@pytest.mark.parametrize(
    ("text", "locale", "code"),
    [("España", ES, "ES"), ("Spain", ES, "ES"), ("Mexico", EN, "MX"), ("Brasil", PT, "BR"), ("Norge", NB, "NO")],
)
def test_country_is_read_in_the_language_or_in_english(text: str, locale: Locale, code: str) -> None:
    address = parse_address(f"Calle Mayor 5, 28013 Madrid, {text}", locale)
    assert address is not None
    assert (address["country"], address["city"]) == (code, "Madrid")


@pytest.mark.parametrize(
    ("text", "language", "line1", "postcode"),
    [
        ("cambia la direccion: Calle Reforma 222, 06600 Ciudad de México", "es", "Calle Reforma 222", "06600"),
        ("cambia la dirección del 10203 a Av. Juárez 8, 06600 CDMX", "es", "Av. Juárez 8", "06600"),
        ("mándalo a Calle Luna 12 06700 Ciudad de México", "es", "Calle Luna 12", "06700"),
        ("change the address of 10233 to 100 Main Street, Austin, TX 73301", "en", "100 Main Street", "73301"),
        ("please send it to 12 Oak Street, 02139 Boston", "en", "12 Oak Street", "02139"),
        ("12 Oak Street, 02139 Boston", "en", "12 Oak Street", "02139"),
        ("muda o endereço do 10203 para Rua das Flores, 12, São Paulo, SP, 01001000", "pt", "Rua das Flores, 12", "01001-000"),
        ("manda pra Rua X 12 01001-000 São Paulo", "pt", "Rua X 12", "01001-000"),
        ("send den til Storgata 5B, 0155 Oslo", "nb", "Storgata 5B", "0155"),
        ("endre adressen til Kirkegata 12 7011 Trondheim", "nb", "Kirkegata 12", "7011"),
    ],
)
def test_words_of_the_request_are_no_part_of_the_address(text: str, language: str, line1: str, postcode: str) -> None:
    address = address_said(text, Locale(language), label("address_lead_ins", language))
    assert address is not None
    assert (address["line1"], address["postcode"]) == (line1, postcode)


@pytest.mark.parametrize(
    "text",
    [
        "cancel 10233, 10232 and refund me",
        "quiero cambiar la dirección, pedido 10203",
        "10203",
        "quero trocar 2 camisas do 10203",
        "devolver 2 e 10203 azul",
    ],
)
def test_number_of_an_order_is_no_postcode(text: str) -> None:
    assert postcode_in(text, EN, label("address_lead_ins", "en")) is None


def test_correction_changes_the_house_number_or_the_postcode() -> None:
    address = {"line1": "Calle Reforma 222", "postcode": "06600", "city": "CDMX"}
    assert with_house_number(address, "no, es el 223") == {**address, "line1": "Calle Reforma 223"}
    assert with_house_number(address, "it is 223, not 222") == {**address, "line1": "Calle Reforma 223"}
    assert with_house_number(address, "no es esa") is None
    assert with_postcode(address, "el cp es 06700") == {**address, "postcode": "06700"}
    assert with_postcode(address, "el cp es 06600") is None
    assert with_postcode(address, "o cep é 01002000") == {**address, "postcode": "01002-000"}
    assert with_postcode({**address, "postcode": "01002-000"}, "o cep é 01002000") is None
