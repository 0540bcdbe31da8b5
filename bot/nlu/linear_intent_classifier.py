"""A linear intent classifier over word and character n-grams: trains in seconds, answers in a millisecond, always the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.io import dump_obj_as_json_to_file, read_json_file, read_yaml_file

from bot.nlu.folding import fold
from bot.nlu.linear_model import FEWEST_CHARACTERS, MOST_CHARACTERS, MOST_WORDS, WORD, LinearModel

REQUESTS = "requests"  # key of a parsed message: the requests found in it, where there are two
RANKING_LENGTH = 10
SHORTEST = 3  # words of a second request after a mere "and"
SURELY_ANOTHER = 0.8  # confidence from which a mere thing is a request of its own: "and the refund of 10233"
ROUGH = 0.05  # tolerance: a sixth of the time of the default, with the same accuracy on tests/nlu


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearIntentClassifier(GraphComponent, IntentClassifier):
    """Config: `C`, `joints` (the file of words at which a message may hold two requests), `requests` (intents that can be one
    of two), `certain` (the confidence asked of each of two requests), `one_matter` (lists of intents that may well be one
    request: "it did not arrive and I want my money back"), `intent_of_entity` (an entity that decides the intent, whatever
    else is said)."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        joints = "data/patterns/joints.yml"
        return {"C": 20.0, "joints": joints, "requests": [], "certain": 0.45, "one_matter": [], "intent_of_entity": {}}

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
            joints = read_json_file(folder / "joints.json")
            return cls(config, model_storage, resource, {"classifier": LinearModel.load(folder), **joints})

    def train(self, training_data: TrainingData) -> Resource:
        # Sorted, so that the order of files on a disk changes nothing.
        examples = sorted({(_shape(m.get(TEXT)), m.get(INTENT)) for m in training_data.intent_examples if m.get(TEXT)})
        classifier = _untrained(self._config["C"], _weights(intent for _, intent in examples))
        classifier.fit([text for text, _ in examples], [intent for _, intent in examples])
        model, joints = LinearModel.of(classifier), _read_joints(Path(self._config["joints"]))
        self._trained = {"classifier": model, **joints}
        with self._storage.write_to(self._resource) as folder:
            model.save(folder)
            dump_obj_as_json_to_file(folder / "joints.json", joints)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            if self._trained and message.get(TEXT):
                self._classify(message)
            else:  # nothing was written: nothing is understood
                message.set(INTENT, {"name": None, "confidence": 0.0}, add_to_output=True)
        return messages

    def ranking(self, text: str) -> list[dict[str, Any]]:
        """The likeliest intents of this text with their probabilities."""
        classifier: LinearModel = self._trained["classifier"]
        probabilities = classifier.probabilities(_shape(without_joint(text, self._trained["joints"])))
        best = probabilities.argsort()[::-1][:RANKING_LENGTH]
        return [{"name": classifier.classes[i], "confidence": float(probabilities[i])} for i in best]

    def requests(self, text: str) -> list[dict[str, Any]]:
        """The two requests of a message that holds two different ones, in the order in which they were said; else none."""
        found: list[dict[str, Any]] = []
        for joint, clause in split(text, self._trained["joints"]):
            intent = self.ranking(clause)[0]
            if intent["name"] in self._config["requests"] and intent["confidence"] >= self._config["certain"]:
                request = {"intent": intent["name"], "text": clause, "confidence": intent["confidence"]}
                found += [] if found and self._is_one_matter(found[0], request, joint) else [request]
        return found[:2] if len(found) > 1 else []

    def _is_one_matter(self, first: dict[str, Any], second: dict[str, Any], joint: str) -> bool:
        """Whether the second may well be the first in other words: only "and also" or a number of its own makes it another."""
        intents = {first["intent"], second["intent"]}
        if len(intents) == 1:
            return True
        if joint in self._trained["joints"] and joint not in self._trained["weak"]:
            return False
        if second["text"].split()[0].lower() in self._trained["things"] and second["confidence"] < SURELY_ANOTHER:
            return True
        is_alike = any(intents <= set(matter) for matter in self._config["one_matter"])
        has_number = any(sign.isdigit() for sign in second["text"])
        return (is_alike and not has_number) or len(second["text"].split()) < SHORTEST

    def _classify(self, message: Message) -> None:
        ranking = self.ranking(message.get(TEXT))
        requests = self.requests(message.get(TEXT))
        if (decided := self._decided_by_entity(message)) is not None:
            rest = [each for each in self.ranking(_without_marks(message.get(TEXT))) if each["name"] != decided]
            ranking, requests = [{"name": decided, "confidence": 1.0}, *rest], []
        if requests:
            ranking = _led_by(requests, ranking)
            message.set(REQUESTS, requests, add_to_output=True)
        message.set(INTENT, ranking[0], add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)

    def _decided_by_entity(self, message: Message) -> str | None:
        deciding = self._config["intent_of_entity"]
        return next((deciding[e["entity"]] for e in message.get(ENTITIES) or [] if e["entity"] in deciding), None)


