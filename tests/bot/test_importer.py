"""Answers by language and by whether a task is under way, as Rasa's own selection chooses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator

from bot.importer import TenderoImporter

ES = """
responses:
  utter_hello:
  - text: "hola"
  - text: "hola, seguimos"
    during_task: true
  utter_bye:
  - text: "adiós"
"""
EN = ES.replace("hola, seguimos", "hello, let's go on").replace("hola", "hello").replace("adiós", "bye")
NOBODY: dict[str, Any] = {"language": None, "language_hint": None, "device_language": None, "in_task": False}


@pytest.fixture
def answers(tmp_path: Path) -> TemplatedNaturalLanguageGenerator:
    for language, text in (("es", ES), ("en", EN)):
        (tmp_path / "data" / "responses" / language).mkdir(parents=True)
        (tmp_path / "data" / "responses" / language / "talk.yml").write_text(text, encoding="utf-8")
    (tmp_path / "config.yml").write_text("recipe: default.v1\nassistant_id: a\nlanguage: en\n", encoding="utf-8")
    (tmp_path / "domain.yml").write_text('version: "3.1"\n', encoding="utf-8")
    importer = TenderoImporter(str(tmp_path / "config.yml"), str(tmp_path / "domain.yml"), [str(tmp_path / "data")], "en")
    return TemplatedNaturalLanguageGenerator(importer.get_domain().responses)


def every_text(answers: TemplatedNaturalLanguageGenerator, key: str, **slots: Any) -> set[str]:
    """What may be said in this state: the choice is random where more than one answer fits."""
    chosen = (answers.generate_from_slots(key, {**NOBODY, **slots}, "test") for _ in range(20))
    return {answer["text"] for answer in chosen if answer is not None}


@pytest.mark.parametrize(
    ("slots", "text"),
    [
        ({}, "bye"),
        ({"language": "es"}, "adiós"),
        ({"language_hint": "es"}, "adiós"),
        ({"device_language": "es"}, "adiós"),
        ({"language": "es", "language_hint": "en"}, "adiós"),
        ({"language_hint": "en", "device_language": "es"}, "bye"),
        ({"language": "xx"}, "bye"),
    ],
)
def test_surest_language_is_answered_in(answers: TemplatedNaturalLanguageGenerator, slots: dict[str, Any], text: str) -> None:
    assert every_text(answers, "utter_bye", **slots) == {text}


@pytest.mark.parametrize(
    ("slots", "text"),
    [
        ({"language": "es"}, "hola"),
        ({"language": "es", "in_task": True}, "hola, seguimos"),
        ({"language_hint": "es", "in_task": True}, "hola, seguimos"),
        ({}, "hello"),
        ({"in_task": True}, "hello, let's go on"),
    ],
)
def test_answer_during_a_task_is_another(answers: TemplatedNaturalLanguageGenerator, slots: dict[str, Any], text: str) -> None:
    assert every_text(answers, "utter_hello", **slots) == {text}
