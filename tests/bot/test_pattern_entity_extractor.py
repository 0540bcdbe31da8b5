"""Entities from the patterns that designers keep."""

from __future__ import annotations

from pathlib import Path

import pytest
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.pattern_entity_extractor import PatternEntityExtractor, read_patterns

PATTERNS = """
entities:
  color:
    blue: [azul, blue]
    navy: [azul marino]
  reason:
    too_small: [me queda chica]
  category:
    shoes: [zapatos, tenis]
  sport:
    tennis: [tenis]
shapes:
  order_number: ['(?<![0-9])([0-9]{5})(?![0-9])']
  email: ['([a-z.]+@[a-z.]+)']
"""


@pytest.fixture
def extractor(
    storage: LocalModelStorage, resource: Resource, context: ExecutionContext, tmp_path: Path
) -> PatternEntityExtractor:
    (tmp_path / "es.yml").write_text(PATTERNS, encoding="utf-8")
    created = PatternEntityExtractor.create({"patterns": str(tmp_path)}, storage, resource, context)
    created.train(TrainingData())
    return created


def said(extractor: PatternEntityExtractor, text: str) -> list[tuple[str, str]]:
    return [(entity["entity"], entity["value"]) for entity in extractor.entities(text)]


def test_phrase_gives_its_canonical_value(extractor: PatternEntityExtractor) -> None:
    assert said(extractor, "la AZUL me queda chica") == [("color", "blue"), ("reason", "too_small")]


def test_longer_phrase_wins(extractor: PatternEntityExtractor) -> None:
    assert said(extractor, "la azul marino") == [("color", "navy")]


def test_phrase_counts_only_as_a_whole_word(extractor: PatternEntityExtractor) -> None:
    assert said(extractor, "unos azulejos") == []


def test_accents_do_not_matter(extractor: PatternEntityExtractor) -> None:
    assert said(extractor, "ázul") == [("color", "blue")]


def test_phrase_with_two_meanings_gives_both(extractor: PatternEntityExtractor) -> None:
    assert said(extractor, "mis tenis") == [("category", "shoes"), ("sport", "tennis")]


def test_shape_gives_what_was_typed_and_where(extractor: PatternEntityExtractor) -> None:
    text = "¿Y el 10203? Ana.G@Example.com"
    number, email = extractor.entities(text)
    assert (number["value"], text[number["start"] : number["end"]]) == ("10203", "10203")
    assert email["value"] == "Ana.G@Example.com"


def test_shape_wins_over_a_phrase_in_it(extractor: PatternEntityExtractor) -> None:
    assert said(extractor, "azul@example.com") == [("email", "azul@example.com")]


def test_loaded_component_needs_no_data_folder(
    storage: LocalModelStorage, resource: Resource, context: ExecutionContext, extractor: PatternEntityExtractor
) -> None:
    loaded = PatternEntityExtractor.load({"patterns": "no/such/folder"}, storage, resource, context)
    assert said(loaded, "la azul 10203") == [("color", "blue"), ("order_number", "10203")]


def test_phrase_that_two_files_have_counts_once(tmp_path: Path) -> None:
    for name in ("en.yml", "es.yml"):
        (tmp_path / name).write_text("entities: {color: {blue: [Azul]}}", encoding="utf-8")
    assert read_patterns(tmp_path)["phrases"] == [["color", "blue", "azul"]]
