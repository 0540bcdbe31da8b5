"""The intents of a message, by a linear model of its words and by the examples that mean nearly the same: trains in seconds,
answers in milliseconds, always the same. docs/adr/0013-sentence-encoder.md says what each adds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
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
from rasa.shared.utils.io import dump_obj_as_json_to_file, read_json_file

from bot.language_slots import LANGUAGE, surest_language
from bot.nlu.evidence import with_example
from bot.nlu.intent_model import IntentModel
from bot.nlu.intent_training import train
from bot.nlu.sentence_encoder import Numbers, encoder_of
from bot.nlu.two_requests import Clause, Joints, Request, clauses, likeliest_pair, pieces, same_twice, without_joint

REQUESTS = "requests"  # key of a parsed message: the requests found in it, where there are two
RANKING_LENGTH = 10

Entity = dict[str, Any]
Ranking = list[dict[str, Any]]


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
        model = {"encoder": encoder, "sure": 0.95, "odds": {}, "C": 0.5}
        requests = {"joints": "data/patterns/joints.yml", "requests": [], "certain": 0.45, "one_matter": []}
        beside: dict[str, Any] = {"twice": {}, "perhaps": 0.15, "courtesies": []}
        return {**model, **requests, **beside, "intent_of_entity": {}, "intent_alone": {}}

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
            joints = Joints(**read_json_file(folder / "joints.json"))
            return cls(config, model_storage, resource, {"model": model, "joints": joints})

    def train(self, training_data: TrainingData) -> Resource:
        config, joints = self._config, Joints.read(Path(self._config["joints"]))
        encoder = encoder_of(config["encoder"]) if config["encoder"] else None
        said = (message for message in training_data.intent_examples if message.get(TEXT))
        examples = [(message.get(TEXT), message.get(INTENT), message.get(LANGUAGE)) for message in said]
        model = train(examples, encoder, config["C"], config["odds"], config["sure"])
        self._trained = {"model": model, "joints": joints}
        with self._storage.write_to(self._resource) as folder:
            model.save(folder)
            dump_obj_as_json_to_file(folder / "joints.json", asdict(joints))
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
        """The requests of a message that holds two, in the order in which they were said; else none."""
        return _told(self._ranking_and_requests(text, language, ())[1])

    def _ranking_and_requests(
        self, text: str, language: str | None, entities: Sequence[Entity]
    ) -> tuple[Ranking, Sequence[Request]]:
        """All at once: two texts are encoded in nearly the time of one."""
        joints: Joints = self._trained["joints"]
        said = clauses(text, joints)
        texts = [text, *(clause.text for clause in said if len(said) > 1)]
        known = dict(zip(texts, self.rankings(texts, language), strict=True))
        found = [_likeliest(clause, known[clause.text]) for clause in said if len(said) > 1]
        pair = likeliest_pair([each for each in found if self._is_request(each)], joints, self._config["one_matter"])
        return known[text], pair or self._said_beside(text, language, entities, known)

    def _said_beside(
        self, text: str, language: str | None, entities: Sequence[Entity], known: Mapping[str, Ranking]
    ) -> Sequence[Request]:
        """What else the message holds: the wish beside mere courtesy ("hope you are well, do you sell belts"), or the same twice.

        known: the rankings of the whole message and of some of its pieces."""
        intent = known[text][0]["name"]
        is_courtesy = intent in self._config["courtesies"]
        said = pieces(text, self._trained["joints"]) if is_courtesy or intent in self._config["twice"] else []
        if len(said) < 2:
            return ()
        more = [piece for piece in said if piece not in known]
        rankings = {**known, **(dict(zip(more, self.rankings(more, language), strict=True)) if more else {})}
        if is_courtesy:
            best = (_likeliest(Clause(piece), rankings[piece]) for piece in said)
            wish = max(filter(self._is_request, best), key=lambda each: each.confidence, default=None)
            return [replace(wish, clause=Clause(_with_all_named(wish.clause.text, text, entities)))] if wish else ()
        same = (Request(Clause(piece), intent, _confidence(intent, rankings[piece])) for piece in said)
        return self._twice(intent, [each for each in same if each.confidence >= self._config["perhaps"]], text, entities)

    def _twice(self, intent: str, same: Sequence[Request], text: str, entities: Sequence[Entity]) -> Sequence[Request]:
        kinds = self._config["twice"][intent]
        telling = [entity for entity in entities if entity["entity"] in kinds]
        return same_twice(same, [_named(each.clause.text, text, telling) for each in same] if kinds else None) or ()

    def _is_request(self, request: Request) -> bool:
        return request.intent in self._config["requests"] and request.confidence >= self._config["certain"]

    def _classify(self, message: Message) -> None:
        text = message.get(TEXT)
        language, _ = surest_language(message.get(ENTITIES) or []) or (None, None)
        if (decided := self._decided_by_entity(message)) is not None:
            ranking = _led_by(decided, 1.0, self.ranking(_without_marks(text), language))
        else:
            ranking, requests = self._ranking_and_requests(text, language, message.get(ENTITIES) or [])
            if requests:
                message.set(REQUESTS, _told(requests), add_to_output=True)
            if requests and {each.intent for each in requests} != {ranking[0]["name"]}:
                ranking = _led_by(requests[0].intent, requests[0].confidence, ranking)
        message.set(INTENT, ranking[0], add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)

    def _decided_by_entity(self, message: Message) -> str | None:
        found, deciding, alone = message.get(ENTITIES) or [], self._config["intent_of_entity"], self._config["intent_alone"]
        decided = next((deciding[each["entity"]] for each in found if each["entity"] in deciding), None)
        return decided or next(
            (alone[each["entity"]] for each in found if each["entity"] in alone and _is_all(each, message)), None
        )


def _told(requests: Sequence[Request]) -> Ranking:
    """As a message keeps them."""
    return [{"intent": each.intent, "text": each.clause.text, "confidence": each.confidence} for each in requests]


def _named(clause: str, text: str, entities: Sequence[Entity]) -> frozenset[str]:
    """What a clause of the text names."""
    start = text.find(clause)
    return frozenset(str(each["value"]) for each in entities if start <= each.get("start", -1) < start + len(clause))


def _with_all_named(clause: str, text: str, entities: Sequence[Entity]) -> str:
    """As much of the text around the clause as holds all that is named."""
    begin = text.find(clause)
    named = [each for each in entities if each.get("start", 0) < each.get("end", 0)]
    start = min([begin, *(each["start"] for each in named)])
    return text[start : max([begin + len(clause), *(each["end"] for each in named)])]


def _is_all(entity: Entity, message: Message) -> bool:
    """Whether the message is nothing but this, a sign or two aside: "#10234", "10234?"."""
    text = message.get(TEXT)
    return not re.search(r"\w", text[: entity["start"]] + text[entity["end"] :])


def _best(classes: Sequence[str], probabilities: Numbers) -> list[dict[str, Any]]:
    best = probabilities.argsort()[::-1][:RANKING_LENGTH]
    return [{"name": classes[i], "confidence": float(probabilities[i])} for i in best]


def _without_marks(text: str) -> str:
    """The text without what the masking has left in it: "they charged me twice [card]"."""
    return re.sub(r"\[\w+\]", " ", text).strip() or text


def _likeliest(clause: Clause, ranking: Ranking) -> Request:
    return Request(clause, ranking[0]["name"], ranking[0]["confidence"])


def _confidence(intent: str, ranking: Ranking) -> float:
    return next((float(rank["confidence"]) for rank in ranking if rank["name"] == intent), 0.0)


def _led_by(intent: str, confidence: float, ranking: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ranking with this intent clearly at its head: what else is in the message makes it no less sure."""
    rest = [rank for rank in ranking if rank["name"] != intent]
    first = {"name": intent, "confidence": confidence}
    return [first, *({**rank, "confidence": min(rank["confidence"], confidence / 2)} for rank in rest)]
