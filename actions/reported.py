"""What an unclear message is about, by what it names: a thing with something wrong, an order, the rest of one."""

from __future__ import annotations

from typing import Any

from rasa_sdk.events import FollowupAction, SlotSet

from actions.choices import folded_words
from actions.tasks import ABOUT_ONE_ORDER, TASKS
from actions.turn import Turn

FEW_WORDS = 8
GOES_ON = (("rest_words", "track_order"), ("others_words", "list_orders"), ("wish_refund_words", "request_return"))
LIKELY = 0.15  # confidence at which one of the tasks about an order is taken for meant, where an order is named


def claimed(turn: Turn) -> list[dict[str, Any]]:
    """The way on to a report, where the message tells of a thing that has something wrong; nothing within a form."""
    is_told = turn.entity("problem") is not None and turn.entity("category") is not None
    return _begun(turn, TASKS["report_problem"]) if is_told and not turn.tracker.active_loop_name else []


def meant_for_order(turn: Turn) -> list[dict[str, Any]]:
    """The way on to the likeliest task about an order, where one is named but no intent is sure; nothing within a form."""
    if turn.entity("order_number") is None or turn.tracker.active_loop_name:
        return []
    ranking = turn.tracker.latest_message.get("intent_ranking") or []
    likely = (TASKS.get(each["name"]) for each in ranking if each["confidence"] >= LIKELY)
    form = next((form for form in likely if form in ABOUT_ONE_ORDER), None)
    return _begun(turn, form) if form else []


def goes_on_with_order(turn: Turn) -> list[dict[str, Any]]:
    """The way on after an order was told: "and the rest?", "and the others?", "I want my money"; nothing within a form."""
    if not turn.slots.get("last_order") or turn.tracker.active_loop_name or len(turn.text.split()) > FEW_WORDS:
        return []
    said = f" {' '.join(folded_words(turn.text))} "
    for key, task in GOES_ON:
        if any(f" {' '.join(folded_words(phrase))} " in said for phrase in turn.label(key).split("|")):
            return _begun(turn, TASKS[task])
    return []


def _begun(turn: Turn, form: str) -> list[dict[str, Any]]:
    carried = {"text": turn.text, "entities": turn.entities}
    return [*turn.events, SlotSet("carried", carried), FollowupAction(form)]
