"""The component between the names of a catalogue, wherever they come from, and the pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.catalogue_entity_extractor import CatalogueEntityExtractor, Said, read_words
from database import Base, engine_for, transaction
from tests.commerce.catalogue_words import PATTERNS

FAKE = f"{__name__}.FakeNames"
CONFIG = {**CatalogueEntityExtractor.get_default_config(), "patterns": str(PATTERNS)}


class FakeNames:
    """Finds "kayak", "blue" and a SKU wherever they are, but for where it may not look."""

    def __init__(self, words: Mapping[str, Any]) -> None:
        self.words = words
        self.waited: list[float] = []

    def watch(self, patience: float) -> None:
        self.waited.append(patience)

    def find(self, text: str, taken: Sequence[tuple[int, int]], said: Sequence[Said] = ()) -> list[dict[str, Any]]:
        found = []
        for kind, word in (("product", "kayak"), ("color", "blue"), ("sku", "ka-10234 red")):
            start = text.find(word)
            if start >= 0 and not any(start < end and begin < start + len(word) for begin, end in taken):
                rows = (
                    [{"value": f"{word}-{each}", "name": word, "likeness": 0.9} for each in (1, 2)] if kind == "product" else []
                )
                span = {"start": start, "end": start + len(word)}
                found.append({"kind": kind, "value": f"{word}-1", "name": word, **span, "likeness": 0.9, "candidates": rows})
        return found


@pytest.fixture
def extractor(storage: LocalModelStorage, resource: Resource, context: ExecutionContext) -> CatalogueEntityExtractor:
    CatalogueEntityExtractor.create(CONFIG, storage, resource, context).train(TrainingData())
    return CatalogueEntityExtractor.load({**CONFIG, "names": FAKE}, storage, resource, context)


def entities(extractor: CatalogueEntityExtractor, text: str, *before: dict[str, Any]) -> list[dict[str, Any]]:
    message = Message({"text": text, "entities": list(before)})
    extractor.process([message])
    return list(message.get("entities"))


def pattern(kind: str, value: str, start: int, end: int, source: str = "phrase") -> dict[str, Any]:
    place = {"entity": kind, "value": value, "start": start, "end": end}
    return {**place, "extractor": "PatternEntityExtractor", "source": source}


def test_entity_has_its_place_its_likeness_and_the_runners_up(extractor: CatalogueEntityExtractor) -> None:
    (entity,) = entities(extractor, "my kayak")
    assert entity == {
        "entity": "product",
        "value": "kayak-1",
        "name": "kayak",
        "start": 3,
        "end": 8,
        "confidence_entity": 0.9,
        "extractor": "CatalogueEntityExtractor",
        "candidates": [
            {"value": "kayak-1", "name": "kayak", "likeness": 0.9},
            {"value": "kayak-2", "name": "kayak", "likeness": 0.9},
        ],
    }


def test_where_only_one_fits_there_are_no_runners_up(extractor: CatalogueEntityExtractor) -> None:
    assert "candidates" not in entities(extractor, "in blue")[0]


def test_what_a_designers_phrase_says_stays_and_nothing_is_beside_it(extractor: CatalogueEntityExtractor) -> None:
    said = pattern("color", "navy", 3, 7)
    assert entities(extractor, "in blue", said) == [said]


def test_longer_phrase_of_designers_means_something_else(extractor: CatalogueEntityExtractor) -> None:
    said = pattern("promotion", "sale", 3, 14)
    assert entities(extractor, "in blue friday", said) == [said]


def test_product_is_found_within_a_phrase_of_designers(extractor: CatalogueEntityExtractor) -> None:
    said = pattern("category", "boats", 0, 8)
    assert [each["entity"] for each in entities(extractor, "my kayak", said)] == ["category", "product"]


def test_number_or_address_is_no_name(extractor: CatalogueEntityExtractor) -> None:
    said = pattern("email", "kayak@example.com", 0, 17, "shape")
    assert entities(extractor, "kayak@example.com", said) == [said]


def test_number_and_colour_within_a_sku_are_none(extractor: CatalogueEntityExtractor) -> None:
    within = [pattern("color", "red", 9, 12), pattern("color", "navy", 16, 20)]
    assert [each["value"] for each in entities(extractor, "ka-10234 red or navy", *within)] == ["ka-10234 red-1", "navy"]


def test_entities_are_in_the_order_of_the_message(extractor: CatalogueEntityExtractor) -> None:
    later = pattern("order_number", "10234", 11, 16, "shape")
    assert [each["entity"] for each in entities(extractor, "blue kayak 10234", later)] == ["color", "product", "order_number"]


def test_button_and_empty_message_name_nothing(extractor: CatalogueEntityExtractor) -> None:
    assert entities(extractor, '/inform{"choice": "kayak"}') == []
    assert entities(extractor, "") == []


def test_server_waits_for_the_catalogue_only_when_it_starts(extractor: CatalogueEntityExtractor) -> None:
    entities(extractor, "my kayak")
    assert extractor._names is not None
    assert extractor._names.waited == [CONFIG["patience"]]  # type: ignore[attr-defined]


# What is trained


def test_trained_model_has_words_and_nothing_of_the_catalogue(
    storage: LocalModelStorage, resource: Resource, context: ExecutionContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.nlu.made_catalogue import made_products, store

    monkeypatch.setenv("TENDERO_DATABASE_URL", url := f"sqlite:///{tmp_path / 'shop.db'}")
    Base.metadata.create_all(engine_for(url))
    with transaction(url) as session:
        store(session, products := made_products(50))
    CatalogueEntityExtractor.create(CONFIG, storage, resource, context).train(TrainingData())
    with storage.read_from(resource) as folder:
        kept = "".join(file.read_text(encoding="utf-8") for file in folder.rglob("*") if file.is_file())
    assert "manequim" in kept
    assert not any(each.parts["line"].lower() in kept.lower() or each.brand.lower() in kept.lower() for each in products)
    loaded = CatalogueEntityExtractor.load(CONFIG, storage, resource, context)
    assert [each["value"] for each in entities(loaded, products[0].name) if each["entity"] == "product"] == [products[0].handle]


def test_training_and_answering_work_without_a_database(
    storage: LocalModelStorage, resource: Resource, context: ExecutionContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENDERO_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    created = CatalogueEntityExtractor.create(CONFIG, storage, resource, context)
    created.train(TrainingData())
    assert entities(created, "oxford shirt") == []
    assert entities(CatalogueEntityExtractor.load(CONFIG, storage, resource, context), "oxford shirt") == []


def test_word_that_is_seldom_said_of_goods_is_said_of_other_things() -> None:
    examples = [
        *[
            ("un vestido de noche", "search_product"),
            ("buenas noches", "greet"),
            ("noche", "greet"),
            ("esta noche", "greet"),
            ("de noche", "greet"),
        ],
        *[("busco un vestido", "search_product"), ("mi vestido", "request_return")],
        ("una palabra rara", "greet"),
    ]
    words = read_words(PATTERNS, examples, CONFIG)
    assert "noche" in words["elsewhere"]
    assert "vestido" not in words["elsewhere"]
    assert {"noche", "vestido"} <= set(words["known"])
    assert "rara" not in words["known"]  # once: it may be misspelt


def test_words_of_the_model_are_plain_lists() -> None:
    words = read_words(PATTERNS, [("hola", "greet")], CONFIG)
    assert json.loads(json.dumps(words)) == words
    assert ["color", "blue", "azul"] in words["said"]
    assert {kind for kind, _, _ in words["said"]} <= {"product", "brand", "category", "color", "size", "city", "store"}
