"""The held-out messages, parsed by the whole trained pipeline, and how well each topic is told."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from bench.nlu.examples import Example
from bench.nlu.measures import Prediction

ROOT = Path(__file__).resolve().parents[2]
FALLBACK = "nlu_fallback"

Interval = tuple[float, float]  # for 95%


@dataclass(frozen=True)
class Parsed(Prediction):
    """A message with what was understood of it. runner_up: the second likeliest intent, "" where there is none."""

    text: str
    runner_up: str = ""


def parse(model: Path, texts: Sequence[str]) -> list[dict[str, Any]]:
    """What the pipeline of this model says of each text."""
    from rasa.utils.log_utils import configure_structlog

    from bot.action_call import ActionServer
    from bot.agent import TurnAgent
    from bot.tracker_store import ConversationTrackerStore

    configure_structlog(logging.ERROR)  # a line for each message takes longer than the message
    agent = TurnAgent(ConversationTrackerStore(), ActionServer("http://127.0.0.1:1/webhook", patience=1))  # no action is called
    agent.load_model(str(model))  # as our server does it: Rasa's own way reads the domain for a minute

    async def parse_all() -> list[dict[str, Any]]:
        return [await agent.parse_message(text) for text in texts]

    return asyncio.run(parse_all())


def understood(example: Example, found: dict[str, Any]) -> Parsed:
    named = [each for each in found["intent_ranking"] if each["name"] != FALLBACK] or [{"name": FALLBACK, "confidence": 0.0}]
    runner_up = named[1]["name"] if len(named) > 1 else ""
    return Parsed(example.language, example.intent, named[0]["name"], named[0]["confidence"], example.text, runner_up)


@dataclass(frozen=True)
class Told:
    """How well one thing is told. right: how often rightly; named: how often at all; there: how often it was there."""

    right: int
    named: int
    there: int

    @property
    def precision(self) -> float:
        return self.right / self.named if self.named else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.there if self.there else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.named + self.there)

    @property
    def precision_between(self) -> Interval:
        return wilson(self.right, self.named)

    @property
    def recall_between(self) -> Interval:
        return wilson(self.right, self.there)

    @property
    def f1_between(self) -> Interval:
        """From that of the share s that is right of all that was named or there: F1 is 2s / (1 + s)."""
        low, high = wilson(self.right, self.named + self.there - self.right)
        return 2 * low / (1 + low), 2 * high / (1 + high)

    def to_json(self) -> dict[str, Any]:
        measures = ("precision", "recall", "f1", "precision_between", "recall_between", "f1_between")
        return {**{name: getattr(self, name) for name in measures}, "messages": self.there}


def wilson(right: int, count: int) -> Interval:
    """Wilson's interval, which holds for few messages too."""
    if not count:
        return 0.0, 1.0
    interval = binomtest(right, count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


Topic = tuple[str, str]  # language, intent


def topics(predictions: Sequence[Prediction]) -> dict[Topic, Told]:
    there = Counter((each.language, each.intent) for each in predictions)
    named = Counter((each.language, each.predicted) for each in predictions)
    right = Counter((each.language, each.intent) for each in predictions if each.is_right)
    return {topic: Told(right[topic], named[topic], count) for topic, count in sorted(there.items())}


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
