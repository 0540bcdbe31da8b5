"""Why a text is told to be of an intent; and that what is foretold of one more example comes true."""

from __future__ import annotations

import pytest

from bot.nlu.evidence import evidence, with_example
from bot.nlu.intent_model import IntentModel
from bot.nlu.intent_training import Example, train

EXAMPLES: list[Example] = [
    *((f"{word} my order {end}", "track", "en") for word in ("where is", "track", "show") for end in ("now", "please", "today")),
    *((f"{word} refund {end}", "refund", "en") for word in ("where is my", "no", "the") for end in ("now", "please", "today")),
    *((f"{word} there {end}", "greet", "en") for word in ("hello", "hi", "good day") for end in ("you", "shop", "friend")),
]
C = 0.3


def trained(*more: Example) -> IntentModel:
    return train([*EXAMPLES, *more], None, C, {}, 1.0)


def probability(model: IntentModel, text: str, intent: str) -> float:
    return float(model.probabilities([text])[0][model.classes.index(intent)])


def test_words_that_tell_speak_for_their_intent() -> None:
    told = dict(evidence(trained(), "hello, my refund", "refund", "greet"))
    assert told["refund"] > 0 > told["hello"]


@pytest.mark.parametrize(("text", "intent"), [("where is my money please", "refund"), ("no order today", "track")])
def test_what_is_foretold_of_one_more_example_is_near_to_what_a_training_makes_of_it(text: str, intent: str) -> None:
    before, foretold = trained(), with_example(trained(), text, intent, C)
    real = trained((text, intent, "en"))
    assert probability(foretold, text, intent) > probability(before, text, intent)
    assert probability(foretold, text, intent) == pytest.approx(probability(real, text, intent), abs=0.2)


def test_the_model_itself_stays_as_it_is() -> None:
    model = trained()
    weights = model.words.weights.copy()
    with_example(model, "where is my money", "refund", C)
    assert (model.words.weights == weights).all()
