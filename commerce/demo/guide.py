"""What `tendero demo` prints: who to be, and what to type, in each language that data/demo has a file for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from commerce.demo.personas import PERSONAS, Persona

FOLDER = Path(__file__).parents[2] / "data" / "demo"
ANYONE = "anyone"  # for what needs no name


class GuideError(ValueError):
    """A guide's file names somebody who is not in the demo, or leaves somebody out."""


@dataclass(frozen=True)
class Try:
    """Something to type. `persona` is None where it does not matter who asks."""

    persona: Persona | None
    say: str
    shows: str


@dataclass(frozen=True)
class Guide:
    """`people`: each persona with a sentence about them, those that the language's examples use first."""

    language: str
    heading: str
    before: str
    people: tuple[tuple[Persona, str], ...]
    tries: tuple[Try, ...]


def languages(folder: Path = FOLDER) -> tuple[str, ...]:
    """The languages that there is a guide in."""
    return tuple(sorted(path.stem for path in folder.glob("*.yml")))


def guide(language: str, folder: Path = FOLDER) -> Guide:
    """Raises FileNotFoundError without a file for this language, GuideError where it does not fit the demo."""
    data = YAML(typ="safe").load(folder / f"{language}.yml")
    known = {persona.key: persona for persona in PERSONAS}
    _check(data, set(known), language)
    tries = tuple(Try(known.get(each["as"]), each["say"], each["shows"]) for each in data["try"])
    used = {each.persona for each in tries}
    people = sorted(((known[key], about) for key, about in data["people"].items()), key=lambda each: each[0] not in used)
    return Guide(language, data["heading"], data["before"].strip(), tuple(people), tries)


def _check(data: Any, known: set[str], language: str) -> None:
    named = {each["as"] for each in data["try"]} - {ANYONE}
    if wrong := (named | set(data["people"])) ^ known:
        raise GuideError(f"data/demo/{language}.yml and the demo's people differ in {', '.join(sorted(wrong))}")
