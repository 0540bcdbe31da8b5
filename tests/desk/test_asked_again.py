"""What an agent asks for though it was in the packet, told by words."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.asked_again import KNOWN_AS, AskedAgainError, asked_again, kept_words, load_words

RETURN = {"order_number": "10201", "return_items": ["a"], "return_reason": "too_small", "contact": "ana@example.com"}


@pytest.mark.parametrize(
    ("language", "text", "facts"),
    [
        ("es", "Hola, ¿me das tu número de pedido?", ["order_number"]),
        ("es", "¿Cuál es el motivo de la devolución? ¿Y qué artículo es?", ["item", "reason"]),
        ("es", "Dime tu correo por favor", ["email"]),
        ("es", "Ya vi tu número de pedido. ¿Prefieres que lo cambie?", []),
        ("en", "Could you tell me your order number?", ["order_number"]),
        ("en", "Which item is it, and what's the reason?", ["item", "reason"]),
        ("en", "I have your order number here. Anything else?", []),
        ("en", "Thanks, I'll take care of it.", []),
        ("pt", "Qual é o motivo da devolução?", ["reason"]),
        ("pt", "Me passe o número do pedido", ["order_number"]),
        ("nb", "Kan du sende meg ordrenummeret?", ["order_number"]),
        ("nb", "Hvilken vare gjelder det?", ["item"]),
        ("fr", "What is your order number?", ["order_number"]),  # a language without words: the default's
    ],
)
def test_question_for_what_was_collected_is_found(language: str, text: str, facts: list[str]) -> None:
    assert asked_again(text, language, RETURN, is_customer=False) == facts


def test_question_for_what_nobody_knew_is_a_fair_one() -> None:
    assert asked_again("What's your order number?", "en", {"return_reason": "too_small"}, is_customer=False) == []
    assert asked_again("What's your phone number?", "en", RETURN, is_customer=False) == []
    assert asked_again("Can you send me a photo?", "en", RETURN, is_customer=True) == []


def test_customers_contact_is_known_to_the_shop() -> None:
    assert asked_again("What is your e-mail?", "en", {}, is_customer=True) == ["email"]
    assert asked_again("What is your e-mail?", "en", {}, is_customer=False) == []


def test_each_language_has_words_for_each_fact() -> None:
    assert {language: set(words.facts) for language, words in kept_words().items()} == {
        language: set(KNOWN_AS) for language in ("en", "es", "nb", "pt")
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("asks: ['?']\n", "en.yml: needs asks, and facts"),
        ("asks: ['?']\nfacts: {order: [a]}\n", "en.yml: facts: order: they are order_number"),
        ("asks: ['?']\nfacts: {email: a}\n", "en.yml: email must be a list of words"),
        ("asks: [\n", "en.yml"),
    ],
)
def test_list_that_cannot_be_used_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "en.yml").write_text(text)
    with pytest.raises(AskedAgainError, match=told):
        load_words(tmp_path)
