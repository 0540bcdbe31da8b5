"""Two opinions about a text: when each is asked, and how sure they are together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bot.nlu import intent_training
from bot.nlu.intent_model import IntentModel, Scales
from bot.nlu.intent_training import train
from bot.nlu.sentence_encoder import Numbers

MEANINGS = {"order": 0, "parcel": 0, "pedido": 0, "refund": 1, "money": 1, "dinero": 1, "hello": 2, "hola": 2}
EXAMPLES = [
    *((f"{word} my order {end}", "track", "en") for word in ("where is", "track", "show") for end in ("now", "please", "today")),
    *((f"{word} refund {end}", "refund", "en") for word in ("where is my", "no", "the") for end in ("now", "please", "today")),
    *((f"hello {word}", "greet", "en") for word in ("you", "there", "friend", "again", "shop")),
]


class Meanings:
    """An encoder that knows a few words, and keeps what it was asked."""

    name = "words"
    languages = frozenset(["en", "es"])

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Numbers:
        self.asked += texts
        rows = np.full((len(texts), 3), 0.1, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[[MEANINGS[word] for word in text.split() if word in MEANINGS]] = 1
        return rows


@pytest.fixture
def encoder() -> Meanings:
    return Meanings()


@pytest.fixture
def model(encoder: Meanings) -> IntentModel:
    trained = train(EXAMPLES, encoder, 1.0, {}, 1.0)
    encoder.asked.clear()
    return trained


def likeliest(model: IntentModel, text: str) -> str:
    return model.classes[int(model.probabilities([text])[0].argmax())]


def test_word_that_was_never_read_is_understood_by_its_meaning(model: IntentModel) -> None:
    assert [likeliest(model, text) for text in ("my pedido", "my dinero", "you hola")] == ["track", "refund", "greet"]


def test_text_of_which_no_word_was_read_is_not_encoded(model: IntentModel, encoder: Meanings) -> None:
    model.probabilities(["qwe asd", "123 ?!"])
    assert encoder.asked == []


def test_words_of_which_none_was_ever_read_are_less_sure_than_one_misspelt(model: IntentModel) -> None:
    misspelt, typed_at_random = model.probabilities(["ordeer", "ordeer ordeer"])
    assert typed_at_random.max() < misspelt.max()


def test_text_in_a_language_that_the_encoder_does_not_know_is_not_encoded(model: IntentModel, encoder: Meanings) -> None:
    model.probabilities(["my pedido"], "nb")
    assert encoder.asked == []


def test_text_in_a_language_that_the_encoder_knows_or_in_an_unknown_one_is_encoded(model: IntentModel, encoder: Meanings) -> None:
    model.probabilities(["my pedido"], "nb")
    model.probabilities(["my pedido"], "es")
    model.probabilities(["my dinero"])
    assert encoder.asked == ["my pedido", "my dinero"]


def test_text_that_words_decide_is_not_encoded(model: IntentModel, encoder: Meanings) -> None:
    model.sure = 0.5
    assert likeliest(model, "where is my order please") == "track"
    assert encoder.asked == []


def test_all_unsure_texts_are_encoded_at_once_and_each_once(model: IntentModel, encoder: Meanings) -> None:
    first, second, again = model.probabilities(["My PEDIDO 10234", "my dinero", "My PEDIDO 10234"])
    assert encoder.asked == ["my pedido 00000", "my dinero"]
    assert (first == again).all()
    assert (first != second).any()


def test_short_text_is_remembered_and_long_one_is_not(model: IntentModel, encoder: Meanings) -> None:
    long = "my and " * 20
    for text in ("my dinero", "my dinero", long, long):
        model.probabilities([text])
    assert encoder.asked == ["my dinero", long, long]


def test_probabilities_add_up_to_one(model: IntentModel) -> None:
    sums = [float(likely.sum()) for likely in model.probabilities(["", "hola", "where is my order", "日本語"])]
    assert sums == pytest.approx([1, 1, 1, 1], abs=1e-5)


def test_odds_make_an_intent_likelier(model: IntentModel) -> None:
    raised = IntentModel(model.words, model.meaning, model.encoder, model.scales, {"greet": 3.0})
    plain, likelier = (dict(zip(each.classes, each.probabilities(["my"])[0], strict=True)) for each in (model, raised))
    assert likelier["greet"] / likelier["track"] == pytest.approx(3 * plain["greet"] / plain["track"], rel=1e-3)


def test_loaded_model_predicts_as_the_trained_one(model: IntentModel, encoder: Meanings, tmp_path: Path) -> None:
    model.save(tmp_path)
    loaded = IntentModel.load(tmp_path, encoder, {}, 1.0)
    assert (loaded.probabilities(["my pedido"])[0] == model.probabilities(["my pedido"])[0]).all()


def test_model_without_encoder_is_of_words_alone(tmp_path: Path) -> None:
    train(EXAMPLES, None, 1.0, {}, 1.0).save(tmp_path)
    loaded = IntentModel.load(tmp_path, None, {}, 1.0)
    assert loaded.meaning is None
    assert likeliest(loaded, "track my order") == "track"


def test_too_few_examples_leave_the_scales_as_usual() -> None:
    assert (
        train([("hello", "greet", None), ("refund", "refund", None), ("order", "track", None)], None, 1.0, {}, 1.0).scales
        == Scales()
    )


def test_examples_in_a_language_that_the_encoder_does_not_know_are_not_encoded(encoder: Meanings) -> None:
    norwegian = [(f"bestilling nummer {number}", "track", "nb") for number in "abcdefgh"]
    unknown = ("anything", "greet", None)
    train([*EXAMPLES, *norwegian, unknown], encoder, 1.0, {}, 1.0)
    assert set(encoder.asked) == {text for text, _, _ in [*EXAMPLES, unknown]}


def test_first_model_of_some_examples_changes_nothing_where_all_are_hard(monkeypatch: pytest.MonkeyPatch) -> None:
    rare = ("bye", "goodbye", "en")  # one example of an intent is among the some, too
    texts = [*(text for text, _, _ in EXAMPLES), "bye"]
    before = train([*EXAMPLES, rare], None, 1.0, {}, 1.0).probabilities(texts)
    monkeypatch.setattr(intent_training, "SOME", 3)
    after = train([*EXAMPLES, rare], None, 1.0, {}, 1.0).probabilities(texts)
    np.testing.assert_allclose(after, before, atol=1e-6)
