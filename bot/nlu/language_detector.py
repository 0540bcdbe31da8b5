"""The language of a message, as the entity `language`; nothing where the message does not tell (a number, "ok", a name)."""

from __future__ import annotations

import re
from typing import Any

from lingua import IsoCode639_1, LanguageDetector, LanguageDetectorBuilder
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

LETTERS = re.compile(r"[^\W\d_]{2,}")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class MessageLanguageDetector(GraphComponent):
    """Config: `languages` (ISO 639-1), `certain_alone` and `certain_with_words`: the confidence asked of a message of one or
    two words, and of a longer one. A shopper's language is sticky (a slot), so saying nothing is always safe."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"languages": ["es", "en"], "certain_alone": 0.93, "certain_with_words": 0.75}

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

    def language(self, text: str) -> str | None:
        """The language that this text is surely written in, or None."""
        words = LETTERS.findall(text)
        if not words or text.startswith("/"):
            return None
        best = self._loaded().compute_language_confidence_values(" ".join(words))[0]
        certain = self._config["certain_alone" if len(words) < 3 else "certain_with_words"]
        return best.language.iso_code_639_1.name.lower() if best.value >= certain else None

    def _add_language(self, message: Message) -> None:
        entities = message.get(ENTITIES) or []
        named = any(entity["entity"] == "language" for entity in entities)  # "in English please" counts more
        language = None if named else self.language(message.get(TEXT) or "")
        if language is not None:
            found = {"entity": "language", "value": language, "start": 0, "end": 0, "extractor": type(self).__name__}
            message.set(ENTITIES, [*entities, found], add_to_output=True)

    def _loaded(self) -> LanguageDetector:
        if self._detector is None:
            codes = [getattr(IsoCode639_1, code.upper()) for code in self._config["languages"]]
            self._detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()
        return self._detector
