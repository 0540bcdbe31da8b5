"""What a message wants, and whether it wants two things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.linear_intent_classifier import REQUESTS, LinearIntentClassifier

EXAMPLES = {
    "cancel_order": [
        "cancel my order",
        "cancel 10234",
        "i want to cancel my order",
        "please cancel order 10211",
        "cancel it now",
    ],
    "check_points": ["how many points do i have", "my points balance", "show me my points", "how many points are left"],
    "request_return": ["return the shirt", "i want to return it", "i want to send the dress back", "i want my money back"],
    "report_problem": ["it came broken", "it arrived damaged", "it never arrived", "something is missing in the box"],
    "greet": ["hello", "hi there", "good morning", "hey"],
}
JOINTS = "joints: {en: [and also, by the way]}\nweak: {en: [and]}\n"


def trained(storage: LocalModelStorage, context: ExecutionContext, folder: Path, name: str = "a") -> LinearIntentClassifier:
    (folder / "joints.yml").write_text(JOINTS, encoding="utf-8")
    config = {
        **LinearIntentClassifier.get_default_config(),
        "encoder": None,
        "joints": str(folder / "joints.yml"),
        "requests": ["cancel_order", "check_points", "request_return", "report_problem"],
        "one_matter": [["request_return", "report_problem", "cancel_order"]],
        "intent_of_entity": {"secret": "share_secret"},
        "intent_alone": {"order_number": "inform"},
        "certain": 0.3,
        "courtesies": ["greet"],
        "twice": {"check_points": [], "request_return": ["category"]},
    }
    classifier = LinearIntentClassifier.create(config, storage, Resource(name), context)
    examples = [Message.build(text=text, intent=intent) for intent, texts in EXAMPLES.items() for text in texts]
    classifier.train(TrainingData(examples if name != "reversed" else examples[::-1]))
    return classifier


@pytest.fixture
def classifier(storage: LocalModelStorage, context: ExecutionContext, tmp_path: Path) -> LinearIntentClassifier:
    return trained(storage, context, tmp_path)


def parsed(classifier: LinearIntentClassifier, text: str, *entities: str) -> Message:
    message = Message({TEXT: text, ENTITIES: [{"entity": entity, "value": "x"} for entity in entities]})
    classifier.process([message])
    return message


def wanted(classifier: LinearIntentClassifier, text: str) -> list[str]:
    return [request["intent"] for request in classifier.requests(text)]


def test_two_trainings_predict_the_same(storage: LocalModelStorage, context: ExecutionContext, tmp_path: Path) -> None:
    texts = ["cancel order 10777", "points please", "broken", "something never seen"]
    first, second, reversed_ = (trained(storage, context, tmp_path, name) for name in ("a", "b", "reversed"))
    assert [first.ranking(text) for text in texts] == [second.ranking(text) for text in texts]
    assert [first.ranking(text) for text in texts] == [reversed_.ranking(text) for text in texts]


def test_loaded_classifier_predicts_as_the_trained_one(
    storage: LocalModelStorage, context: ExecutionContext, tmp_path: Path
) -> None:
    classifier = trained(storage, context, tmp_path)
    loaded = LinearIntentClassifier.load(classifier._config, storage, Resource("a"), context)
    assert loaded.ranking("cancel my order please") == classifier.ranking("cancel my order please")


def test_numbers_of_one_length_are_alike(classifier: LinearIntentClassifier) -> None:
    assert classifier.ranking("cancel 10234") == classifier.ranking("cancel 98765")


def test_two_requests_are_found_in_their_order_with_their_words(classifier: LinearIntentClassifier) -> None:
    requests = classifier.requests("I want to cancel my order 10233 and also how many points do I have?")
    assert [(each["intent"], each["text"]) for each in requests] == [
        ("cancel_order", "I want to cancel my order 10233"),
        ("check_points", "how many points do I have?"),
    ]


def test_message_with_two_requests_is_surely_the_first(classifier: LinearIntentClassifier) -> None:
    message = parsed(classifier, "cancel my order and also show me my points")
    ranking = message.get("intent_ranking")
    assert message.get(INTENT)["name"] == "cancel_order"
    assert ranking[0]["confidence"] >= 2 * ranking[1]["confidence"]


def test_two_requests_leave_no_doubt_of_the_likelier_one(classifier: LinearIntentClassifier) -> None:
    """Each alone is surer than the whole, which is a bit of both."""
    text = "show me my points and also cancel my order"
    whole, ranking = classifier.ranking(text)[0], parsed(classifier, text).get("intent_ranking")
    assert (whole["name"], ranking[0]["name"]) == ("check_points", "check_points")
    assert ranking[0]["confidence"] == classifier.requests(text)[0]["confidence"] > whole["confidence"]


def test_same_thing_twice_is_one_request(classifier: LinearIntentClassifier) -> None:
    assert wanted(classifier, "i want to return the shirt and also i want to return it") == []


def test_greeting_before_a_request_is_no_request(classifier: LinearIntentClassifier) -> None:
    assert wanted(classifier, "good morning. cancel my order please") == []


def beside(classifier: LinearIntentClassifier, text: str, **named: str) -> tuple[str, list[str]]:
    """The intent of a text in which these words name categories, and what it asks for."""
    places = [(text.find(words), kind) for kind, words in named.items()]
    entities = [{"entity": "category", "value": kind, "start": at, "end": at + len(named[kind])} for at, kind in places]
    message = Message({TEXT: text, ENTITIES: [*entities, {"entity": "language", "value": "en", "start": 0, "end": 0}]})
    classifier.process([message])
    return message.get(INTENT)["name"], [each["text"] for each in message.get(REQUESTS) or ()]


def test_wish_beside_a_greeting_is_what_the_message_wants(classifier: LinearIntentClassifier) -> None:
    text = "hi there hello hey good morning hello hi, cancel my order"
    assert classifier.ranking(text)[0]["name"] == "greet"
    assert beside(classifier, text) == ("cancel_order", ["cancel my order"])
    assert beside(classifier, "hi there hello, good morning hello") == ("greet", [])


def test_wish_beside_a_greeting_keeps_all_that_is_named(classifier: LinearIntentClassifier) -> None:
    text = "hi there hello hey good morning hello hi shirt, cancel my order"
    assert beside(classifier, text, shirts="shirt") == ("cancel_order", ["shirt, cancel my order"])


def test_same_twice_is_two_requests_where_they_differ_or_the_actions_may_tell(classifier: LinearIntentClassifier) -> None:
    assert beside(classifier, "my points balance, how many points are left")[1] == [
        "my points balance",
        "how many points are left",
    ]
    text = "i want to return the shirt, i want to send the dress back"
    assert beside(classifier, text, shirts="shirt", dresses="dress") == ("request_return", text.split(", "))
    assert beside(classifier, text, shirts="shirt") == ("request_return", [])
    assert beside(classifier, "cancel my order, cancel 10234") == ("cancel_order", [])


@pytest.mark.parametrize(("text", "is_alone"), [("10234", True), ("#10234?", True), ("cancel order 10234", False)])
def test_number_alone_informs(classifier: LinearIntentClassifier, text: str, is_alone: bool) -> None:
    start = text.index("10234")
    number = {"entity": "order_number", "value": "10234", "start": start, "end": start + 5}
    message = Message({TEXT: text, ENTITIES: [number]})
    classifier.process([message])
    assert (message.get(INTENT)["name"] == "inform") is is_alone


def test_secret_decides_the_intent(classifier: LinearIntentClassifier) -> None:
    message = parsed(classifier, "cancel my order and also show me my points", "secret")
    assert message.get(INTENT) == {"name": "share_secret", "confidence": 1.0}
    assert message.get("requests") is None


def test_joint_at_the_head_is_left_out(classifier: LinearIntentClassifier) -> None:
    without: list[dict[str, Any]] = classifier.ranking("show me my points")
    assert classifier.ranking("by the way, show me my points") == without
