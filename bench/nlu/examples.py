"""What is trained with and what is asked: the project's examples as its importer gives them, and the held-out sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.loading import load_data

from tendero.environment import PROJECT
from tendero.examples import trained_with


@dataclass(frozen=True)
class Example:
    text: str
    intent: str
    language: str


def training_examples() -> list[Example]:
    return [Example(*example) for example in trained_with()]


def held_out() -> list[Example]:
    """Those of every language that has some."""
    files = sorted((PROJECT / "tests" / "nlu").glob("*/held_out.yml"))
    return [example for file in files for example in _read(file)]


def _read(file: Path) -> list[Example]:
    return [Example(each.get(TEXT), each.get(INTENT), file.parent.name) for each in load_data(str(file)).intent_examples]
