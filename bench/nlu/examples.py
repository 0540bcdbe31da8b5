"""What is trained with and what is asked: the project's examples as its importer gives them, and the held-out sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.loading import load_data

from tendero.environment import PROJECT


@dataclass(frozen=True)
class Example:
    text: str
    intent: str
    language: str = ""  # unknown among the examples that are trained with


def training_examples() -> list[Example]:
    files = (str(PROJECT / name) for name in ("config.yml", "domain.yml", "data"))
    config, domain, data = files
    importer = TrainingDataImporter.load_from_config(config, domain, [data])
    return [Example(each.get(TEXT), each.get(INTENT)) for each in importer.get_nlu_data().intent_examples if each.get(TEXT)]


def held_out() -> list[Example]:
    """Those of every language that has some."""
    files = sorted((PROJECT / "tests" / "nlu").glob("*/held_out.yml"))
    return [example for file in files for example in _read(file)]


def _read(file: Path) -> list[Example]:
    return [Example(each.get(TEXT), each.get(INTENT), file.parent.name) for each in load_data(str(file)).intent_examples]
