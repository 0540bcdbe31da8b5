"""A person's contacts are found in what anybody typed, and taken out of it."""

from __future__ import annotations

import pytest

from messaging.mentions import ERASED_MARK, Contacts

ANA = Contacts(["Ana.Lopez@example.com", "+525512345678", "+34600123456"])


@pytest.mark.parametrize(
    "said",
    [
        "ANA.LOPEZ@EXAMPLE.COM",
        "escribe a ana.lopez@example.com, por favor",
        "ana punto lopez arroba example punto com",
        "+52 55 1234 5678",
        "00525512345678",
        "+52 1 55 1234-5678",
        "mi tel (55) 1234.5678",
        "600 123 456",
        {"parse_data": {"entities": [{"value": "ana.lopez@example.com"}]}},
    ],
)
def test_contact_is_found_however_it_is_typed(said: object) -> None:
    assert ANA.are_in(said)
    assert not ANA.are_in(ANA.erased_from(said))


@pytest.mark.parametrize(
    "said",
    [
        "mariana.lopez@example.com",
        "ana.lopez@example.com.mx",
        "ana.lopez@example.coma",
        "pedido 10202",
        "15512345678901",
        "5512345679",
        {"timestamp": 5512345678.1},
        "",
    ],
)
def test_what_is_somebody_elses_is_not_found(said: object) -> None:
    assert not ANA.are_in(said)
    assert ANA.erased_from(said) == said


def test_only_the_contact_is_taken_out() -> None:
    said = {"text": "soy ana.lopez@example.com o 55 1234 5678 y quiero mi pedido 10202", "n": 3}
    assert ANA.erased_from(said) == {"text": f"soy {ERASED_MARK} o {ERASED_MARK} y quiero mi pedido 10202", "n": 3}


def test_nobody_is_in_nothing() -> None:
    assert Contacts([]).signs == ()
    assert not Contacts([]).are_in("ana.lopez@example.com")


def test_every_contact_has_a_sign_by_which_to_search() -> None:
    assert ANA.signs == ("lopez", "3456", "5678")
