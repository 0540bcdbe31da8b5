"""The component that finds entries of the FAQ by what a message means; and that it shares its encoder with the classifier."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.language_slots import known_before
from bot.nlu import faq_ranker
from bot.nlu.faq_ranker import FaqRanker
from bot.nlu.folding import plain
from bot.nlu.sentence_encoder import Numbers, RememberingEncoder

MEANINGS = {"parking": 0, "car": 0, "coche": 0, "shipping": 1, "parcel": 1, "envío": 1, "bil": 0}
FILE = """
language: {language}
faq:
  - id: parking
    question: {park}
    asked_as: [{park} here]
    not_asked_as: [sell me a motor]
    answer: "Yes."
  - id: shipping
    question: {ship}
    asked_as: [{ship} now]
    answer: "Tomorrow."
"""


class Meanings:
    """An encoder that knows a few words of two languages, and keeps what it was asked."""

    name = "words"
    languages = frozenset(["en", "es"])

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Numbers:
        self.asked += texts
        rows = np.zeros((len(texts), 3), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[[MEANINGS[word] for word in text.split() if word in MEANINGS] or [2]] = 1
        result: Numbers = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return result


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Meanings:
    encoder = Meanings()
    shared = RememberingEncoder(encoder)
    monkeypatch.setattr(faq_ranker, "encoder_of", lambda path: shared)
    return encoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "faq"
    for language, park, ship in (("en", "parking", "shipping"), ("es", "parking", "envío"), ("nb", "parking", "shipping")):
        (folder / language).mkdir(parents=True)
        text = FILE.format(language=language, park=park, ship=ship)
        (folder / language / "shop.yml").write_text(text, encoding="utf-8")
    return folder


class Trained:
    """Trained, saved, and loaded as a server does."""

    def __init__(self, storage: LocalModelStorage, context: ExecutionContext, **config: Any) -> None:
        settings, resource = {**FaqRanker.get_default_config(), **config}, Resource("ranker")
        FaqRanker.create(settings, storage, resource, context).train(TrainingData())
        self.ranker = FaqRanker.load(settings, storage, resource, context)

    def rankings(self, text: str, intent: str = "ask_faq", said_in: str | None = "en", **more: Any) -> list[dict[str, Any]]:
        entities = [{"entity": "language", "value": said_in}] if said_in else []
        message = Message({"text": text, "intent": {"name": intent}, "entities": entities, **more})
        self.ranker.process([message])
        assert (message.as_dict(only_output_properties=True).get("faq") or []) == (message.get("faq") or [])
        return message.get("faq") or []

    def best(self, text: str, **named: Any) -> list[str]:
        return [ranking["entries"][0]["id"] for ranking in self.rankings(text, **named)]


@pytest.fixture
def trained(encoder: Meanings, storage: LocalModelStorage, context: ExecutionContext, folder: Path) -> Trained:
    return Trained(storage, context, folder=str(folder))


def test_entry_is_found_by_what_is_meant_in_other_words(trained: Trained) -> None:
    assert trained.best("my car") == ["parking"]
    assert trained.best("a parcel") == ["shipping"]
    assert trained.best("mi coche", said_in="es") == ["parking"]


def test_ranking_says_of_which_text_and_language_it_is(trained: Trained) -> None:
    (ranking,) = trained.rankings("parking and parcel")
    assert (ranking["text"], ranking["language"]) == ("parking and parcel", "en")
    assert [entry["id"] for entry in ranking["entries"]] == ["parking", "shipping"]
    assert 1 > ranking["entries"][0]["score"] > ranking["entries"][1]["score"] > 0


def test_at_most_the_limit_is_kept(
    encoder: Meanings, storage: LocalModelStorage, context: ExecutionContext, folder: Path
) -> None:
    (ranking,) = Trained(storage, context, folder=str(folder), limit=1).rankings("parking and parcel")
    assert len(ranking["entries"]) == 1


def test_language_that_the_encoder_does_not_know_is_left_to_the_actions(trained: Trained) -> None:
    assert trained.rankings("min bil", said_in="nb") == []


def test_message_without_a_sign_is_ranked_in_the_language_of_the_conversation(trained: Trained) -> None:
    with known_before({"language": "es", "language_hint": "en"}):
        (ranking,) = trained.rankings("parking", said_in=None)
    assert ranking["language"] == "es"


def test_language_of_the_message_counts_before_that_of_the_conversation(trained: Trained) -> None:
    with known_before({"language": "nb"}):
        (ranking,) = trained.rankings("parking", said_in="en")
    assert ranking["language"] == "en"


@pytest.mark.parametrize(("intent", "is_ranked"), [("ask_faq", True), ("nlu_fallback", True), ("track_order", False)])
def test_only_what_may_be_a_question_is_ranked(trained: Trained, intent: str, is_ranked: bool) -> None:
    assert bool(trained.rankings("my car", intent=intent)) is is_ranked


def test_of_two_requests_those_are_ranked_that_are_questions_and_of_two_questions_the_whole_as_well(trained: Trained) -> None:
    def request(intent: str, text: str) -> dict[str, Any]:
        return {"intent": intent, "text": text, "confidence": 0.9}

    both = [request("ask_faq", "my car"), request("ask_faq", "a parcel")]
    texts = ["my car", "a parcel", "my car and a parcel"]
    assert [each["text"] for each in trained.rankings(texts[-1], requests=both)] == texts
    assert trained.best(texts[-1], requests=both)[:2] == ["parking", "shipping"]
    assert [each["text"] for each in trained.rankings("hello, my car", requests=[request("ask_faq", "my car")])] == ["my car"]
    second = [request("track_order", "my order"), request("ask_faq", "a parcel")]
    assert [each["text"] for each in trained.rankings("my order and a parcel", intent="track_order", requests=second)] == [
        "a parcel"
    ]


@pytest.mark.parametrize("text", ["", '/ask_faq{"a": "b"}'])
def test_nothing_written_and_buttons_are_not_ranked(trained: Trained, text: str) -> None:
    assert trained.rankings(text) == []


def test_without_files_nothing_is_ranked(
    encoder: Meanings, storage: LocalModelStorage, context: ExecutionContext, tmp_path: Path
) -> None:
    assert Trained(storage, context, folder=str(tmp_path / "none")).rankings("parking") == []


def test_without_an_encoder_nothing_is_ranked(storage: LocalModelStorage, context: ExecutionContext, folder: Path) -> None:
    assert Trained(storage, context, folder=str(folder), encoder=None).rankings("parking") == []


def test_file_that_cannot_be_read_spoils_no_other(
    encoder: Meanings, storage: LocalModelStorage, context: ExecutionContext, folder: Path
) -> None:
    (folder / "en" / "broken.yml").write_text("language: en\nfaq: [\n", encoding="utf-8")
    (folder / "en" / "words.yml").write_text("language: en\nfiller: nothing\n", encoding="utf-8")
    assert Trained(storage, context, folder=str(folder)).best("my car") == ["parking"]


def test_what_the_classifier_has_encoded_is_not_encoded_again(trained: Trained, encoder: Meanings) -> None:
    faq_ranker.encoder_of("").encode([plain("My CAAAR 10234")])
    encoder.asked.clear()
    assert trained.best("My CAAAR 10234") == ["parking"]
    assert encoder.asked == []


def test_questions_themselves_are_not_encoded(trained: Trained, encoder: Meanings) -> None:
    encoder.asked.clear()
    trained.rankings("Parking here")
    assert encoder.asked == []


def test_model_needs_no_files(trained: Trained, folder: Path) -> None:
    for file in folder.glob("*/*"):
        file.unlink()
    assert trained.best("my car") == ["parking"]
