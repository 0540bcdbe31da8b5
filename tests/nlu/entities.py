"""The entities that the pipeline finds in messages of `<lang>/entities.yml`, beside those that people marked in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from rasa.shared.nlu.training_data.entities_parser import find_entities_in_training_example, replace_entities

from tests.nlu.understanding import ROOT, Told

# Found by others than the patterns and tested there; goods are marked, and not judged yet.
NOT_JUDGED = frozenset("language language_hint device_language secret choice rating product brand city".split())

Entity = tuple[str, str]  # entity, canonical value


@dataclass(frozen=True)
class Marked:
    """A message with the entities that are in it, as people marked them, and as they were found."""

    language: str
    text: str
    wanted: frozenset[Entity]
    found: frozenset[Entity] = frozenset()

    @property
    def missed(self) -> list[Entity]:
        return sorted(self.wanted - self.found)

    @property
    def invented(self) -> list[Entity]:
        return sorted(self.found - self.wanted)


def marked() -> list[Marked]:
    """The messages of every language that are judged."""
    return [
        _marked(file.parent.name, message)
        for file in sorted((ROOT / "tests" / "nlu").glob("*/entities.yml"))
        for message in yaml.safe_load(file.read_text(encoding="utf-8"))["messages"]
    ]


def _marked(language: str, message: str) -> Marked:
    return Marked(language, replace_entities(message), _entities(find_entities_in_training_example(message)))


def with_found(message: Marked, found: dict[str, Any]) -> Marked:
    return Marked(message.language, message.text, message.wanted, _entities(found["entities"]))


def _entities(found: Iterable[dict[str, Any]]) -> frozenset[Entity]:
    return frozenset((each["entity"], str(each["value"])) for each in found if each["entity"] not in NOT_JUDGED)


def told(messages: Sequence[Marked]) -> Told:
    """An entity counts once a message, however often it is said there."""
    return Told(
        sum(len(each.wanted & each.found) for each in messages),
        sum(len(each.found) for each in messages),
        sum(len(each.wanted) for each in messages),
    )


def kinds(messages: Sequence[Marked]) -> dict[str, Told]:
    """How well each kind of entity is told."""
    right = Counter(kind for each in messages for kind, _ in each.wanted & each.found)
    named = Counter(kind for each in messages for kind, _ in each.found)
    there = Counter(kind for each in messages for kind, _ in each.wanted)
    return {kind: Told(right[kind], named[kind], there[kind]) for kind in sorted({*named, *there})}
