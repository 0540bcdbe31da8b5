"""What a trained model makes of one message, and what it would do at the beginning of a conversation. Nothing is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain

from bot.first_action import first_action
from bot.language_slots import LANGUAGE_SLOTS, surest_language
from bot.nlu.evidence import evidence
from bot.nlu.faq_ranker import FAQ
from bot.nlu.linear_intent_classifier import LinearIntentClassifier
from bot.processor import TurnProcessor


@dataclass(frozen=True)
class Entity:
    """source: the component that found it, and by what."""

    name: str
    value: str
    text: str
    source: str


@dataclass(frozen=True)
class Explanation:
    """ranking: (intent, probability), the likeliest first. requests: the intents of a message that holds two.

    faq: what FaqRanker found for the texts that may be a question of the FAQ.

    features: words and pieces of words that speak for the likeliest intent (positive) or for the second one, the strongest first.

    action, policy: what would be done first, and who says so. language: (which, how sure the detector is), None: no sign.
    """

    text: str
    language: tuple[str, str] | None
    entities: list[Entity]
    ranking: list[tuple[str, float]]
    requests: list[str]
    action: str
    policy: str
    faq: list[dict[str, Any]] = field(default_factory=list)
    features: list[tuple[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Effect:
    """What one more example would change. probability: that of its intent for it. changed: (text, intent before, intent after) of
    the others that were asked for and would be understood otherwise."""

    probability: float
    changed: list[tuple[str, str, str]]


class Explainer:
    """model: a trained model."""

    def __init__(self, model: Path) -> None:
        self._processor = TurnProcessor(
            model_path=model,
            tracker_store=InMemoryTrackerStore(Domain.empty()),
            lock_store=InMemoryLockStore(),
            generator=TemplatedNaturalLanguageGenerator({}),
        )

    async def explain(self, text: str) -> Explanation:
        parsed = await self._processor.parse_message(UserMessage(text))
        action, policy = first_action(self._processor, parsed)
        entities = parsed["entities"]
        return Explanation(
            text=text,
            language=surest_language(entities),
            entities=[_entity(each, text) for each in entities if each["entity"] not in LANGUAGE_SLOTS],
            ranking=[(each["name"], each["confidence"]) for each in parsed["intent_ranking"]],
            requests=[each["intent"] for each in parsed.get("requests") or []],
            action=action,
            policy=policy,
            faq=parsed.get(FAQ) or [],
            features=self._features(text, [each["name"] for each in parsed["intent_ranking"]]),
        )

    def effect(self, text: str, intent: str, others: Sequence[str]) -> Effect:
        """About what a training would change if the text were an example of the intent. Raises ValueError: no such intent."""
        before = self._classifier.model
        if intent not in before.classes:
            raise ValueError(f"there is no intent {intent} in this model")
        after = self._classifier.with_example(text, intent)
        changed = [
            (other, before.classes[int(was.argmax())], before.classes[int(will_be.argmax())])
            for other, was, will_be in zip(others, before.probabilities(others), after.probabilities(others), strict=True)
            if was.argmax() != will_be.argmax()
        ]
        return Effect(float(after.probabilities([text])[0][before.classes.index(intent)]), changed)

    def _features(self, text: str, ranking: Sequence[str]) -> list[tuple[str, float]]:
        known = [intent for intent in ranking if intent in self._classifier.model.classes]
        return evidence(self._classifier.model, text, *known[:2]) if len(known) > 1 else []

    @cached_property
    def _classifier(self) -> LinearIntentClassifier:
        return next(each for each in self._processor.components if isinstance(each, LinearIntentClassifier))


def _entity(found: dict[str, Any], text: str) -> Entity:
    source = " by ".join(str(each) for each in (found.get("extractor"), found.get("source")) if each)
    return Entity(found["entity"], str(found["value"]), text[found.get("start", 0) : found.get("end", 0)], source)
