"""What stands in one message beside something else: two questions, two things that are looked for, a wish beside small talk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from actions.faq import are_two, find
from bench.nlu.examples import training_examples
from bot.nlu.folding import shape
from tests.conversations.stage import trained_model
from tests.nlu.understanding import ROOT, parse

Message = dict[str, Any]  # as `beside.yml` has it, with its `language`, and what was `found`


@pytest.fixture(scope="module")
def messages() -> dict[str, list[Message]]:
    """By kind."""
    kinds: dict[str, list[Message]] = {}
    for file in sorted((ROOT / "tests" / "nlu").glob("*/beside.yml")):
        for kind, listed in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            kinds.setdefault(kind, []).extend({**each, "language": file.parent.name} for each in listed)
    every = [each for listed in kinds.values() for each in listed]
    for each, found in zip(every, parse(trained_model(), [each["text"] for each in every]), strict=True):
        each["found"] = found
    return kinds


def requests(message: Message) -> list[tuple[str, str]]:
    return [(each["intent"], each["text"]) for each in message["found"].get("requests") or ()]


def answered(message: Message) -> list[list[str]]:
    """The entries that answer each of its two questions; empty: it is taken for one."""
    texts, rankings = [text for intent, text in requests(message) if intent == "ask_faq"], message["found"].get("faq") or []
    if len(texts) != 2 or not are_two(texts, message["language"], rankings):
        return []
    return [[entry.id for entry in find(text, message["language"], rankings).answers] for text in texts]


def looks_for_two(message: Message) -> bool:
    return [intent for intent, _ in requests(message)] == ["search_product"] * 2


def share(messages: Sequence[Message], holds: Sequence[bool]) -> float:
    return sum(holds) / len(messages)


def test_of_two_questions_both_are_answered(messages: dict[str, list[Message]]) -> None:
    asked = messages["questions"]
    both = [
        all(want in ids for want, ids in zip(each["faq"], answered(each), strict=False)) and bool(answered(each))
        for each in asked
    ]
    assert share(asked, both) >= 0.25
    assert sum(both) >= 0.75 * sum(bool(answered(each)) for each in asked)


def test_one_question_is_hardly_ever_answered_by_two_entries(messages: dict[str, list[Message]]) -> None:
    split = [each for each in messages["one_question"] if answered(each)]
    assert len(split) <= 0.04 * len(messages["one_question"])
    assert [each["text"] for each in split if not any(each["faq"] in ids for ids in answered(each))] == []


def test_two_things_are_both_looked_for(messages: dict[str, list[Message]]) -> None:
    assert share(messages["products"], [looks_for_two(each) for each in messages["products"]]) >= 0.35


def test_one_thing_is_hardly_ever_looked_for_as_two(messages: dict[str, list[Message]]) -> None:
    assert share(messages["one_product"], [looks_for_two(each) for each in messages["one_product"]]) <= 0.04


@pytest.mark.parametrize(("kind", "floor"), [("wishes", 0.93), ("small_talk", 0.9)])
def test_small_talk_hides_no_wish_and_is_none(messages: dict[str, list[Message]], kind: str, floor: float) -> None:
    right = [each["found"]["intent"]["name"] == each["intent"] for each in messages[kind]]
    assert share(messages[kind], right) >= floor


def test_none_of_them_is_an_example(messages: dict[str, list[Message]]) -> None:
    known = {shape(each.text) for each in training_examples()}
    assert [each["text"] for listed in messages.values() for each in listed if shape(each["text"]) in known] == []
