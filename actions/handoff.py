"""Asking for a person: one record with all that is known, and an honest word about when somebody answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import formats
from actions.shop import time_zone
from actions.turn import Turn, turn_of
from actions.words import data_folder
from messaging import handoffs
from messaging.calendar import Calendar, load_calendar

COLLECTED = tuple(
    (
        "order_number line_id return_items cancel_reason return_reason package return_method refund_to new_variant "
        "new_address new_payment_method problem resolution points last_order"
    ).split()
)
SPEAKERS = {"user": "shopper", "bot": "assistant"}
LONGEST_TRANSCRIPT = 200  # messages
AGAIN = "heard_again"  # metadata of a message that an action has put to the rules a second time


def open_for(turn: Turn, reason: handoffs.Reason, goal: str | None = None, verdict: Mapping[str, Any] | None = None) -> None:
    """Open a handoff (or update the open one) and tell the shopper when a person answers.

    reason: asked, policy, misunderstood, anger or failure.
    """
    who = turn.identity
    opened = handoffs.open_handoff(
        turn.session,
        sender_id=turn.sender_id,
        channel=turn.channel,
        customer_id=who.customer_id,
        language=turn.language,
        reason=reason,
        goal=goal or goal_of(turn),
        collected={slot: turn.slots[slot] for slot in COLLECTED if turn.slots.get(slot) not in (None, "-")},
        tried=_tried(turn.tracker),
        verdict=dict(verdict) if verdict else None,
        transcript=transcript(turn.tracker),
        now=turn.now,
        calendar=support_calendar(),
    )
    _tell(turn, opened)
    if turn.tracker.active_loop_name and reason != "policy":
        turn.say("utter_meanwhile")  # the form asks its question again: it may well be answered before anybody is there


def goal_of(turn: Turn) -> str | None:
    """What the shopper wants: the task under way, else the last request that was understood."""
    from actions.tasks import FORMS, TASKS

    current = turn.slots.get("current_task")
    if current in FORMS:
        return FORMS[current]
    asked = [intent_of(event) for event in turn.tracker.events if event.get("event") == "user"]
    return next((intent for intent in reversed(asked) if intent in TASKS and intent != "human_agent"), None)


def transcript(tracker: Tracker) -> list[dict[str, Any]]:
    """Who said what, when: the newest messages of this conversation, a tapped button by its title."""
    titles: dict[str, str] = {}
    said = []
    for event in tracker.events:
        if event.get("event") not in SPEAKERS or AGAIN in (event.get("metadata") or {}):
            continue
        text = event.get("text") or ""
        titles |= {button["payload"]: button["title"] for button in (event.get("data") or {}).get("buttons") or []}
        by, at = SPEAKERS[event["event"]], event.get("timestamp")
        said.append({"by": by, "text": titles.get(text, text) if by == "shopper" else text, "at": at})
    return said[-LONGEST_TRANSCRIPT:]


@lru_cache(maxsize=1)
def support_calendar() -> Calendar:
    return load_calendar(data_folder() / "policies" / "support.yml", "support")


def _tell(turn: Turn, opened: handoffs.Opened) -> None:
    if opened.already_open:
        turn.say("utter_handoff_already", position=handoffs.position(turn.session, opened.handoff.id) or 1)
    elif opened.is_open_now:
        turn.say("utter_handoff_waiting", minutes=opened.expected_wait_minutes)
    elif opened.next_opening is not None:
        when = opened.next_opening
        local = when.astimezone(support_calendar().time_zone)
        hour = formats.clock_time(when, time_zone(), turn.locale)
        turn.say("utter_handoff_callback", day=turn.day(local.date()), time=hour)


def _tried(tracker: Tracker) -> list[str]:
    """The tasks that the assistant took up, in the order of their first time."""
    from actions.tasks import TASKS

    tasks = {do: task for task, do in TASKS.items() if task not in ("human_agent", "ask_help")}
    names = (event["name"] for event in tracker.events if event.get("event") == "action")
    begun = [tasks[name] for name in names if name in tasks]
    under_way = tasks.get(str(tracker.active_loop_name))
    return list(dict.fromkeys([*begun, *([under_way] if under_way else [])]))


def intent_of(event: Mapping[str, Any]) -> str:
    """The intent of a shopper's message among a tracker's events."""
    return ((event.get("parse_data") or {}).get("intent") or {}).get("name") or ""


class ActionHandoff(Action):
    """A person was asked for."""

    def name(self) -> str:
        return "action_handoff"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            was_offered = turn.carried.get("reason")
            turn.set("carried", None)
            open_for(turn, was_offered or ("anger" if turn.intent == "complaint" else "asked"))
            return turn.events
