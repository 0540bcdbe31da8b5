from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from messaging.masking import Masked, has_check_digit, mask

CARD, PASSWORD = frozenset({"card"}), frozenset({"password"})

# First digits and length, as each network issues its cards now.
NETWORKS = [
    ("4", 16), ("4", 13), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15),
    ("36", 14), ("3528", 16), ("6011", 16), ("62", 19), ("5067", 16), ("6304", 13), ("2202", 16), ("606282", 16),
]  # fmt: skip


def with_check_digit(digits: str) -> str:
    return next(digits + last for last in "0123456789" if has_check_digit(digits + last))


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    prefix, length = draw(st.sampled_from(NETWORKS))
    rest = length - len(prefix) - 1
    return with_check_digit(prefix + draw(st.text("0123456789", min_size=rest, max_size=rest)))


@st.composite
def written_cards(draw: st.DrawFn) -> str:
    """A card number with a separator, or none, after any digit."""
    digits = draw(card_numbers())
    separators = st.sampled_from(["", "", "", " ", "-", "  ", " - ", ".", "\u00a0", "–", "\u200b"])
    return "".join(digit + draw(separators) for digit in digits[:-1]) + digits[-1]


@given(written_cards())
def test_card_is_masked_with_any_separators(card: str) -> None:
    assert mask(f"mi tarjeta es {card}, gracias") == Masked("mi tarjeta es [card], gracias", CARD)


@given(written_cards(), st.sampled_from(["pedido 10234, ", "10234 ", "+52 55 1234 5678 ", "", "\n"]))
def test_no_digit_of_a_card_is_left_behind_another_number(card: str, before: str) -> None:
    masked = mask(before + card)
    assert "card" in masked.found
    assert re.sub(r"\D", "", before).startswith(re.sub(r"\D", "", masked.text))


@given(card_numbers(), st.integers(1, 9))
def test_wrong_check_digit_is_no_card(card: str, wrong: int) -> None:
    number = card[:-1] + str((int(card[-1]) + wrong) % 10)
    assert mask(number).text == number


@given(st.lists(st.integers(10000, 99999), min_size=1, max_size=6), st.sampled_from([", ", " y ", " and ", "/", "\n"]))
def test_order_numbers_stay(orders: list[int], join: str) -> None:
    text = join.join(str(order) for order in orders)
    assert mask(text) == Masked(text, frozenset())


@given(st.integers(20000, 99999), st.sampled_from(["RMA-{}", "rma {}", "#{}", "CLM-{}"]))
def test_return_numbers_stay(number: int, shape: str) -> None:
    text = f"es {shape.format(number)}, gracias"
    assert mask(text).text == text


@given(st.sampled_from(["52", "34", "1", "47", "49", "54", "55", "57"]), st.text("0123456789", min_size=8, max_size=11))
def test_phone_numbers_stay(country: str, digits: str) -> None:
    for text in (f"+{country}{digits}", f"+{country} {digits[:2]} {digits[2:6]} {digits[6:]}", digits):
        assert mask(text).text == text


def test_phone_that_looks_like_an_old_card_stays() -> None:
    number = with_check_digit("491512345678")  # thirteen digits, a right check digit, and Germany's prefix
    assert mask(f"+{number}").text == f"+{number}"
    assert mask(number).found == CARD


@given(st.from_regex(r"[A-Z]{2,4}[0-9]{8,18}[A-Z]{0,2}", fullmatch=True))
def test_tracking_numbers_stay(number: str) -> None:
    assume(not number.startswith(("VISA", "AMEX", "CARD", "KORT")))
    assert mask(f"mi guía es {number}").text == f"mi guía es {number}"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111 1111 1111 1111 12/28 123 gracias", "[card] gracias"),
        ("4111111111111111, 12/2028, 123", "[card]"),
        ("4111111111111111 cvv 123", "[card] cvv [card]"),
        ("visa4111111111111111", "visa[card]"),
        ("4111111111111111 y 5555555555554444", "[card] y [card]"),
        ("٤١١١١١١١١١١١١١١١", "[card]"),
        ("mi código de seguridad es 123", "mi código de seguridad es [card]"),
        ("CVC: 1234.", "CVC: [card]."),
        ("el nip es 4471", "el nip es [card]"),
        ("min pinkode er 2580", "min pinkode er [card]"),
        ("token del banco: 90817265", "token del banco: [card]"),
        ("koden fra BankID er 338104", "koden fra BankID er [card]"),
    ],
)
def test_card_goes_with_its_date_and_security_code(text: str, masked: str) -> None:
    assert mask(text) == Masked(masked, CARD)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mi contraseña es hunter2 y no entro", "mi contraseña es [password] y no entro"),
        ("MI CONTRASENA ES Hunter2", "MI CONTRASENA ES [password]"),
        ("contrasen\u0303a: hunter2", "contraseña: [password]"),
        ("la clave es perro", "la clave es [password]"),
        ("my password is hunter2.", "my password is [password]"),
        ("password = s3cr3t!", "password = [password]"),
        ('my password is "two words" ok', "my password is [password] ok"),
        ("usuario ana contraseña hunter2", "usuario ana contraseña [password]"),
        ("senha: abc", "senha: [password]"),
        ("minha senha é gato", "minha senha é [password]"),
        ("passordet mitt er katt", "passordet mitt er [password]"),
        ("passord er katt", "passord er [password]"),
        ("my password is 123456", "my password is [password]"),
    ],
)
def test_password_said_as_such_is_masked(text: str, masked: str) -> None:
    assert mask(text) == Masked(masked, PASSWORD)


@pytest.mark.parametrize(
    "text",
    [
        "el pin es 338104",  # one of six digits may be the assistant's
        "código del banco? no me llegó. pedido 10234",
        "el pin del pedido 102345678",
        "olvidé mi contraseña",
        "mi contraseña no funciona",
        "mi contraseña es incorrecta",
        "la contraseña: no la sé",
        "my password is not working",
        "I forgot my password, my email is ana1@example.com",
        "password reset ana1@example.com",
        "passordet er feil",
        "minha senha não funciona",
        "mi clave es 123456",  # a one-time code
        "mi código es 123456",
        "código de seguridad 123456",
        "cuesta 1234 pesos",
        "quiero 2 camisas talla 40",
        "mi contraseña es [password] y mi tarjeta [card]",
        "",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert mask(text) == Masked(text, frozenset())


def test_card_and_password_in_one_message_are_both_found() -> None:
    masked = mask("password: hunter2 y 4111-1111-1111-1111")
    assert masked == Masked("password: [password] y [card]", CARD | PASSWORD)


def test_card_used_as_a_password_leaves_nothing() -> None:
    assert mask("my password is x4111-1111-1111-1111") == Masked("my password is [password]", PASSWORD)
    assert mask("my password is 4111-1111-1111-1111x") == Masked("my password is [card]", CARD | PASSWORD)


@given(st.text(max_size=300))
def test_any_text_can_be_masked_and_once_is_enough(text: str) -> None:
    masked = mask(text)
    assert mask(masked.text).text == masked.text
    assert bool(masked.found) or masked.text == text


PIECES = ["1", "4 ", "4111", "4111 ", "4111111111111111 ", "password ", 'password is "', "cvv ", "contraseña es: ", " "]


@pytest.mark.parametrize("piece", PIECES)
def test_time_grows_with_the_length_only(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        started = time.process_time()
        mask(text)
        return time.process_time() - started

    mask("warm")
    assert seconds(20_000) < 20 * max(seconds(2_000), 0.005)  # ten times the text; a quadratic step would take a hundred
