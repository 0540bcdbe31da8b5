"""Which entries of the shop's FAQ a message asks about, by its words and by what it means. The actions answer with them;
docs/adr/0009-faq-retrieval.md says how.

What is asked is part of the model, answers are not: one that is edited is told as edited, without a training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.common import class_from_module_path
from rasa.shared.utils.io import dump_obj_as_json_to_file, read_json_file

from bot.language_slots import language_of_answer
from bot.nlu.folding import plain
from bot.nlu.kept_encodings import encoded
from bot.nlu.linear_intent_classifier import REQUESTS
from bot.nlu.neighbour_model import Small, in_8_bits, of_8_bits
from bot.nlu.sentence_encoder import Numbers, SentenceEncoder, encoder_of

FAQ = "faq"  # key of a parsed message: the ranking of each text in it that may be a question
QUESTIONS = "questions.json"
ENCODED = "encoded.npy"

Questions = dict[str, Any]  # by language

NONE: Small = np.zeros((0, 0), dtype=np.int8)


class Encoder(Protocol):
    def encode(self, texts: Sequence[str]) -> Numbers: ...


class Faq(Protocol):
    """Whatever has these can be named as `faq`: it knows how the shop's files are written, and what fits a text."""

    def __init__(self, questions: Mapping[str, Any], encoder: Encoder) -> None:
        """questions: as `read` has them, of languages that the encoder knows."""

    @staticmethod
    def read(folder: Path) -> Questions:
        """What has to be known of the questions, by language, as JSON has it; empty where there are none."""

    @staticmethod
    def texts(questions: Mapping[str, Any]) -> list[str]:
        """Those that the constructor will have encoded."""

    def ranking(self, text: str, language: str, limit: int) -> dict[str, Any]:
        """The entries that fit best, at most so many, as the shop's actions read it from the message, by the text itself."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class FaqRanker(GraphComponent):
    """Config: `faq`, the dotted path of a class as `Faq` (this package does not know the shop); `folder`, the designers' files;
    `encoder`, that of LinearIntentClassifier, or null: then nothing is ranked; `intents`, those for which the actions look into
    the FAQ; `limit`, how many entries are kept of a text.

    Stands last, where it is known what a message is taken for. Only languages that the encoder knows are ranked: in others, and
    of texts without a ranking, the actions look for the words themselves."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        encoder = "bot.nlu.universal_sentence_encoder.UniversalSentenceEncoder"
        files = {"faq": "commerce.faq.LearntFaq", "folder": "data/faq"}
        return {**files, "encoder": encoder, "intents": ["ask_faq", "nlu_fallback"], "limit": 3}

    def __init__(
        self, config: dict[str, Any], storage: ModelStorage, resource: Resource, languages: frozenset[str], faq: Faq | None
    ) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._languages = languages
        self._faq = faq

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> FaqRanker:
        return cls(config, model_storage, resource, frozenset(), None)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> FaqRanker:
        with model_storage.read_from(resource) as folder:
            questions = read_json_file(folder / QUESTIONS)
            rows = np.load(folder / ENCODED)
        faq = _learnt(config, questions, rows) if questions else None
        return cls(config, model_storage, resource, frozenset(questions), faq)

    def train(self, training_data: TrainingData) -> Resource:
        """Keep the questions and their numbers in the model. Most are examples as well, which are encoded already."""
        questions, rows = self._encoded() if self._config["encoder"] else ({}, NONE)
        with self._storage.write_to(self._resource) as folder:
            dump_obj_as_json_to_file(folder / QUESTIONS, questions)
            np.save(folder / ENCODED, rows)
        return self._resource

    def _encoded(self) -> tuple[Questions, Small]:
        encoder, faq = encoder_of(self._config["encoder"]), _class(self._config)
        read = faq.read(Path(self._config["folder"]))
        questions = {language: own for language, own in read.items() if language in encoder.languages}
        return questions, in_8_bits(encoded(_texts(faq, questions), encoder)) if questions else NONE

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            language = language_of_answer(message.get(ENTITIES) or [])
            if self._faq is not None and language in self._languages and (texts := self._asked(message)):
                ranked = [self._faq.ranking(text, language, self._config["limit"]) for text in texts]
                message.set(FAQ, ranked, add_to_output=True)
        return messages

    def _asked(self, message: Message) -> list[str]:
        """What of the message may be a question for the FAQ: its requests, or all of it."""
        whole = ((message.get(INTENT) or {}).get("name"), message.get(TEXT) or "")
        parts = [(each["intent"], each["text"]) for each in message.get(REQUESTS) or []]
        if not parts or len(parts) > len(dict(parts)):  # two questions may be one in other words
            parts.append(whole)
        return [text for intent, text in parts if intent in self._config["intents"] and text and not text.startswith("/")]


def _class(config: Mapping[str, Any]) -> type[Faq]:
    named: type[Faq] = class_from_module_path(config["faq"])
    return named


def _texts(faq: type[Faq], questions: Questions) -> list[str]:
    """Each once, as they are encoded: as a message is, so that what the classifier has encoded is not encoded again."""
    return list(dict.fromkeys(map(plain, faq.texts(questions))))


def _learnt(config: Mapping[str, Any], questions: Questions, rows: Small) -> Faq:
    encoder = encoder_of(config["encoder"])
    encoder.encode([""])  # whatever it reads is read before anybody waits for an answer
    faq = _class(config)
    return faq(questions, _KnowingQuestions(_texts(faq, questions), rows, encoder))


class _KnowingQuestions:
    """An encoder by which the questions' own texts are known."""

    def __init__(self, texts: Sequence[str], rows: Small, encoder: SentenceEncoder) -> None:
        self._places = {text: place for place, text in enumerate(texts)}
        self._rows = rows
        self._encoder = encoder

    def encode(self, texts: Sequence[str]) -> Numbers:
        asked = [plain(text) for text in texts]
        if not all(text in self._places for text in asked):
            return self._encoder.encode(asked)
        rows = of_8_bits(self._rows[[self._places[text] for text in asked]])
        result: Numbers = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return result
