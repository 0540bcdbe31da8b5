"""What a model would do at the beginning of a conversation. Nothing is done."""

from __future__ import annotations

from typing import Any

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.events import ActionExecuted, SessionStarted, UserUttered

from bot.processor import TurnProcessor
from bot.tracker import ConversationTracker
from bot.turn import CurrentTurn, turn_under_way


def first_action(processor: TurnProcessor, parsed: dict[str, Any]) -> tuple[str, str]:
    """The action that would answer this message, and the policy that says so."""
    tracker = ConversationTracker("explained", processor.domain.slots)
    heard = UserUttered(parsed["text"], parsed["intent"], parsed["entities"], parsed)
    begun = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted(), ActionExecuted(ACTION_LISTEN_NAME)]
    tracker.update_with_events([*begun, heard], processor.domain)
    with turn_under_way(CurrentTurn(owner="bot")):
        action, prediction = processor.predict_next_with_tracker_if_should(tracker)
    return action.name(), str(prediction.policy_name).rpartition("_")[2]
