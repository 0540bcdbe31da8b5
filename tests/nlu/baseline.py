"""What was understood when the data was last committed, message by message, and what has become of it: `tests/nlu/baseline.yml`.

    make nlu-baseline        writes it anew, with the present data

A message is known by a short hash. Only those that were held out then and still are get compared: adding hard ones makes nothing
worse.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from scipy.stats import binomtest

from tests.nlu.understanding import ROOT, Parsed, Topic

FILE = ROOT / "tests" / "nlu" / "baseline.yml"
HEAD = "# What was understood when this was written, by `make nlu-baseline` (CONTRIBUTING says when). Not to be edited.\n"
ALL = "all"  # languages
SURE = 0.05  # how likely a false alarm is, of all topics together


@dataclass(frozen=True)
class Baseline:
    """measures: by name. held_out, wrong: the hashes of each topic's messages."""

    measures: Mapping[str, float] = field(default_factory=dict)
    held_out: Mapping[Topic, frozenset[str]] = field(default_factory=dict)
    wrong: Mapping[Topic, frozenset[str]] = field(default_factory=dict)


def baseline_of(parsed: Sequence[Parsed], measures: Mapping[str, float]) -> Baseline:
    return Baseline(
        {name: round(value, 4) for name, value in measures.items()},
        _hashes(parsed),
        _hashes(each for each in parsed if not each.is_right),
    )


def _hashes(parsed: Iterable[Parsed]) -> dict[Topic, frozenset[str]]:
    found: dict[Topic, set[str]] = defaultdict(set)
    for each in parsed:
        found[each.language, each.intent].add(_hash(each))
    return {topic: frozenset(hashes) for topic, hashes in found.items()}


def _hash(message: Parsed) -> str:
    return hashlib.blake2b(message.text.encode(), digest_size=4).hexdigest()


def write(baseline: Baseline, file: Path = FILE) -> None:
    """The same baseline gives the same file; what is understood differently changes one short line of it."""
    topics: dict[str, dict[str, Any]] = defaultdict(dict)
    for (language, intent), hashes in baseline.held_out.items():
        wrong = baseline.wrong.get((language, intent), frozenset())
        topics[language][intent] = {"held_out": sorted(hashes), "wrong": sorted(wrong)}
    measures = yaml.safe_dump({"measures": dict(baseline.measures)}, sort_keys=False)
    listed = yaml.safe_dump({"topics": dict(topics)}, default_flow_style=None, width=10_000)
    file.write_text(HEAD + measures + listed, encoding="utf-8")


def read(file: Path = FILE) -> Baseline:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    topics = {(language, intent): each for language, its in content["topics"].items() for intent, each in its.items()}
    return Baseline(
        content["measures"],
        {topic: frozenset(each["held_out"]) for topic, each in topics.items()},
        {topic: frozenset(each["wrong"]) for topic, each in topics.items()},
    )


@dataclass(frozen=True)
class Change:
    """What became of a topic. language: one, or `ALL`."""

    language: str
    intent: str
    newly_wrong: tuple[Parsed, ...]
    newly_right: tuple[Parsed, ...]

    def __str__(self) -> str:
        return f"{len(self.newly_wrong)} newly wrong, {len(self.newly_right)} newly right"

    @property
    def changed(self) -> int:
        return len(self.newly_wrong) + len(self.newly_right)

    @property
    def chance(self) -> float:
        """That so many of the changed messages became wrong by mere chance: McNemar's exact test, one-sided."""
        return float(binomtest(len(self.newly_wrong), self.changed, alternative="greater").pvalue) if self.changed else 1.0


def changes(parsed: Sequence[Parsed], before: Baseline) -> list[Change]:
    """Of each topic in each language, and of each intent over all languages, where anything has changed."""
    became: dict[Topic, tuple[list[Parsed], list[Parsed]]] = defaultdict(lambda: ([], []))
    for each in parsed:
        topic = (each.language, each.intent)
        was_right = _hash(each) not in before.wrong.get(topic, ())
        if _hash(each) in before.held_out.get(topic, ()) and was_right != each.is_right:
            for key in (topic, (ALL, each.intent)):
                became[key][each.is_right].append(each)
    return [Change(*topic, tuple(wrong), tuple(right)) for topic, (wrong, right) in sorted(became.items())]


def significantly_worse(changed: Sequence[Change]) -> list[Change]:
    """Those that chance hardly explains, however many topics there are.

    Tarone's correction (Biometrics 46, 1990): as Bonferroni's, but a topic of which so few messages changed that it could not be
    significant does not count among those that are tested. With 200 topics of 30 messages Bonferroni would ask for 12 messages
    lost of 30; here 6 are enough if nothing else has changed, and all topics together still give one false alarm in twenty.
    """
    tested = next(number for number in count(1) if sum(_least_chance(each) <= SURE / number for each in changed) <= number)
    return [each for each in changed if each.chance <= SURE / tested]


def _least_chance(change: Change) -> float:
    """If all that changed had become wrong."""
    return 0.5**change.changed
