"""How well the patterns and the catalogue together find what messages name, on the demo shop: `catalogue_entities.yml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource

from bot.nlu.catalogue_entity_extractor import KINDS, CatalogueEntityExtractor
from bot.nlu.pattern_entity_extractor import PatternEntityExtractor, read_patterns
from commerce import catalog
from commerce.names.index import NameIndex
from commerce.names.live import LiveNames
from tests.commerce.catalogue_words import PATTERNS, learnt_words
from tests.commerce.demo_shop import demo, demo_url  # noqa: F401 (fixtures)

MESSAGES = yaml.safe_load(Path(__file__).with_name("catalogue_entities.yml").read_text(encoding="utf-8"))["messages"]
LEAST_F1, LEAST_PRECISION = 0.95, 0.98

Named = set[tuple[str, str]]


@pytest.fixture
def named(demo: Any, tmp_path: Path) -> list[tuple[Named, Named]]:  # noqa: F811
    """(what is in it, what is found) of each message."""
    storage, resource = LocalModelStorage(tmp_path), Resource("extractor")
    patterns = PatternEntityExtractor({}, storage, resource, read_patterns(PATTERNS))
    names = LiveNames({})
    names._index = NameIndex(catalog.vocabulary(demo), learnt_words())
    ours = CatalogueEntityExtractor({}, storage, resource, {}, names)
    return [(_meant(each), _found(patterns, ours, each["text"])) for each in MESSAGES]


def _meant(row: dict[str, Any]) -> Named:
    values = {kind: row[kind] if isinstance(row[kind], list) else [row[kind]] for kind in KINDS if kind in row}
    return {(kind, value) for kind, several in values.items() for value in several}


def _found(patterns: PatternEntityExtractor, ours: CatalogueEntityExtractor, text: str) -> Named:
    from rasa.shared.nlu.training_data.message import Message

    message = Message({"text": text, "entities": []})
    for component in (patterns, ours):
        component.process([message])
    return {(each["entity"], each["value"]) for each in message.get("entities") if each["entity"] in KINDS}


def test_entities_of_messages_are_found(named: list[tuple[Named, Named]]) -> None:
    right = sum(len(meant & found) for meant, found in named)
    wrong = sum(len(found - meant) for meant, found in named)
    missing = sum(len(meant - found) for meant, found in named)
    missed = [(row["text"], meant ^ found) for row, (meant, found) in zip(MESSAGES, named, strict=True) if meant != found]
    assert right / (right + wrong) >= LEAST_PRECISION, missed
    assert 2 * right / (2 * right + wrong + missing) >= LEAST_F1, missed


def test_no_size_and_no_sku_is_found_that_is_not_named(named: list[tuple[Named, Named]]) -> None:
    """A wrong size is a return, so none is forgiven. Whether the message or the conversation decides it is no matter here."""
    wrong = [_sold_by(found) - _sold_by(meant) for meant, found in named]
    assert [(row["text"], each) for row, each in zip(MESSAGES, wrong, strict=True) if each] == []


def _sold_by(named: Named) -> Named:
    return {(kind.removeprefix("bare_"), value) for kind, value in named if kind in ("size", "bare_size", "sku")}


def test_nothing_is_found_where_nothing_is_named(named: list[tuple[Named, Named]]) -> None:
    assert [found for meant, found in named if not meant and found] == []
