"""When an action fails it is said, a person is called, and the task is left: silence would leave the shopper waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.exc import DBAPIError

from actions.call import call_under_way

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
        except DBAPIError:
            if call_under_way() is not None:
                raise  # whoever called may try again, and says it in words if that does not help
            return _say_failure(action, dispatcher, tracker)
        except Exception:  # whatever else it is
            return _say_failure(action, dispatcher, tracker)

    return answering


def _say_failure(action: Any, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
    from actions.closing import say_failure  # closing needs handoff, whose action is guarded too

    logger.exception("%s has failed", action.name())
    events = say_failure(dispatcher, tracker)
    is_aside = bool(tracker.active_loop_name) and not action.name().startswith(VALIDATES)
    return [*events, ActiveLoop(None)] if is_aside else events  # a form ends by itself
