"""The language of a message: the entity `language` where the message tells it, else `language_hint`.

A shopper's language is sticky (the slot `language`): only a message that surely is in another language changes it. Names,
addresses and products are in no language, so a message is sure only if it has a word that tells its language: "where", "quiero".
A word may tell several ("pedido"); a message is in one of those that most of its words tell. Until one has been sure, the hint
counts (one telling word), and before any hint `device_language`: what the channel says of the shopper's device, or a guess.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lingua import IsoCode639_1, LanguageDetector, LanguageDetectorBuilder
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.io import dump_obj_as_json_to_file, read_json_file, read_yaml_file

from bot.nlu.folding import fold

WORD = re.compile(r"[^\W\d_]+")
WANTED = "wanted_language"  # found by the patterns in "in English please"
ENOUGH_WORDS = 3

TellingWords = dict[str, list[str]]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class MessageLanguageDetector(GraphComponent):
    """Config: `languages` (ISO 639-1); `words`, the file of the words that tell a language; `certain`: the confidence from which
    a message of three words or more is sure; `backed`: the same where two words tell the language and no other is told by as
    many; `clearly`: the share that the likeliest of several that are told needs for a hint, else the guess is the
    first of them in `languages`; `likely`: the confidence from which a message without telling words gives a guess."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        sure_from = {"certain": 0.7, "backed": 0.5, "clearly": 0.7, "likely": 0.7}
        return {"languages": ["es", "en", "pt", "nb"], "words": "data/patterns/languages.yml", **sure_from}

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource, words: TellingWords) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._words = {language: frozenset(telling) for language, telling in words.items()}
        self._detector: LanguageDetector | None = None

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> MessageLanguageDetector:
        return cls(config, model_storage, resource, {})

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> MessageLanguageDetector:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, read_json_file(folder / "words.json"))

    def train(self, training_data: TrainingData) -> Resource:
        """Keep the words in the model: a trained model needs no data folder."""
        words = read_telling_words(Path(self._config["words"]))
        self._words = {language: frozenset(telling) for language, telling in words.items()}
        with self._storage.write_to(self._resource) as folder:
            dump_obj_as_json_to_file(folder / "words.json", words)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            self._add_language(message)
        return messages

    def language(self, text: str) -> tuple[str, str] | None:
        """(how sure it is: `language`, `language_hint` or a guess for `device_language`; which language), None without a sign."""
        words = WORD.findall(fold(text))
        if not words or text.startswith("/"):
            return None
        confidences = self._confidences(text)
        language, confidence = next(iter(confidences.items()))
        told, telling_words = self._told_by(words)
        sure_from = self._config["backed" if len(told) == 1 and telling_words > 1 else "certain"]
        if language in told and len(words) >= ENOUGH_WORDS and confidence >= sure_from:
            return "language", language
        if told:
            likeliest = max(told, key=confidences.__getitem__)
            is_clear = confidences[likeliest] >= self._config["clearly"] * sum(confidences[each] for each in told)
            return ("language_hint", likeliest) if is_clear else ("device_language", told[0])
        is_likely = len(words) > 1 and confidence >= self._config["likely"]
        return ("device_language", language) if is_likely else None

    def _told_by(self, words: list[str]) -> tuple[list[str], int]:
        """The languages that most of these words tell, and each without a list; how many words tell them."""
        said = {_short(word) for word in words}
        count = {each: len(said & telling) for each, telling in self._words.items()}
        most = max(count.values(), default=0)
        return [each for each in self._config["languages"] if each not in count or count[each] == most > 0], most

    def _confidences(self, text: str) -> dict[str, float]:
        """How likely each language is, the likeliest first; together 1."""
        letters = " ".join(word for word in WORD.findall(text) if len(word) > 1) or text
        found = self._loaded().compute_language_confidence_values(letters)
        return {each.language.iso_code_639_1.name.lower(): each.value for each in found}

    def _add_language(self, message: Message) -> None:
        text = message.get(TEXT) or ""
        entities = self._with_one_wish(message.get(ENTITIES) or [], text)
        found: dict[str, Any] = dict([said]) if (said := self.language(text)) else {}
        device = (message.get(METADATA) or {}).get("language")
        if device in self._config["languages"]:
            found["device_language"] = device
        message.set(ENTITIES, [*entities, *(_entity(*each) for each in found.items())], add_to_output=True)

    def _with_one_wish(self, entities: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
        """At most one wanted language, and one that is spoken here: "in English" says more than "Spanish"."""
        others = [entity for entity in entities if entity["entity"] != WANTED]
        wishes = [e for e in entities if e["entity"] == WANTED and e["value"] in self._config["languages"]]
        if len(wishes) > 1:
            written = next(iter(self._confidences(text)))
            wishes.sort(key=lambda wish: (wish["start"] - wish["end"], wish["value"] != written))
        return [*others, *wishes[:1]]

    def _loaded(self) -> LanguageDetector:
        if self._detector is None:
            codes = [getattr(IsoCode639_1, code.upper()) for code in self._config["languages"]]
            self._detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()
        return self._detector


def _short(word: str) -> str:
    """ "holaaa" and "hellooo" as "hola" and "helo": every letter once."""
    return re.sub(r"(.)\1+", r"\1", word)


def read_telling_words(file: Path) -> TellingWords:
    """The words by language, folded and shortened; none where there is no file."""
    content = read_yaml_file(file) if file.exists() else {}
    by_language = content.get("telling_words") or {}
    return {language: sorted({_short(fold(str(word))) for word in words}) for language, words in by_language.items()}


def _entity(name: str, value: str | None) -> dict[str, Any]:
    return {"entity": name, "value": value, "start": 0, "end": 0, "extractor": MessageLanguageDetector.__name__}