def split(text: str, joints: Sequence[str]) -> list[tuple[str, str]]:
    """The clauses of a message, each with the joint before it ("" at the end of a sentence); one word alone is no clause."""
    if not joints:
        return [("", text)]
    pattern = rf"(?:[.?!:;\n]+\s+|,?\s)(?P<joint>{_any_of(joints)})[\s,:]+|[.?!:;\n]+\s+"
    clauses, start, joint = [], 0, ""
    for match in re.finditer(pattern, fold(text)):
        clauses.append((joint, text[start : match.start()].strip()))
        start, joint = match.end(), match["joint"] or ""
    clauses.append((joint, text[start:].strip()))
    return [(joint, clause) for joint, clause in clauses if len(clause.split()) > 1]


def without_joint(text: str, joints: Sequence[str]) -> str:
    """The text without a joint at its head: "by the way, where is the shop?" asks where the shop is."""
    head = re.match(rf"(?:{_any_of(joints)})[\s,:]+(?=\S+\s+\S)", fold(text)) if joints else None
    return text[head.end() :] if head else text


def _any_of(joints: Sequence[str]) -> str:
    return "|".join(re.escape(joint) for joint in joints)


def _shape(text: str) -> str:
    """What the classifier sees: every number of so many digits is alike."""
    return re.sub(r"\d", "0", fold(text))


def _without_marks(text: str) -> str:
    """The text without what the masking has left in it: "they charged me twice [card]"."""
    return re.sub(r"\[\w+\]", " ", text).strip() or text


def _weights(intents: Iterable[str]) -> dict[str, float]:
    """The rarer an intent, the more an example counts, but by the square root: the FAQ has very many, and they must count too."""
    counts = Counter(intents)
    most = max(counts.values())
    return {intent: (most / count) ** 0.5 for intent, count in counts.items()}


def _untrained(c: float, weights: dict[str, float]) -> Any:
    # Only a training needs scikit-learn: LinearModel predicts without it.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    words = TfidfVectorizer(ngram_range=(1, MOST_WORDS), sublinear_tf=True, token_pattern=WORD.pattern)
    pieces = (FEWEST_CHARACTERS, MOST_CHARACTERS)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=pieces, sublinear_tf=True)
    regression = LogisticRegression(C=c, class_weight=weights, solver="liblinear", tol=ROUGH, random_state=0)
    return make_pipeline(make_union(words, characters), regression)


def _read_joints(file: Path) -> dict[str, list[str]]:
    """All joints, the longest first; those that say nothing of a second request; the words with which a thing begins."""
    content = read_yaml_file(file)
    joints, weak = ({fold(word) for said in (content.get(kind) or {}).values() for word in said} for kind in ("joints", "weak"))
    things = sorted({fold(word) for said in (content.get("things") or {}).values() for word in said})
    return {"joints": sorted(joints | weak, key=lambda joint: (-len(joint), joint)), "weak": sorted(weak), "things": things}


def _led_by(requests: list[dict[str, Any]], ranking: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ranking with the first request clearly at its head: that there is a second one makes the first no less sure."""
    first = {"name": requests[0]["intent"], "confidence": requests[0]["confidence"]}
    rest = [rank for rank in ranking if rank["name"] != first["name"]]
    return [first, *({**rank, "confidence": min(rank["confidence"], first["confidence"] / 2)} for rank in rest)]
