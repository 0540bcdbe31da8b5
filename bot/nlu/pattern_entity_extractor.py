"""Entities from the phrases and number shapes that designers keep in `data/patterns/*.yml`, found by spaCy's PhraseMatcher."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import spacy
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.io import dump_obj_as_json_to_file, read_json_file, read_yaml_file
from spacy.matcher import PhraseMatcher
from spacy.util import filter_spans

from bot.nlu.folding import fold
from bot.nlu.shapes import overlaps, shapes_in

Entity = dict[str, Any]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class PatternEntityExtractor(GraphComponent):
    """Config: `patterns`, the folder. The patterns are kept in the model: a trained model needs no data folder.

    A file has `entities: {entity: {value: [phrases]}}` and `shapes: {entity: [regular expressions]}`; the first group of a
    shape is the value. A shape wins over a phrase where they overlap, the longer over the shorter.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"patterns": "data/patterns"}

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource, patterns: dict[str, Any]) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._use(patterns)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PatternEntityExtractor:
        return cls(config, model_storage, resource, {"phrases": [], "shapes": []})

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> PatternEntityExtractor:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, read_json_file(folder / "patterns.json"))

    def train(self, training_data: TrainingData) -> Resource:
        self._use(read_patterns(Path(self._config["patterns"])))
        with self._storage.write_to(self._resource) as folder:
            dump_obj_as_json_to_file(folder / "patterns.json", self._patterns)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data  # entities here come from patterns, not from examples

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            if not text.startswith("/"):
                message.set(ENTITIES, [*(message.get(ENTITIES) or []), *self.entities(text)], add_to_output=True)
        return messages

    def entities(self, text: str) -> list[Entity]:
        """The entities of this text in order; none overlaps another of its own kind."""
        folded = fold(text)
        shapes = list(self._shapes_in(text, folded))
        taken = [(entity["start"], entity["end"]) for entity in shapes]
        phrases = (entity for entity in self._phrases_in(folded) if not overlaps((entity["start"], entity["end"]), taken))
        return sorted([*shapes, *phrases], key=lambda entity: entity["start"])

    def _use(self, patterns: dict[str, Any]) -> None:
        self._patterns = patterns
        self._nlp = spacy.blank("xx")
        self._matcher = PhraseMatcher(self._nlp.vocab, attr="ORTH")
        self._meanings: dict[str, list[tuple[str, str]]] = {}
        for entity, value, phrase in patterns["phrases"]:
            self._meanings.setdefault(phrase, []).append((entity, value))
        for phrase in self._meanings:
            self._matcher.add(phrase, [self._nlp.make_doc(phrase)])
        self._shapes = [(entity, re.compile(shape)) for entity, shape in patterns["shapes"]]

    def _phrases_in(self, folded: str) -> Iterator[Entity]:
        doc = self._nlp.make_doc(folded)
        for span in filter_spans(self._matcher(doc, as_spans=True)):
            for entity, value in self._meanings[span.label_]:
                yield _entity(entity, value, span.start_char, span.end_char, "phrase")

    def _shapes_in(self, text: str, folded: str) -> Iterator[Entity]:
        for entity, span in shapes_in(folded, self._shapes):
            yield _entity(entity, text[slice(*span)], *span, "shape")


def read_patterns(folder: Path) -> dict[str, list[list[str]]]:
    """Every phrase and shape below the folder; phrases are folded."""
    phrases: list[list[str]] = []
    shapes: list[list[str]] = []
    for file in sorted(folder.glob("*.yml")):
        content = read_yaml_file(file)
        for entity, values in (content.get("entities") or {}).items():
            phrases += [[entity, str(value), fold(str(phrase))] for value, said in values.items() for phrase in said]
        for entity, expressions in (content.get("shapes") or {}).items():
            shapes += [[entity, expression] for expression in expressions]
    return {"phrases": _unique(phrases), "shapes": shapes}


def _unique(rows: list[list[str]]) -> list[list[str]]:
    return [list(row) for row in dict.fromkeys(map(tuple, rows))]


def _entity(entity: str, value: str, start: int, end: int, source: str) -> Entity:
    found = {"entity": entity, "value": value, "start": start, "end": end}
    return {**found, "extractor": PatternEntityExtractor.__name__, "source": source}
