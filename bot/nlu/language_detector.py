"""The language of a message: the entity `language` where the message tells it, else `language_hint`.

A shopper's language is sticky (the slot `language`): only a message that surely is in another language changes it. Until one
has been sure, the hint counts: what a greeting sounds like, or what the channel says of the shopper's device.
"""

from __future__ import annotations

import re
from typing import Any

from lingua import IsoCode639_1, LanguageDetector, LanguageDetectorBuilder
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message

LETTERS = re.compile(r"[^\W\d_]{2,}")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class MessageLanguageDetector(GraphComponent):
    """Config: `languages` (ISO 639-1); `certain`: the confidence from which a message of three words or more is sure; `likely`:
    the confidence from which a hint is given."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"languages": ["es", "en"], "certain": 0.75, "likely": 0.6}

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._detector: LanguageDetector | None = None

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> MessageLanguageDetector:
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            self._add_language(message)
        return messages

    def languages(self, text: str) -> tuple[str | None, str | None]:
        """(the language that this text surely is in or None, the one that it sounds like or None)."""
        words = LETTERS.findall(text)
        if not words or text.startswith("/"):
            return None, None
        best = self._loaded().compute_language_confidence_values(" ".join(words))[0]
        language = best.language.iso_code_639_1.name.lower()
        is_certain = len(words) >= 3 and best.value >= self._config["certain"]
        return (language if is_certain else None), (language if best.value >= self._config["likely"] else None)

    def _add_language(self, message: Message) -> None:
        entities = message.get(ENTITIES) or []
        if any(entity["entity"] == "language" for entity in entities):
            return  # "in English please" counts more than the language that it is said in
        certain, likely = self.languages(message.get(TEXT) or "")
        device = (message.get(METADATA) or {}).get("language")
        hint = likely or (device if device in self._config["languages"] else None)
        found = [("language", certain)] if certain else [("language_hint", hint)] if hint else []
        if found:
            message.set(ENTITIES, [*entities, *(_entity(*each) for each in found)], add_to_output=True)

    def _loaded(self) -> LanguageDetector:
        if self._detector is None:
            codes = [getattr(IsoCode639_1, code.upper()) for code in self._config["languages"]]
            self._detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()
        return self._detector


def _entity(name: str, value: str | None) -> dict[str, Any]:
    return {"entity": name, "value": value, "start": 0, "end": 0, "extractor": MessageLanguageDetector.__name__}
