"""The training examples are read as the project's importer reads them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.loading import load_data

from bench.nlu.examples import Example, folds, training_examples
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
