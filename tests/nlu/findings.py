"""All that a run of `make test-nlu` has found out, and how it is held to `floors.yml` and to the baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from bench.nlu.examples import held_out
from bench.nlu.measures import SECRET, Prediction, quality
from tests.conversations.stage import trained_model
from tests.nlu.baseline import Baseline, Change, changes, significantly_worse
from tests.nlu.cross_validation import cross_validation
from tests.nlu.entities import Marked, marked, told, with_found
from tests.nlu.understanding import ROOT, Parsed, Told, Topic, parse, percent, topics, understood
from tests.nlu.wishes import Wished, wishes, with_requests
from tests.nlu.wishes import told as told_wishes

FLOORS: dict[str, float] = yaml.safe_load((ROOT / "tests" / "nlu" / "floors.yml").read_text(encoding="utf-8"))
TOPIC_FLOOR = "F1 of each topic"
AT_MOST = ("false rejections", "calibration error", "taken for two")  # the smaller, the better


@dataclass(frozen=True)
class Findings:
    parsed: Sequence[Parsed]
    entities: Sequence[Marked]
    cross_validated: Sequence[Prediction]
    before: Baseline
    hard: Sequence[Parsed] = ()
    wishes: Sequence[Wished] = ()

    @cached_property
    def measures(self) -> dict[str, float]:
        """By name, from 0 to 1."""
        by_language = {f"entity F1 {language}": told(its).f1 for language, its in by_languages(self.entities).items()}
        trial = {f"cross-validated {name}": value for name, value in quality(self.cross_validated).items()}
        hard = {f"hard {name}": value for name, value in quality(self.hard).items()} if self.hard else {}
        two = told_wishes(self.wishes) if self.wishes else {}
        return {**quality(self.parsed), **hard, **two, **by_language, **trial}

    @cached_property
    def changes(self) -> list[Change]:
        return changes(self.parsed, self.before)

    @cached_property
    def worse(self) -> list[Change]:
        return significantly_worse(self.changes)

    @property
    def poor_topics(self) -> dict[Topic, Told]:
        """Those below the floor of their F1."""
        judged = {topic: each for topic, each in topics(self.parsed).items() if topic[1] != SECRET}
        return {topic: each for topic, each in judged.items() if each.f1 < FLOORS[TOPIC_FLOOR]}

    @property
    def failures(self) -> list[str]:
        """What is below its floor or has become significantly worse, in words."""
        missed = {name: value for name, value in self.measures.items() if not is_held(name, value)}
        return [
            *(f"{name} is {value:.2%}, its floor {FLOORS[name]:.2%}" for name, value in missed.items()),
            *(f"{topic[1]} ({topic[0]}) has an F1 of {percent(each.f1)}" for topic, each in self.poor_topics.items()),
            *(f"{each.intent} ({each.language}) is significantly worse: {each}" for each in self.worse),
        ]


def find(before: Baseline) -> Findings:
    """Trains where there is no model of the present data; one core cross-validates meanwhile."""
    with cross_validation() as trial:
        examples, hard, messages, wished = held_out(), held_out("hard"), marked(), wishes()
        found = iter(parse(trained_model(), [each.text for each in (*examples, *hard, *messages, *wished)]))
        parsed, harder = ([understood(each, next(found)) for each in part] for part in (examples, hard))
        entities = [with_found(each, next(found)) for each in messages]
        told_of = [with_requests(each, next(found)) for each in wished]
        return Findings(parsed, entities, trial.result(), before, harder, told_of)


def by_languages(messages: Sequence[Any]) -> dict[str, list[Any]]:
    found = defaultdict(list)
    for each in messages:
        found[each.language].append(each)
    return dict(sorted(found.items()))


def is_held(name: str, value: float) -> bool:
    """Whether a measure is where its floor wants it; one without a floor always is."""
    if name not in FLOORS:
        return True
    return value <= FLOORS[name] if name.endswith(AT_MOST) else value >= FLOORS[name]
