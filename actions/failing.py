"""When an action fails it is said, a person is called, and the task is left: silence would leave the shopper waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop
from rasa_sdk.executor import CollectingDispatcher

logger = logging.getLogger(__name__)

VALIDATES = "validate_"  # how the name of a form's own action begins

Events = list[dict[str, Any]]
Run = Callable[[Any, CollectingDispatcher, Tracker, dict[str, Any]], Events]


def never_silent(run: Run) -> Run:
    """For the `run` of every action that shoppers wait for."""

    @wraps(run)
    def answering(action: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        try:
            return run(action, dispatcher, tracker, domain)
        except Exception:  # whatever it is
            from actions.closing import say_failure  # closing needs handoff, whose action is guarded too

            logger.exception("%s has failed", action.name())
            events = say_failure(dispatcher, tracker)
            is_aside = bool(tracker.active_loop_name) and not action.name().startswith(VALIDATES)
            return [*events, ActiveLoop(None)] if is_aside else events  # a form ends by itself

    return answering
