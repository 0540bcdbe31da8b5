"""The training examples: enough of each topic in each language, and each of them another sentence, not a template filled in."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from itertools import product

import pytest

from bench.nlu.examples import training_examples
from bench.nlu.measures import OUT_OF_SCOPE, SECRET
from bot.nlu.folding import fold
from tests.nlu.understanding import ROOT, Topic
from tests.nlu.variety import near_duplicates, variety

FEWEST = {"en": 60, "es": 60, "pt": 45, "nb": 30}  # different examples of a topic
FEWEST_OUTSIDE = 400  # of what is no matter of ours, in all languages
FEWEST_SECRETS = 30  # they are masked before anything is classified: the examples only say what the intent is for
# Of 188 topics half have less than 4% of near-duplicates and nine of ten less than 11%; the next after `inform` has 20%.
MOST_ALIKE = 0.25
# Answers to a question are short, and are said alike: "the blue one", "the grey one"; it has up to 36%.
MOST_ALIKE_ANSWERS = 0.40
# Half have more than 0.92; the poorest are the shortest: es `deny` with 0.71, es `greet`, en `correct_choice`.
POOREST = 0.65


@cache
def _topics() -> dict[Topic, list[str]]:
    found = defaultdict(list)
    for each in training_examples():
        found[each.language, each.intent].append(each.text)
    return dict(found)


def test_every_topic_has_enough_different_examples() -> None:
    counts = {topic: len(set(map(fold, texts))) for topic, texts in _topics().items()}
    needed = {topic: FEWEST_SECRETS if topic[1] == SECRET else FEWEST[topic[0]] for topic in counts}
    assert {topic: count for topic, count in counts.items() if count < needed[topic]} == {}


def test_every_language_has_every_topic() -> None:
    intents = {intent for _, intent in _topics()}
    assert set(product(FEWEST, intents)) - set(_topics()) == set()


def test_every_topic_has_its_line_in_the_guide_for_those_who_write_examples() -> None:
    guide = (ROOT / "docs" / "intents.md").read_text(encoding="utf-8")
    first_cells = " ".join(line.split("|")[1] for line in guide.splitlines() if line.startswith("| `"))
    assert {intent for _, intent in _topics()} == set(re.findall(r"`(\w+)`", first_cells))


def test_there_is_enough_that_is_no_matter_of_ours() -> None:
    outside = {fold(text) for (_, intent), texts in _topics().items() if intent == OUT_OF_SCOPE for text in texts}
    assert len(outside) >= FEWEST_OUTSIDE


def test_no_topic_is_full_of_near_duplicates() -> None:
    shares = {topic: round(near_duplicates(texts), 2) for topic, texts in _topics().items()}
    most = {topic: MOST_ALIKE_ANSWERS if topic[1] == "inform" else MOST_ALIKE for topic in shares}
    assert {topic: share for topic, share in shares.items() if share > most[topic]} == {}


def test_every_topic_is_said_in_many_ways() -> None:
    found = {topic: round(variety(texts), 2) for topic, texts in _topics().items()}
    assert {topic: value for topic, value in found.items() if value < POOREST} == {}


TEMPLATES = [
    f"{start} {thing} {end}"
    for start, thing, end in product(
        ("I want to return", "can I return", "please take back"),
        ("the shirt", "the blue dress", "my black boots", "the bag", "a belt"),
        ("from order 10234", "from order 10318", "in size M", "in size XL", ""),
    )
]


def test_templates_filled_in_are_found_out() -> None:
    """75 sentences, all different, that are three."""
    assert len(set(TEMPLATES)) == 75
    assert near_duplicates(TEMPLATES) > MOST_ALIKE_ANSWERS
    assert variety(TEMPLATES) < POOREST


def test_templates_amid_real_examples_are_found_out() -> None:
    real = _topics()["en", "request_return"]
    assert near_duplicates(real[:75]) <= MOST_ALIKE < near_duplicates([*real[:75], *TEMPLATES])


@pytest.mark.parametrize(
    "other", ["la azul en talla M del pedido 10318", "LA ROJA en talla xl del pedido #20.411", "la negra en talla s del pedido 7"]
)
def test_other_words_in_a_slot_make_no_other_example(other: str) -> None:
    assert near_duplicates(["la verde en talla L del pedido 10234", other]) == 1


def test_larger_topic_is_not_poorer_for_being_large() -> None:
    real = _topics()["en", "track_order"]
    assert variety(real[::2]) == pytest.approx(variety(real), abs=0.03)
