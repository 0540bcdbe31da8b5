"""A linear intent classifier over word and character n-grams: trains in seconds, answers in a millisecond, always the same."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import joblib
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.io import read_yaml_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from bot.nlu.folding import fold

REQUESTS = "requests"  # key of a parsed message: the requests found in it, where there are two
RANKING_LENGTH = 10
ROUGH = 0.05  # tolerance: a sixth of the time of the default, with the same accuracy on tests/nlu


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearIntentClassifier(GraphComponent, IntentClassifier):
    """Config: `C`, `joints` (the file of words at which a message may hold two requests), `requests` (intents that can be one
    of two), `certain` (the confidence asked of each of two requests), `intent_of_entity` (an entity that decides the intent,
    whatever else is said)."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"C": 12.0, "joints": "data/patterns/joints.yml", "requests": [], "certain": 0.45, "intent_of_entity": {}}

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource, trained: dict[str, Any]) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._trained = trained

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LinearIntentClassifier:
        return cls(config, model_storage, resource, {})

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LinearIntentClassifier:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, joblib.load(folder / "classifier.joblib"))

    def train(self, training_data: TrainingData) -> Resource:
        # Sorted, so that the order of files on a disk changes nothing.
        examples = sorted({(fold(m.get(TEXT)), m.get(INTENT)) for m in training_data.intent_examples if m.get(TEXT)})
        classifier = _untrained(self._config["C"])
        classifier.fit([text for text, _ in examples], [intent for _, intent in examples])
        self._trained = {"classifier": classifier, "joints": _read_joints(Path(self._config["joints"]))}
        with self._storage.write_to(self._resource) as folder:
            joblib.dump(self._trained, folder / "classifier.joblib", compress=3)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            if self._trained and message.get(TEXT):
                self._classify(message)
        return messages

    def ranking(self, text: str) -> list[dict[str, Any]]:
        """The likeliest intents of this text with their probabilities."""
        classifier = self._trained["classifier"]
        probabilities = classifier.predict_proba([fold(text)])[0]
        best = probabilities.argsort()[::-1][:RANKING_LENGTH]
        return [{"name": str(classifier.classes_[i]), "confidence": float(probabilities[i])} for i in best]

    def requests(self, text: str) -> list[dict[str, Any]]:
        """The two requests of a message that holds two different ones, in the order in which they were said; else none."""
        found: dict[str, dict[str, Any]] = {}
        for clause in split(text, self._trained["joints"]):
            intent = self.ranking(clause)[0]
            if intent["name"] in self._config["requests"] and intent["confidence"] >= self._config["certain"]:
                found.setdefault(intent["name"], {"intent": intent["name"], "text": clause, **_confidence(intent)})
        return list(found.values())[:2] if len(found) > 1 else []

    def _classify(self, message: Message) -> None:
        ranking = self.ranking(message.get(TEXT))
        requests = self.requests(message.get(TEXT))
        if (decided := self._decided_by_entity(message)) is not None:
            ranking, requests = [{"name": decided, "confidence": 1.0}, *ranking], []
        if requests:
            ranking = _led_by(requests, ranking)
            message.set(REQUESTS, requests, add_to_output=True)
        message.set(INTENT, ranking[0], add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)

    def _decided_by_entity(self, message: Message) -> str | None:
        deciding = self._config["intent_of_entity"]
        return next((deciding[e["entity"]] for e in message.get(ENTITIES) or [] if e["entity"] in deciding), None)


def split(text: str, joints: list[str]) -> list[str]:
    """The clauses of a message: at the joints and at the ends of sentences; pieces of one word join the piece before."""
    if not joints:
        return [text]
    pattern = "|".join(re.escape(joint) for joint in joints)
    folded = fold(text)
    cuts = [0, *(match.end() for match in re.finditer(rf"[.?!;\n]+\s+|,?\s(?:{pattern})\s", folded)), len(text)]
    pieces = [text[start:end].strip() for start, end in pairwise(cuts)]
    return [piece for piece in pieces if len(piece.split()) > 1]


def _untrained(c: float) -> Any:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\w+|[^\w\s]")  # noqa: S106
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    regression = LogisticRegression(C=c, class_weight="balanced", solver="liblinear", tol=ROUGH, random_state=0)
    return make_pipeline(make_union(words, characters), regression)


def _read_joints(file: Path) -> list[str]:
    joints = [fold(joint) for said in (read_yaml_file(file).get("joints") or {}).values() for joint in said]
    return sorted(set(joints), key=lambda joint: (-len(joint), joint))


def _led_by(requests: list[dict[str, Any]], ranking: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ranking with the first request clearly at its head: that there is a second one makes the first no less sure."""
    first = {"name": requests[0]["intent"], "confidence": requests[0]["confidence"]}
    rest = [rank for rank in ranking if rank["name"] != first["name"]]
    return [first, *({**rank, "confidence": min(rank["confidence"], first["confidence"] / 2)} for rank in rest)]


def _confidence(intent: dict[str, Any]) -> dict[str, float]:
    return {"confidence": intent["confidence"]}
