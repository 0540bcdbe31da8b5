"""Messages that training never saw: how well they are understood, held to `floors.yml`. Writes var/reports/nlu.html."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from rapidfuzz import fuzz, process

from bench.nlu.examples import held_out, training_examples
from bench.nlu.measures import SECRET
from tests.nlu.findings import FLOORS, TOPIC_FLOOR, Findings, is_held

LANGUAGES = ("en", "es", "nb", "pt")
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


@pytest.mark.parametrize("measure", [name for name in FLOORS if name != TOPIC_FLOOR])
def test_what_is_measured_is_held_to_its_floor(findings: Findings, measure: str) -> None:
    found = findings.measures[measure]
    assert is_held(measure, found), f"{found:.4f}, its floor {FLOORS[measure]}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_topic_is_understood(findings: Findings, language: str) -> None:
    poor = {intent: round(each.f1, 2) for (its, intent), each in findings.poor_topics.items() if its == language}
    assert poor == {}


def test_no_topic_is_significantly_worse_than_the_baseline(findings: Findings) -> None:
    """Where it is, and it has to be: `make nlu-baseline` (CONTRIBUTING)."""
    worse = {(each.language, each.intent): [message.text for message in each.newly_wrong] for each in findings.worse}
    assert worse == {}


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
    asked = {
        _plain(each.text)
        for each in (*held_out(), *held_out("hard"))
        if each.language == language and len(_plain(each.text).split()) > 4
    }
    examples = training_examples()
    assert asked & {_plain(each.text) for each in examples} == set()
    trained = sorted({_plain(each.text) for each in examples if each.language == language})
    for text in sorted(asked):
        near = process.extractOne(text, trained, scorer=fuzz.ratio, score_cutoff=ALIKE)
        assert near is None, (text, near)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s]", "", text.lower())).strip()
