"""Entities from the patterns that designers keep."""

from __future__ import annotations

from pathlib import Path

import pytest
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.pattern_entity_extractor import PatternEntityExtractor, read_patterns

OURS = Path(__file__).parents[2] / "data" / "patterns"

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


# The shapes of data/patterns


@pytest.fixture
def ours(storage: LocalModelStorage, resource: Resource, context: ExecutionContext) -> PatternEntityExtractor:
    created = PatternEntityExtractor.create({"patterns": str(OURS)}, storage, resource, context)
    created.train(TrainingData())
    return created


def of_kind(extractor: PatternEntityExtractor, text: str, *kinds: str) -> list[tuple[str, str]]:
    return [(kind, value) for kind, value in said(extractor, text) if kind in kinds]


@pytest.mark.parametrize("text", ["cadê o 10.290", "pedido 10.290?", "nº 10.290", "10.290", "cancela o 10.290."])
def test_order_number_may_have_a_dot(ours: PatternEntityExtractor, text: str) -> None:
    assert of_kind(ours, text, "order_number", "amount", "code") == [("order_number", "10.290")]


@pytest.mark.parametrize(
    "text",
    [
        "R$ 10.290",
        "10.290 reais",
        "custa 10.290,50",
        "$10.290",
        "kr 10.290",
        "10.290 kr",
        "10.290 pontos",
        "CEP 01.001-000",
        "até 10.290",
        "1.10.290",
    ],
)
def test_amount_points_or_postcode_with_a_dot_is_no_order(ours: PatternEntityExtractor, text: str) -> None:
    assert of_kind(ours, text, "order_number") == []


@pytest.mark.parametrize(
    "text",
    [
        "ana punto lopez arroba gmail punto com",
        "ana guion bajo lopez arroba example punto com punto mx",
        "ana dot lopez at gmail dot com",
        "ana ponto lopes arroba gmail ponto com ponto br",
        "ana underline lopes arroba gmail.com",
        "ana traço lopes arroba uol ponto com ponto br",
        "ana punktum lopez krøllalfa gmail punktum com",
        "ola prikk nordmann alfakrøll example prikk no",
    ],
)
def test_email_said_in_words_is_found_whole(ours: PatternEntityExtractor, text: str) -> None:
    before = "é " if "ponto" in text or "arroba gmail.com" in text else ""
    assert of_kind(ours, f"{before}{text}", "email") == [("email", text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("har dere den i størrelse 39", [("size", "39")]),
        ("storrelse 39 takk", [("size", "39")]),
        ("kjøpe med kort", []),
        ("det er ikke bra", []),
        ("ring meg", []),
        ("the size med please", [("size", "M")]),
        ("i need a bra", [("category", "underwear")]),
        ("estoy tan cansada", []),
    ],
)
def test_words_of_one_language_mean_nothing_in_another(
    ours: PatternEntityExtractor, text: str, found: list[tuple[str, str]]
) -> None:
    assert of_kind(ours, text, "size", "category", "color") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mi orden es W1234567", ("order_number", "W1234567")),
        ("mi codigo postal es 06700", ("postcode", "06700")),
        ("o CEP daqui é 20040002", ("postcode", "20040002")),
        ("postnr 5003", ("postcode", "5003")),
        ("ups 1Z999AA10123456784", ("tracking_number", "1Z999AA10123456784")),
        ("sporing 70705803000012345", ("tracking_number", "70705803000012345")),
        ("telefono 612 345 678", ("phone", "612 345 678")),
        ("(415) 555-0134, evenings", ("phone", "(415) 555-0134")),
        ("ringte 800 12 345", ("phone", "800 12 345")),
        ("the site said 49€", ("amount", "49")),
        ("skulle hatt 1 200 poeng", ("points", "1 200")),
    ],
)
def test_number_is_told_by_its_shape_and_is_nothing_else(ours: PatternEntityExtractor, text: str, found: tuple[str, str]) -> None:
    numbers = ("order_number", "postcode", "tracking_number", "phone", "amount", "points", "code")
    assert of_kind(ours, text, *numbers) == [found]


def test_hour_is_no_amount(ours: PatternEntityExtractor) -> None:
    assert of_kind(ours, "preciso até 18:30", "amount") == []
    assert of_kind(ours, "até 18 h", "amount") == []
