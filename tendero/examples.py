"""What is trained with: the examples of `data/nlu` and the questions of `data/faq`, read in a fraction of a second."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tendero.environment import PROJECT

FAQ_INTENT = "ask_faq"


class Example(NamedTuple):
    """entry: the id in the FAQ, where it is a question of one; its intent is the request that it is taken for."""

    text: str
    intent: str
    language: str
    entry: str = ""

    @property
    def place(self) -> str:
        """What a designer assigns a message to: the intent, or `ask_faq/<id>`."""
        return f"{FAQ_INTENT}/{self.entry}" if self.entry else self.intent


def examples_of(project: Path = PROJECT) -> list[Example]:
    """All of them, by file. Files that cannot be read as YAML are `tendero validate`'s to tell: they raise."""
    data = project / "data"
    asked = (each for file in sorted((data / "nlu").glob("*/*.yml")) for each in _taught(file))
    return [*asked, *(each for file in sorted((data / "faq").glob("*/*.yml")) for each in _questions(file))]


@cache
def trained_with() -> tuple[tuple[str, str, str], ...]:
    """(text, intent, language) of each, none twice, as the project's importer gives them; read once."""
    return tuple(dict.fromkeys((each.text, each.intent, each.language) for each in examples_of()))


def read_designers(file: Path) -> dict[str, Any]:
    """What is in a file that designers edit."""
    content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return content if isinstance(content, dict) else {}


def _taught(file: Path) -> Iterator[Example]:
    from rasa.shared.nlu.training_data.entities_parser import replace_entities

    for each in read_designers(file).get("nlu") or []:
        said = each.get("examples") if "intent" in each else None
        lines = [line[1:] for line in said.splitlines() if line.startswith("-")] if isinstance(said, str) else said or []
        texts = (line.get("text", "") if isinstance(line, dict) else str(line) for line in lines)
        yield from (Example(replace_entities(text.strip()), each["intent"], file.parent.name) for text in texts if text.strip())


def _questions(file: Path) -> Iterator[Example]:
    for entry in read_designers(file).get("faq") or []:
        for question in (entry["question"], *(entry.get("asked_as") or [])):
            yield Example(question, entry.get("intent") or FAQ_INTENT, file.parent.name, entry["id"])
