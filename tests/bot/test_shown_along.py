"""A message whose words say nothing is about what came along with it; any other is about its words."""

from __future__ import annotations

from typing import Any

import pytest

from bot.shown_along import with_language, with_what_was_shown

PICTURE = {"files": [{"kind": "image"}]}
AD = {"referral": {"headline": "Summer dress"}}


def parsed(text: str, intent: str = "search_product") -> dict[str, Any]:
    understood = {"name": intent, "confidence": 0.9}
    return {"text": text, "intent": understood, "entities": [], "intent_ranking": [understood]}


def meant(text: str, shown: dict[str, Any], intent: str = "search_product") -> str:
    return str(with_what_was_shown(parsed(text, intent), shown)["intent"]["name"])


@pytest.mark.parametrize("text", ["mira", "Look at THIS!!", "👆", "", "olha isso", "se her", "hola, mira esto 🙄"])
def test_words_that_only_point_are_about_the_picture(text: str) -> None:
    assert meant(text, PICTURE) == "share_picture"


@pytest.mark.parametrize("text", ["mira, llegó rota", "quiero devolver esto", "do you have this shirt?", "12345"])
def test_words_that_say_something_are_themselves(text: str) -> None:
    assert meant(text, PICTURE) == "search_product"


@pytest.mark.parametrize(
    ("kind", "intent"), [("image", "share_picture"), ("video", "share_video"), ("document", "share_document")]
)
def test_greeting_is_about_the_file(kind: str, intent: str) -> None:
    assert meant("qué onda", {"files": [{"kind": kind}]}, intent="greet") == intent


@pytest.mark.parametrize("kind", ["sticker", "voice", "nonsense"])
def test_greeting_with_what_shows_nothing_stays_one(kind: str) -> None:
    assert meant("hola", {"files": [{"kind": kind}]}, intent="greet") == "greet"


@pytest.mark.parametrize(
    "text",
    [
        "¡Hola! Quiero más información.",
        "Hello! Can I get more info on this?",
        "Olá! Tenho interesse e queria mais informações, por favor.",
        "Hei! Kan jeg få mer informasjon om dette?",
        "precio?",
        "I'm interested",
    ],
)
def test_words_that_only_ask_for_more_open_the_ad(text: str) -> None:
    assert meant(text, AD) == "open_ad"


@pytest.mark.parametrize("text", ["¿dónde está mi pedido?", "quiero información de mi pedido", "are you a bot?"])
def test_question_from_an_ad_is_itself(text: str) -> None:
    assert meant(text, AD) == "search_product"


def test_nothing_is_read_into_a_message_that_brings_nothing() -> None:
    assert meant("hola", {}, intent="greet") == "greet"
    assert meant("/share_sticker", AD, intent="share_sticker") == "share_sticker"


def test_command_gets_the_language_that_the_channel_tells() -> None:
    told = with_language(parsed("/share_picture"), {"language": "pt"})
    assert [(each["entity"], each["value"]) for each in told["entities"]] == [("device_language", "pt")]
    assert with_language(parsed("hola"), {"language": "pt"})["entities"] == []
