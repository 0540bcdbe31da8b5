"""Entities from the names of the shop's real catalogue: product, brand, category, color, size, sku, city, store; misspelt, in
part, in another order. docs/adr/0015-names-of-the-catalogue.md says how.

The catalogue is the shop's and no part of the model: what is trained here are words only, and a new product needs no training.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.common import class_from_module_path
from rasa.shared.utils.io import dump_obj_as_json_to_file, read_json_file, read_yaml_file

from bot.nlu.folding import fold
from bot.nlu.language_detector import read_telling_words
from bot.nlu.pattern_entity_extractor import read_patterns
from bot.nlu.shapes import overlaps

WORD = re.compile(r"[^\W\d_]+")
KINDS = ("product", "brand", "category", "color", "size", "bare_size", "sku", "city", "store")
WITHIN_PHRASES = ("brand", "category", "color", "size")  # what a longer phrase of designers means otherwise
LISTS = (  # of data/patterns/catalogue.yml
    *("joining", "separating", "brand", "ordinary", "size", "of_size", "asking", "courtesy", "half", "measure"),
    *("dated", "exchanging", "sku", "numbered", "voucher", "parcel"),
)
SKU = "sku"
WORDS = "words.json"
CONFIDENCE = "confidence_entity"  # as other extractors call it

Entity = dict[str, Any]
Span = tuple[int, int]
Said = tuple[str, str, int, int]  # kind, value, start, end


class Names(Protocol):
    """Whatever has these can be named as `names`: made from the words of this component, it knows the shop."""

    def __init__(self, words: Mapping[str, Any]) -> None: ...

    def watch(self, patience: float) -> None:
        """Begin to read the shop's names, and follow their changes. Waits for the first reading, at most so many seconds."""

    def find(self, text: str, taken: Sequence[Span], said: Sequence[Said]) -> list[dict[str, Any]]:
        """kind, value, name, start, end, likeness, candidates of each name in the text but for places that are taken. said: what
        is known of the text already."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class CatalogueEntityExtractor(GraphComponent):
    """Config: `names`, the dotted path of a class as `Names` (this package does not know the shop); `patterns`, the designers'
    folder; `patience`, seconds that the server's start waits for the catalogue; `about_goods`, the intents in which things are
    named, and `share`: a word of whose examples a smaller share is of theirs is said of other things; `known`: how many examples
    a word has to be in to be known as such a one, and as no misspelt one.

    Stands after PatternEntityExtractor: what a designer's phrase says stays, and nothing of that kind is found in its place.
    Besides Rasa's keys an entity has `name`, as the catalogue has it, and, where several fit about as well, `candidates`: value,
    name and likeness of each, the first being the entity's own."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        learnt = {"about_goods": ["search_product", "place_order"], "share": 0.3, "known": 2}
        return {"names": "commerce.names.live.LiveNames", "patterns": "data/patterns", "patience": 3.0, **learnt}

    def __init__(
        self, config: dict[str, Any], storage: ModelStorage, resource: Resource, words: dict[str, Any], names: Names | None = None
    ) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._words = words
        self._names = names

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> CatalogueEntityExtractor:
        return cls(config, model_storage, resource, {})

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> CatalogueEntityExtractor:
        with model_storage.read_from(resource) as folder:
            words = read_json_file(folder / WORDS)
        names: Names = class_from_module_path(config["names"])(words)
        names.watch(config["patience"])
        return cls(config, model_storage, resource, words, names)

    def train(self, training_data: TrainingData) -> Resource:
        """Keep the words in the model: it needs no data folder, and no database to be trained."""
        said = [(each.get(TEXT), each.get(INTENT)) for each in training_data.intent_examples if each.get(TEXT)]
        self._words = read_words(Path(self._config["patterns"]), said, self._config)
        with self._storage.write_to(self._resource) as folder:
            dump_obj_as_json_to_file(folder / WORDS, self._words)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data  # the catalogue is not there in a training, and no part of a model

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            if self._names is not None and not text.startswith("/"):
                entities = message.get(ENTITIES) or []
                found = self._found(self._names, text, entities)
                message.set(ENTITIES, _in_order(_without_parts_of_skus(entities, found), found), add_to_output=True)
        return messages

    def _found(self, names: Names, text: str, entities: Sequence[Entity]) -> list[Entity]:
        """What the patterns have not found."""
        taken = [(each["start"], each["end"]) for each in entities if each.get("source") == "shape"]
        said = [(each["entity"], str(each["value"]), each["start"], each["end"]) for each in entities if each["entity"] in KINDS]
        found = (_entity(each) for each in names.find(text, taken, said))
        return [each for each in found if each["entity"] == SKU or not any(_is_said(each, other) for other in entities)]


def read_words(patterns: Path, examples: Sequence[tuple[str, str]], config: Mapping[str, Any]) -> dict[str, Any]:
    """What `Words.of` takes. examples: (text, intent)."""
    lists = read_yaml_file(patterns / "catalogue.yml")
    kept = {name: sorted({str(word) for words in (lists.get(name) or {}).values() for word in words}) for name in LISTS}
    said = [row for row in read_patterns(patterns)["phrases"] if row[0] in KINDS]
    telling = {word for words in read_telling_words(patterns / "languages.yml").values() for word in words}
    counts = _counts(examples, frozenset(config["about_goods"]))
    often = {word: each for word, each in counts.items() if each[0] >= config["known"]}
    elsewhere = {word for word, (in_all, about_goods) in often.items() if about_goods < config["share"] * in_all}
    return {**kept, "said": said, "elsewhere": sorted(elsewhere), "known": sorted(telling.union(often))}


def _counts(examples: Sequence[tuple[str, str]], about_goods: frozenset[str]) -> dict[str, list[int]]:
    """For each word in how many examples it is, and in how many of those about goods."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for text, intent in examples:
        for word in set(WORD.findall(fold(text))):
            counts[word][0] += 1
            counts[word][1] += intent in about_goods
    return counts


def _entity(found: Mapping[str, Any]) -> Entity:
    """A mention as Rasa has entities."""
    place = {"entity": found["kind"], "value": found["value"], "start": found["start"], "end": found["end"]}
    likeness = {CONFIDENCE: found["likeness"], "extractor": CatalogueEntityExtractor.__name__}
    runners_up = {"candidates": list(found["candidates"])} if found["candidates"] else {}
    return {**place, **likeness, "name": found["name"], **runners_up}


def _is_said(found: Entity, other: Entity) -> bool:
    """Whether the other is of the same kind in the same place, or a longer phrase around it: "black friday" is no black."""
    is_beside = found["start"] < other["end"] and other["start"] < found["end"]
    is_longer = other["end"] - other["start"] > found["end"] - found["start"] and found["entity"] in WITHIN_PHRASES
    return is_beside and (found["entity"] == other["entity"] or is_longer)


def _without_parts_of_skus(entities: Sequence[Entity], found: Sequence[Entity]) -> list[Entity]:
    """ "sho 10234 neg 38" is no order, no colour and no size."""
    skus = [(each["start"], each["end"]) for each in found if each["entity"] == SKU]
    return [each for each in entities if not overlaps((each["start"], each["end"]), skus)]


def _in_order(entities: Sequence[Entity], found: Sequence[Entity]) -> list[Entity]:
    """The patterns' own first where two begin together."""
    return sorted([*entities, *found], key=lambda each: each["start"]) if found else list(entities)
