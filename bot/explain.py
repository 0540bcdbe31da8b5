"""What a trained model makes of one message, and what it would do at the beginning of a conversation. Nothing is done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SessionStarted, UserUttered

from bot.language_slots import LANGUAGE_SLOTS, surest_language
from bot.processor import TurnProcessor
from bot.tracker import ConversationTracker
from bot.turn import CurrentTurn, turn_under_way


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

    action, policy: what would be done first, and who says so. language: (which, how sure the detector is), None: no sign.
    """

    text: str
    language: tuple[str, str] | None
    entities: list[Entity]
    ranking: list[tuple[str, float]]
    requests: list[str]
    action: str
    policy: str


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
        )


def first_action(processor: TurnProcessor, parsed: dict[str, Any]) -> tuple[str, str]:
    """What would be done at the beginning of a conversation, and the policy that says so."""
    tracker = ConversationTracker("explained", processor.domain.slots)
    heard = UserUttered(parsed["text"], parsed["intent"], parsed["entities"], parsed)
    begun = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted(), ActionExecuted(ACTION_LISTEN_NAME)]
    tracker.update_with_events([*begun, heard], processor.domain)
    with turn_under_way(CurrentTurn(owner="bot")):
        action, prediction = processor.predict_next_with_tracker_if_should(tracker)
    return action.name(), str(prediction.policy_name).rpartition("_")[2]


def _entity(found: dict[str, Any], text: str) -> Entity:
    source = " by ".join(str(each) for each in (found.get("extractor"), found.get("source")) if each)
    return Entity(found["entity"], str(found["value"]), text[found.get("start", 0) : found.get("end", 0)], source)
