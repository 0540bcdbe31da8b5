"""The encoder whose numbers come inside a package."""

from __future__ import annotations

import numpy as np
import pytest

from bot.nlu.sentence_encoder import Numbers, SentenceEncoder, encoder_of

PATH = "bot.nlu.universal_sentence_encoder.UniversalSentenceEncoder"


@pytest.fixture
def encoder() -> SentenceEncoder:
    return encoder_of(PATH)


def likeness(encoder: SentenceEncoder, first: str, second: str) -> float:
    rows: Numbers = encoder.encode([first, second])
    return float(rows[0] @ rows[1])


def test_numbers_are_read_once_a_process(encoder: SentenceEncoder) -> None:
    assert encoder_of(PATH) is encoder


def test_each_text_has_a_row_of_length_one(encoder: SentenceEncoder) -> None:
    rows = encoder.encode(["hola", "", "where is my order"])
    assert rows.shape == (3, 512)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-4)


def test_text_has_the_same_numbers_alone_and_among_others(encoder: SentenceEncoder) -> None:
    np.testing.assert_allclose(encoder.encode(["hola"])[0], encoder.encode(["adiós", "hola"])[1], atol=1e-5)


@pytest.mark.parametrize("other", ["¿dónde está mi pedido?", "cadê meu pedido", "wo ist meine Bestellung"])
def test_same_question_in_another_language_is_nearer_than_another_question(encoder: SentenceEncoder, other: str) -> None:
    assert likeness(encoder, "where is my order?", other) > likeness(encoder, "I want to speak to a person", other) + 0.2
