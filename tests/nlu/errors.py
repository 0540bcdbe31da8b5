"""Each message that was misunderstood, beside the training examples that are nearest to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from bench.nlu.examples import Example, training_examples
from bench.nlu.measures import SECRET
from tests.nlu.findings import by_languages
from tests.nlu.understanding import Parsed

NEAREST = 2  # examples beside each error


@dataclass(frozen=True)
class Error:
    """nearest: the examples of its language with nearly the same letters, in whichever order of words."""

    message: Parsed
    nearest: tuple[Example, ...]


def errors(parsed: Sequence[Parsed]) -> Iterator[Error]:
    """By language and topic, the surest first. A secret is masked before it is understood: no example explains it."""
    wrong = [each for each in parsed if not each.is_right and each.intent != SECRET]
    trained = by_languages(training_examples())
    sorted_words = {language: [_sorted_words(each.text) for each in its] for language, its in trained.items()}
    for each in sorted(wrong, key=lambda one: (one.language, one.intent, -one.confidence)):
        texts = sorted_words[each.language]
        near = process.extract(_sorted_words(each.text), texts, scorer=fuzz.ratio, limit=NEAREST)
        yield Error(each, tuple(trained[each.language][row] for _, _, row in near))


def _sorted_words(text: str) -> str:
    return " ".join(sorted(text.lower().split()))
