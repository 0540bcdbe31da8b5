from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.contacts import normalize_email, normalize_phone, spellings


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("  Ana@Example.COM ", "ana@example.com"),
        ("mi correo es <ana.lopez@example.com>.", "ana.lopez@example.com"),
        ("ana arroba example punto com", "ana@example.com"),
        ("es ana punto lopez arroba example punto com punto mx, gracias", "ana.lopez@example.com.mx"),
        ("ana guion bajo lopez arroba example punto com", "ana_lopez@example.com"),
        ("ana at example dot com", "ana@example.com"),
        ("ana krøllalfa example punktum no", "ana@example.no"),
        ("ana ponto lopes arroba example ponto com ponto br", "ana.lopes@example.com.br"),
        ("ana traço lopes arroba example ponto com", "ana-lopes@example.com"),
        ("ola prikk nordmann alfakrøll example prikk no", "ola.nordmann@example.no"),
        ("ana+shop@example.co.uk", "ana+shop@example.co.uk"),
        ("ana@example.com ana@example.com", "ana@example.com"),
        ("ana@example.com o eva@example.com", None),
        ("ana@example", None),
        ("no tengo correo", None),
        ("", None),
    ],
)
def test_email_has_one_form(text: str, address: str | None) -> None:
    assert normalize_email(text) == address


@given(st.from_regex(r"[a-z][a-z0-9]{0,10}(\.[a-z0-9]{1,8})?@[a-z]{1,10}\.(com|mx|es)", fullmatch=True))
def test_email_said_in_words_is_the_one_written(address: str) -> None:
    said = address.replace(".", " punto ").replace("@", " arroba ")
    assert normalize_email(said) == normalize_email(address.upper()) == address


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("55 1234 5678", "MX", "+525512345678"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("5215512345678", None, "+525512345678"),  # as WhatsApp writes it
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("mi tel es 55-1234-5678 gracias", "MX", "+525512345678"),
        ("612 34 56 78", "ES", "+34612345678"),
        ("0034 612 345 678", "ES", "+34612345678"),
        ("34612345678", "MX", "+34612345678"),
        ("(212) 736-5000", "US", "+12127365000"),
        ("(11) 91234-5678", "BR", "+5511912345678"),
        ("551181234567", "BR", "+5511981234567"),
        ("912 34 567", "NO", "+4791234567"),
        ("11 2345 6789", "AR", "+5491123456789"),
        ("011 15-2345-6789", "AR", "+5491123456789"),
        ("+54 9 11 2345 6789", None, "+5491123456789"),
        ("300 123 4567", "CO", "+573001234567"),
        ("10234", "MX", None),
        ("hola", "MX", None),
        ("55 1234 5678", None, None),
    ],
)
def test_phone_has_one_form(text: str, country: str | None, number: str | None) -> None:
    assert normalize_phone(text, country) == number


@pytest.mark.parametrize(
    ("number", "others"),
    [
        ("+525512345678", {"+5215512345678"}),
        ("+5491123456789", {"+541123456789"}),
        ("+5511981234567", {"+551181234567"}),
        ("+34612345678", set()),
        ("+541123456", set()),
    ],
)
def test_number_may_be_on_file_in_its_other_forms(number: str, others: set[str]) -> None:
    assert spellings(number) == {number, *others}
    assert {normalize_phone(each) for each in others} <= {number}


@given(st.text(max_size=200), st.sampled_from(["MX", "ES", "US", "BR", "NO", "AR", "CO", None]))
def test_any_text_can_be_read_and_the_form_is_stable(text: str, country: str | None) -> None:
    normalize_email(text)
    number = normalize_phone(text, country)
    assert number is None or normalize_phone(number, country) == number
