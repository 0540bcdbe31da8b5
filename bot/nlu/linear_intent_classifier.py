"""The intents of a message, by a linear model of its words and by the examples that mean nearly the same: trains in seconds,
answers in milliseconds, always the same. docs/adr/0013-sentence-encoder.md says what each adds."""

from __future__ import annotations

import re
from collections.abc import Sequence
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

from bot.language_slots import LANGUAGE, surest_language
from bot.nlu.evidence import with_example
from bot.nlu.folding import fold
from bot.nlu.intent_model import IntentModel
from bot.nlu.intent_training import train
from bot.nlu.sentence_encoder import Numbers, encoder_of

REQUESTS = "requests"  # key of a parsed message: the requests found in it, where there are two
RANKING_LENGTH = 10
SHORTEST = 3  # words of a second request after a mere "and"
SURELY_ANOTHER = 0.8  # confidence from which a mere thing is a request of its own: "and the refund of 10233"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearIntentClassifier(GraphComponent, IntentClassifier):
    """Config, of the model: `encoder` (the dotted path of a sentence encoder's class, or null: words alone decide), `sure` (the
    probability from which words alone decide and the sentence is not encoded), `odds` (by how much an intent is likelier than
    the examples tell), `C` (the smaller, the less a single example counts).

    Of two requests: `joints` (the file of words at which a message may hold two), `requests` (intents that can be one of two),
    `certain` (the confidence asked of each), `one_matter` (lists of intents that may well be one request: "it did not arrive and
    I want my money back"). And `intent_of_entity`: an entity that decides the intent, whatever else is
    said. `intent_alone`: one that decides it where nothing else is said ("10234" answers a question)."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        encoder = "bot.nlu.universal_sentence_encoder.UniversalSentenceEncoder"
        model = {"encoder": encoder, "sure": 0.85, "odds": {}, "C": 0.5}
        requests = {"joints": "data/patterns/joints.yml", "requests": [], "certain": 0.45, "one_matter": []}
        return {**model, **requests, "intent_of_entity": {}, "intent_alone": {}}

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
        encoder = encoder_of(config["encoder"]) if config["encoder"] else None
        if encoder:
            encoder.encode([""])  # whatever it reads is read before anybody waits for an answer
        with model_storage.read_from(resource) as folder:
            model = IntentModel.load(folder, encoder, config["odds"], config["sure"])
            return cls(config, model_storage, resource, {"model": model, **read_json_file(folder / "joints.json")})

    def train(self, training_data: TrainingData) -> Resource:
        config, joints = self._config, _read_joints(Path(self._config["joints"]))
        encoder = encoder_of(config["encoder"]) if config["encoder"] else None
        said = (message for message in training_data.intent_examples if message.get(TEXT))
        examples = [(message.get(TEXT), message.get(INTENT), message.get(LANGUAGE)) for message in said]
        model = train(examples, encoder, config["C"], config["odds"], config["sure"])
        self._trained = {"model": model, **joints}
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

    @property
    def model(self) -> IntentModel:
        """Of a trained or loaded classifier."""
        trained: IntentModel = self._trained["model"]
        return trained

    def ranking(self, text: str, language: str | None = None) -> list[dict[str, Any]]:
        """The likeliest intents of this text with their probabilities."""
        return self.rankings([text], language)[0]

    def rankings(self, texts: Sequence[str], language: str | None = None) -> list[list[dict[str, Any]]]:
        """As `ranking`, of many texts of one language at once: that takes less time."""
        likely = self.model.probabilities([without_joint(text, self._trained["joints"]) for text in texts], language)
        return [_best(self.model.classes, probabilities) for probabilities in likely]

    def with_example(self, text: str, intent: str) -> IntentModel:
        """About what a training would make of the model if the text were an example of the intent, which it knows."""
        return with_example(self.model, text, intent, self._config["C"])

    def requests(self, text: str, language: str | None = None) -> list[dict[str, Any]]:
        """The two requests of a message that holds two different ones, in the order in which they were said; else none."""
        clauses = split(text, self._trained["joints"])
        if len(clauses) < 2:
            return []
        rankings = self.rankings([clause for _, clause in clauses], language)
        found: list[dict[str, Any]] = []
        for (joint, clause), ranking in zip(clauses, rankings, strict=True):
            if self._is_request(ranking[0]):
                request = {"intent": ranking[0]["name"], "text": clause, "confidence": ranking[0]["confidence"]}
                found += [] if found and self._is_one_matter(found[0], request, joint) else [request]
        return found[:2] if len(found) > 1 else []

    def _is_request(self, intent: dict[str, Any]) -> bool:
        return intent["name"] in self._config["requests"] and intent["confidence"] >= self._config["certain"]

    def _is_one_matter(self, first: dict[str, Any], second: dict[str, Any], joint: str) -> bool:
        """Whether the second may well be the first in other words: only "and also" or a number of its own makes it another."""
        intents = {first["intent"], second["intent"]}
        if len(intents) == 1:
            return True
        if joint in self._trained["joints"] and joint not in self._trained["weak"]:
            return False
        begins_with_thing = second["text"].split()[0].lower() in self._trained["things"]
        if begins_with_thing and second["confidence"] < SURELY_ANOTHER:
            return True
        is_alike = any(intents <= set(matter) for matter in self._config["one_matter"])
        says_of_what = not joint and begins_with_thing and not _has_number(first["text"])  # "A swap. The sweater of 10207 ..."
        has_its_own = _has_number(second["text"]) and not says_of_what
        return (is_alike and not has_its_own) or len(second["text"].split()) < SHORTEST

    def _classify(self, message: Message) -> None:
        text = message.get(TEXT)
        language, _ = surest_language(message.get(ENTITIES) or []) or (None, None)
        if (decided := self._decided_by_entity(message)) is not None:
            ranking = _led_by(decided, 1.0, self.ranking(_without_marks(text), language))
        else:
            ranking = self.ranking(text, language)
            if requests := self.requests(text, language):
                ranking = _led_by(requests[0]["intent"], requests[0]["confidence"], ranking)
                message.set(REQUESTS, requests, add_to_output=True)
        message.set(INTENT, ranking[0], add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)

    def _decided_by_entity(self, message: Message) -> str | None:
        found, deciding, alone = message.get(ENTITIES) or [], self._config["intent_of_entity"], self._config["intent_alone"]
        decided = next((deciding[each["entity"]] for each in found if each["entity"] in deciding), None)
        return decided or next(
            (alone[each["entity"]] for each in found if each["entity"] in alone and _is_all(each, message)), None
        )


def _has_number(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _is_all(entity: dict[str, Any], message: Message) -> bool:
    """Whether the message is nothing but this, a sign or two aside: "#10234", "10234?"."""
    text = message.get(TEXT)
    return not re.search(r"\w", text[: entity["start"]] + text[entity["end"] :])


def split(text: str, joints: Sequence[str]) -> list[tuple[str, str]]:
    """The clauses of a message, each with the joint before it ("" at the end of a sentence); one word alone is no clause. A colon
    ends none: what comes after it says what is meant ("a swap: the sweater of 10207")."""
    if not joints:
        return [("", text)]
    pattern = rf"(?:[.?!:;\n]+\s+|,?\s)(?P<joint>{_any_of(joints)})[\s,:]+|[.?!;\n]+\s+"
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


def _best(classes: Sequence[str], probabilities: Numbers) -> list[dict[str, Any]]:
    best = probabilities.argsort()[::-1][:RANKING_LENGTH]
    return [{"name": classes[i], "confidence": float(probabilities[i])} for i in best]


def _without_marks(text: str) -> str:
    """The text without what the masking has left in it: "they charged me twice [card]"."""
    return re.sub(r"\[\w+\]", " ", text).strip() or text


def _read_joints(file: Path) -> dict[str, list[str]]:
    """All joints, the longest first; those that say nothing of a second request; the words with which a thing begins."""
    content = read_yaml_file(file)
    joints, weak = ({fold(word) for said in (content.get(kind) or {}).values() for word in said} for kind in ("joints", "weak"))
    things = sorted({fold(word) for said in (content.get("things") or {}).values() for word in said})
    return {"joints": sorted(joints | weak, key=lambda joint: (-len(joint), joint)), "weak": sorted(weak), "things": things}


def _led_by(intent: str, confidence: float, ranking: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ranking with this intent clearly at its head: what else is in the message makes it no less sure."""
    rest = [rank for rank in ranking if rank["name"] != intent]
    first = {"name": intent, "confidence": confidence}
    return [first, *({**rank, "confidence": min(rank["confidence"], confidence / 2)} for rank in rest)]
