"""The conversation itself: offers taken up, tasks left, questions explained, misunderstandings, ratings."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import offers
from actions.choices import picked, tapped
from actions.closing import leave_task
from actions.confirmation import SLOT as CONFIRMATION
from actions.confirmation import say_about_old_summary
from actions.handoff import open_for
from actions.tasks import FORMS, TASKS
from actions.turn import Turn, turn_of
from actions.words import response_keys
from messaging import handoffs, satisfaction

Events = list[dict[str, Any]]
TO_CHOICES, TO_A_PERSON = 2, 3  # misunderstandings in a row
MENU = ("track_order", "request_return", "cancel_order", "check_points", "search_product", "human_agent")


class ActionFollowOffer(Action):
    """A reply outside a form: to an offer, to the question for a rating, or a bare value."""

    def name(self) -> str:
        return "action_follow_offer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            return self._follow(turn)

    def _follow(self, turn: Turn) -> Events:
        if (old := tapped(CONFIRMATION, turn.entities)) is not None:
            say_about_old_summary(turn, old)
            return turn.events
        offered = turn.slots.get("offers") or {}
        value = _reply_to_offer(turn)
        if value in offered:
            return _take_up(turn, offered[value])
        if value == offers.NO:
            return _decline(turn)
        if turn.slots.get("rated_matter") and (score := _score(turn)) is not None:
            return _rate(turn, score)
        if turn.entity("order_number"):
            return [*turn.events, SlotSet("carried", _all_of(turn)), FollowupAction(TASKS["track_order"])]
        if turn.tracker.active_loop_name and turn.intent in ("affirm", "deny"):
            turn.say("utter_pick_one")
            return turn.events
        if turn.intent == "affirm":
            turn.say("utter_nothing_pending")
            return turn.events
        return _puzzled(turn)


def _reply_to_offer(turn: Turn) -> str | None:
    shown = turn.offered(offers.SLOT)
    if (value := tapped(offers.SLOT, turn.entities)) is not None:
        return value
    if not shown:
        return offers.NO if turn.intent == "deny" and not turn.tracker.active_loop_name else None
    positive = [option.value for option in shown if option.value != offers.NO]
    if turn.intent == "affirm" and len(positive) == 1:
        return positive[0]
    return picked(turn.text, turn.entities, shown) or (offers.NO if turn.intent == "deny" else None)


def _take_up(turn: Turn, taken: dict[str, Any]) -> Events:
    turn.set("offers", None)
    turn.set("choices", None)
    turn.set("carried", taken["carried"] or None)
    return [*turn.events, FollowupAction(taken["do"])]


def _decline(turn: Turn) -> Events:
    turn.set("offers", None)
    turn.set("choices", None)
    turn.set("rated_matter", None)
    turn.say("utter_anything_else")
    return turn.events


def _score(turn: Turn) -> int | None:
    digits = [character for character in turn.text if character.isdigit()]
    return int(digits[0]) if len(digits) == 1 and "1" <= digits[0] <= "5" else None


def _rate(turn: Turn, score: int) -> Events:
    satisfaction.answer(turn.session, turn.sender_id, score, "", turn.now)
    turn.set("rated_matter", None)
    turn.say("utter_rating_low" if score <= 2 else "utter_rating_thanks")
    return turn.events


def _all_of(turn: Turn) -> dict[str, Any]:
    return {"text": turn.text, "entities": turn.entities}


def _puzzled(turn: Turn) -> Events:
    """Rephrase, then choices, then a person: the third misunderstanding in a row is ours to mend."""
    misunderstood = 1 + _misunderstandings_before(turn.tracker)
    if misunderstood >= TO_A_PERSON:
        turn.say("utter_misunderstood_person")
        open_for(turn, "misunderstood")
    elif misunderstood == TO_CHOICES and not turn.tracker.active_loop_name:
        show_menu(turn, "utter_misunderstood_choices")
    else:
        turn.say("utter_misunderstood")
    return [*turn.events, SlotSet("misunderstood", misunderstood)]


def _misunderstandings_before(tracker: Tracker) -> int:
    """How many messages before this one were not understood, without a break."""
    marks = [
        event.get("value") if event.get("event") == "slot" else None
        for event in reversed(tracker.events)
        if event.get("event") == "user" or (event.get("event") == "slot" and event.get("name") == "misunderstood")
    ]
    # Newest first: this message, then for each misunderstood one its mark and the message.
    rest = marks[1:]
    pairs = zip(rest[::2], rest[1::2], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] is not None and pair[1] is None, pairs))


def show_menu(turn: Turn, response: str) -> None:
    offers.offer(turn, [offers.next_task(turn, task) for task in MENU], response)


class ActionMisunderstood(Action):
    def name(self) -> str:
        return "action_misunderstood"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            return _puzzled(turn)


class ActionDefaultFallback(ActionMisunderstood):
    def name(self) -> str:
        return "action_default_fallback"


class ActionMenu(Action):
    def name(self) -> str:
        return "action_menu"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            show_menu(turn, "utter_menu")
            return turn.events


class ActionStopTask(Action):
    def name(self) -> str:
        return "action_stop_task"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            if (waiting := handoffs.open_for(turn.session, turn.sender_id)) is not None:
                handoffs.cancel(turn.session, waiting.id, turn.now)
            turn.say("utter_task_left" if tracker.active_loop_name else "utter_anything_else")
            leave_task(turn)
            return [*turn.events, ActiveLoop(None), SlotSet("requested_slot", None)]


class ActionExplainQuestion(Action):
    """ "Why do you ask?": the reason for the question that is open."""

    def name(self) -> str:
        return "action_explain_question"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            specific = f"utter_why_{tracker.get_slot('requested_slot')}"
            turn.say(specific if specific in response_keys() else "utter_why")
            return turn.events


class ActionRepeat(Action):
    """ "Say that again": a form asks its question again by itself; outside one, the last answer is said again."""

    def name(self) -> str:
        return "action_repeat"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        if tracker.active_loop_name:
            return []
        for event in _last_answer(tracker):
            data = event.get("data") or {}
            dispatcher.utter_message(text=event.get("text"), buttons=data.get("buttons"), image=data.get("image"))
        return []


def _last_answer(tracker: Tracker) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    for event in reversed(tracker.events):
        if event.get("event") == "bot":
            said.insert(0, event)
        elif event.get("event") == "user" and said:
            break
    return said


class ActionRecap(Action):
    """A person gave the conversation back: say where it stands, and offer to go on."""

    def name(self) -> str:
        return "action_recap"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            task = FORMS.get(str(tracker.active_loop_name))
            turn.say("utter_recap_task" if task else "utter_recap", task=turn.label(f"task_{task}") if task else "")
            return turn.events
