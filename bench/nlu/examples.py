"""What is trained with and what is asked: the examples of `data/` with their languages, and the held-out sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.loading import load_data

from bot.nlu.folding import shape
from tendero.environment import PROJECT
from tendero.examples import examples_of

FOLDS = 4


@dataclass(frozen=True)
class Example:
    text: str
    intent: str
    language: str


def training_examples(project: Path = PROJECT) -> list[Example]:
    """In a tenth of the importer's time."""
    return [Example(each.text, each.intent, each.language) for each in examples_of(project)]


def few(examples: Iterable[Example], number: int) -> list[Example]:
    """At most so many of each intent and language, evenly from all that are there; always the same."""
    kinds: dict[tuple[str, str], list[Example]] = {}
    for each in sorted(examples, key=lambda each: (each.language, each.intent, each.text)):
        kinds.setdefault((each.language, each.intent), []).append(each)
    return [its[index * len(its) // min(number, len(its))] for its in kinds.values() for index in range(min(number, len(its)))]


def held_out(part: str = "held_out") -> list[Example]:
    """Those of every language that has some. part: `held_out`, or `hard`."""
    files = sorted((PROJECT / "tests" / "nlu").glob(f"*/{part}.yml"))
    return [example for file in files for example in _read(file)]


def folds(examples: Iterable[Example]) -> list[list[Example]]:
    """Four parts of those that differ in more than capitals, accents and digits, each intent alike in all; always the same."""
    different = {(each.intent, shape(each.text)): each for each in sorted(examples, key=lambda each: (each.intent, each.text))}
    in_order = [different[key] for key in sorted(different)]
    return [in_order[fold::FOLDS] for fold in range(FOLDS)]


def _read(file: Path) -> list[Example]:
    return [Example(each.get(TEXT), each.get(INTENT), file.parent.name) for each in load_data(str(file)).intent_examples]
