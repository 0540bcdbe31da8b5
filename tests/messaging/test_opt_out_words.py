from __future__ import annotations

import pytest

from messaging.opt_out_words import wish_in


@pytest.mark.parametrize(
    "text", ["STOP", "stop", " Stop! ", "¡Baja!", "PARAR", "parar.", "Stopp", "Unsubscribe", "não quero promoções", "STOP 🛑"]
)
def test_word_alone_is_a_stop(text: str) -> None:
    assert wish_in(text) == "stop"


@pytest.mark.parametrize("text", ["START", "unstop", "Darme de alta", "voltar a receber", "meld meg på"])
def test_word_alone_is_a_start(text: str) -> None:
    assert wish_in(text) == "start"


@pytest.mark.parametrize(
    "text",
    [
        "please stop the delivery",
        "non-stop",
        "stop it",
        "quiero dar de baja mi cuenta del banco",
        "zapatos de planta baja",
        "pode parar o pedido?",
        "kan du stoppe pakken",
        "start a return",
        "",
        "👍",
        "stop " * 50,
    ],
)
def test_word_in_a_sentence_means_nothing(text: str) -> None:
    assert wish_in(text) is None
