"""Messages that training never saw: how well they are understood, held to `floors.yml`. Writes var/reports/nlu.html."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import yaml
from rapidfuzz import fuzz, process

from bench.nlu.examples import held_out, training_examples
from bench.nlu.measures import SECRET, quality
from tests.conversations.stage import trained_model
from tests.nlu.understanding import ROOT, Parsed, parse_all, topics, write_report

FLOORS: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "nlu" / "floors.yml").read_text(encoding="utf-8"))
LANGUAGES = sorted(FLOORS["accuracy"])
SHORT = {
    "affirm",
    "deny",
    "greet",
    "thank",
    "goodbye",
    "inform",
    "repeat_that",
    "correct_choice",
    "stop_task",
    "ask_why",
    "ask_help",
}
SHORT |= {"bot_challenge", "insult", "switch_language", SECRET}
FEWEST, FEWEST_SHORT, FEWEST_OUTSIDE = 25, 12, 45
ALIKE = 93  # of 100: nearly the same letters


@pytest.fixture(scope="module")
def parsed() -> list[Parsed]:
    found = parse_all(trained_model())
    write_report(found)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_understood(parsed: list[Parsed], language: str) -> None:
    assert quality(parsed)[f"accuracy {language}"] >= FLOORS["accuracy"][language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_topic_is_understood(parsed: list[Parsed], language: str) -> None:
    said = [each for each in topics(parsed) if each.language == language and each.intent != SECRET]
    assert {each.intent: round(each.f1, 2) for each in said if each.f1 < FLOORS["topic F1"]} == {}


def test_what_is_no_matter_of_ours_is_told_so_and_what_is_ours_is_not(parsed: list[Parsed]) -> None:
    found = quality(parsed)
    assert found["out-of-scope recall"] >= FLOORS["out-of-scope recall"]
    assert found["false rejections"] <= FLOORS["false rejections"]


def test_confidence_can_be_believed(parsed: list[Parsed]) -> None:
    assert quality(parsed)["calibration error"] <= FLOORS["calibration error"]


def test_enough_is_held_out() -> None:
    counts = Counter((each.language, each.intent) for each in held_out())
    few = {key: count for key, count in counts.items() if count < _fewest(key[1])}
    assert few == {}
    assert {language for language, _ in counts} == set(LANGUAGES)


def _fewest(intent: str) -> int:
    return FEWEST_OUTSIDE if intent == "out_of_scope" else FEWEST_SHORT if intent in SHORT else FEWEST


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_is_held_out_is_trained_with(language: str) -> None:
    """Of words that anybody would say ("ok", "the second one") nobody is the author."""
    trained = sorted({_plain(each.text) for each in training_examples()})
    for each in (one for one in held_out() if one.language == language and len(_plain(one.text).split()) > 4):
        near = process.extractOne(_plain(each.text), trained, scorer=fuzz.ratio, score_cutoff=ALIKE)
        assert near is None, (each.text, near)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s]", "", text.lower())).strip()
