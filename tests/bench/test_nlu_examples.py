"""The training examples are read as the project's importer reads them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.loading import load_data

from bench.nlu.examples import Example, few, folds, training_examples
from bot.importer import faq_questions

DATA = Path(__file__).resolve().parents[2] / "data"


def test_examples_of_a_file_are_those_that_rasa_reads() -> None:
    read = load_data(str(DATA / "nlu" / "nb" / "care.yml")).intent_examples
    ours = {(each.text, each.intent) for each in training_examples() if each.language == "nb"}
    assert read
    assert {(each.get(TEXT), each.get(INTENT)) for each in read} <= ours


def test_every_question_of_the_faq_is_an_example() -> None:
    asked = set(faq_questions(DATA / "faq"))
    assert asked - {(each.language, each.text, each.intent) for each in training_examples()} == set()


def test_folds_share_every_intent_alike_and_no_sentence() -> None:
    examples = [Example(f"{word} {number}", intent, "en") for intent in ("a", "b") for word in "pqrstuvw" for number in (1, 2)]
    parts = folds(examples)
    assert [Counter(each.intent for each in part) for part in parts] == [Counter(a=2, b=2)] * 4
    assert folds(reversed(examples)) == parts


def test_few_are_spread_over_all_and_every_intent_has_its_share() -> None:
    examples = [
        Example(f"{number:03}", intent, language) for intent in ("a", "b") for language in ("en", "nb") for number in range(9)
    ]
    chosen = few([*examples, Example("alone", "c", "en")], 3)
    assert {each.text for each in chosen if each.intent == "a"} == {"000", "003", "006"}
    assert Counter((each.intent, each.language) for each in chosen) == Counter(
        {("a", "en"): 3, ("a", "nb"): 3, ("b", "en"): 3, ("b", "nb"): 3, ("c", "en"): 1}
    )
    assert few(reversed(examples), 3) == few(examples, 3)
