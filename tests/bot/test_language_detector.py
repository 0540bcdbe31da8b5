"""In which language a message is, and how sure that is."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import ENTITIES, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.language_detector import MessageLanguageDetector


@pytest.fixture
def detector(storage: LocalModelStorage, resource: Resource, context: ExecutionContext) -> MessageLanguageDetector:
    created = MessageLanguageDetector.create(MessageLanguageDetector.get_default_config(), storage, resource, context)
    created.train(TrainingData())
    return created


def found(
    detector: MessageLanguageDetector, text: str, device: str | None = None, *wanted: tuple[str, int, int]
) -> dict[str, Any]:
    entities = [{"entity": "wanted_language", "value": value, "start": start, "end": end} for value, start, end in wanted]
    message = Message({TEXT: text, METADATA: {"language": device}, ENTITIES: entities})
    detector.process([message])
    return {entity["entity"]: entity["value"] for entity in message.get(ENTITIES)}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("¿dónde está mi pedido?", "es"),
        ("quiero devolver mi t-shirt", "es"),
        ("where is my order", "en"),
        ("i want to return the blusa", "en"),
    ],
)
def test_sentence_changes_the_language(detector: MessageLanguageDetector, text: str, language: str) -> None:
    assert found(detector, text) == {"language": language}


@pytest.mark.parametrize(
    "text",
    [
        "Ana García Hernández",
        "Calle de la Luna 5, 28012 Madrid",
        "12 Oak Street, Austin TX 78701",
        "camisa oxford talla M",
        "the blue shirt M",
        "10203",
        "ok",
    ],
)
def test_name_address_product_or_number_changes_nothing(detector: MessageLanguageDetector, text: str) -> None:
    assert not {"language", "language_hint"} & found(detector, text).keys()


@pytest.mark.parametrize(
    ("text", "language"), [("hola", "es"), ("holaaa", "es"), ("gracias", "es"), ("hello", "en"), ("hi there", "en")]
)
def test_greeting_is_a_hint_and_no_more(detector: MessageLanguageDetector, text: str, language: str) -> None:
    assert found(detector, text) == {"language_hint": language}


def test_tapped_button_is_in_no_language(detector: MessageLanguageDetector) -> None:
    assert found(detector, '/inform{"choice": "offer:where is my order"}') == {}


def test_device_counts_as_less_than_words(detector: MessageLanguageDetector) -> None:
    assert found(detector, "hola", "en") == {"language_hint": "es", "device_language": "en"}
    assert found(detector, "10203", "xx") == {}


def test_language_that_nobody_speaks_here_cannot_be_wanted(detector: MessageLanguageDetector) -> None:
    assert "wanted_language" not in found(detector, "do you speak norwegian", None, ("nb", 13, 22))


def test_in_english_says_more_than_spanish(detector: MessageLanguageDetector) -> None:
    text = "i know no spanish, in english please"
    assert found(detector, text, None, ("es", 10, 17), ("en", 19, 29))["wanted_language"] == "en"


def test_loaded_component_needs_no_data_folder(
    storage: LocalModelStorage, resource: Resource, context: ExecutionContext, detector: MessageLanguageDetector
) -> None:
    config = {**MessageLanguageDetector.get_default_config(), "words": "no/such/file.yml"}
    loaded = MessageLanguageDetector.load(config, storage, resource, context)
    assert loaded.language("¿dónde está mi pedido?") == ("language", "es")
    assert loaded.language("Ana García Hernández") in (None, ("device_language", "es"))
