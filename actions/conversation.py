"""The conversation itself: offers taken up, tasks left, questions explained, misunderstandings, ratings."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecuted, ActiveLoop, FollowupAction, SessionStarted, SlotSet, UserUttered
from rasa_sdk.executor import CollectingDispatcher

from actions import formats, offers
from actions.catalog import names_product, search
from actions.choices import folded_words, picked, tapped
from actions.closing import leave_task
from actions.confirmation import SLOT as CONFIRMATION
from actions.confirmation import say_about_old_summary
from actions.faq import answer_where_one_fits
from actions.handoff import AGAIN, intent_of, open_for
from actions.offers import Next
from actions.tasks import FORMS, TASKS
from actions.turn import LISTEN, Turn, turn_of
from actions.words import languages, response_keys
from commerce.models import Customer
from messaging import handoffs, identities, satisfaction
from messaging.satisfaction import SCORES

Events = list[dict[str, Any]]
TO_CHOICES, TO_A_PERSON = 2, 3  # misunderstandings in a row
LOW = 2  # the score up to which a person is offered
MENU = ("track_order", "request_return", "cancel_order", "check_points", "search_product", "human_agent")
PATIENCE = 10  # messages within which a second insult counts as anger
# What needs no answer of its own after a recap: the recap is one.
SMALL_TALK = frozenset("greet thank goodbye affirm deny ask_help repeat_that nlu_fallback".split())


class ActionSessionStart(Action):
    """A new conversation, or one after a long pause: the shopper is spoken to in the language of before, or the one on file."""

    def name(self) -> str:
        return "action_session_start"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            customer_id = identities.probable_customer(turn.session, turn.sender_id)  # the channel is not known yet
            customer = turn.session.get(Customer, customer_id) if customer_id is not None else None
            spoken = customer.language if customer is not None and customer.language in languages() else None
            known = {"language": turn.slots.get("language"), "language_hint": spoken}
            return [SessionStarted(), *(SlotSet(slot, each) for slot, each in known.items() if each), ActionExecuted(LISTEN)]


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
        if (score := _score(turn)) is not None:
            return _rate(turn, score)
        offered = turn.slots.get("offers") or {}
        value = _reply_to_offer(turn)
        if value in offered:
            return _take_up(turn, offered[value])
        if value == offers.NO:
            return _decline(turn)
        if turn.slots.get("newsletter_wish") and turn.entity("email"):
            return [*turn.events, SlotSet("carried", _all_of(turn)), FollowupAction("action_set_newsletter")]
        if (turn.entity("order_number") or turn.entity("placed_on")) and not turn.tracker.active_loop_name:
            return [*turn.events, SlotSet("carried", _all_of(turn)), FollowupAction(TASKS["track_order"])]
        if names_product(turn) and not turn.tracker.active_loop_name:
            return [*turn.events, SlotSet("carried", _all_of(turn)), FollowupAction(TASKS["search_product"])]
        if turn.intent == "affirm" and not turn.tracker.active_loop_name:
            turn.say("utter_nothing_pending")
            return turn.events
        return _puzzled(turn)


def _reply_to_offer(turn: Turn) -> str | None:
    shown = turn.offered(offers.SLOT)
    if (value := tapped(offers.SLOT, turn.entities)) is not None:
        return value
    if turn.tracker.active_loop_name:
        return None  # words are for the form's question
    if not shown:
        return offers.NO if turn.intent == "deny" else None
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
    if not (offers.offer_queued(turn) or offers.offer_suspended(turn)):
        turn.say("utter_anything_else")
    return turn.events


def _score(turn: Turn) -> int | None:
    """The rating in a reply to the question for one: "5", "un cuatro", "excellent, thanks"."""
    if not turn.slots.get("rated_matter") or turn.tracker.active_loop_name:
        return None
    digits = [character for character in turn.text if character.isdigit()]
    if digits:
        return int(digits[0]) if len(digits) == 1 and digits[0] in "12345" else None
    said = f" {' '.join(folded_words(turn.text))} "
    named = [(len(word), score) for score in SCORES for word in _words_of(turn, score) if f" {word} " in said]
    return max(named)[1] if named else None  # the longest: "not good" is no "good"


def _words_of(turn: Turn, score: int) -> list[str]:
    return [" ".join(folded_words(word)) for word in turn.label(f"rating_{score}").split("|")]


def _rate(turn: Turn, score: int) -> Events:
    satisfaction.answer(turn.session, turn.sender_id, score, "", turn.now)
    turn.set("rated_matter", None)
    if score <= LOW:
        person = Next(TASKS["human_agent"], turn.label("task_human_agent"), {"reason": "anger"})
        offers.offer(turn, [person], "utter_rating_low", decline=True)
    else:
        turn.say("utter_rating_thanks")
    return turn.events


def _all_of(turn: Turn) -> dict[str, Any]:
    return {"text": turn.text, "entities": turn.entities}


def _puzzled(turn: Turn) -> Events:
    """Rephrase, then choices, then a person: the third misunderstanding in a row is ours to mend.

    Within a form its own question, which follows by itself, shows the choices.
    """
    misunderstood = 1 + _misunderstandings_before(turn.tracker)
    in_form = bool(turn.tracker.active_loop_name)
    if misunderstood >= TO_A_PERSON:
        if misunderstood == TO_A_PERSON:
            turn.say("utter_misunderstood_person")
        open_for(turn, "misunderstood")
    elif misunderstood == TO_CHOICES and not in_form:
        show_menu(turn, "utter_misunderstood_choices")
    elif misunderstood == TO_CHOICES:
        turn.say("utter_misunderstood_in_task")
    else:
        turn.say("utter_pick_one" if in_form and turn.slots.get("choices") else "utter_misunderstood")
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
            score = _score(turn)
            if score is not None:
                return _rate(turn, score)
            offered = turn.slots.get("offers") or {}
            if (meant := _reply_to_offer(turn)) in offered:
                return _take_up(turn, offered[meant])
            if answer_where_one_fits(turn):  # a question in words that no intent knows may still be one of the FAQ
                return turn.events
            if names_product(turn) and not turn.tracker.active_loop_name:
                search(turn)
                return turn.events
            return _puzzled(turn)


class ActionDefaultFallback(ActionMisunderstood):
    def name(self) -> str:
        return "action_default_fallback"


class ActionMenu(Action):
    def name(self) -> str:
        return "action_menu"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            if tracker.active_loop_name:
                turn.say("utter_help_in_task", task=_task_title(turn))
            else:
                show_menu(turn, "utter_menu")
            return turn.events


class ActionAnswerThanks(Action):
    """Thanks, which may hold the rating that was asked for: "five, thank you"."""

    def name(self) -> str:
        return "action_answer_thanks"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            if (score := _score(turn)) is not None:
                return _rate(turn, score)
            turn.say("utter_welcome")
            return turn.events


class ActionAnswerInsult(Action):
    """Calm at the first insult; a second one soon after is anger, and a person is called."""

    def name(self) -> str:
        return "action_answer_insult"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            latest = [intent_of(event) for event in tracker.events if event.get("event") == "user"][-PATIENCE:]
            if latest.count("insult") > 1:
                turn.say("utter_insult_person")
                open_for(turn, "anger")
            else:
                turn.say("utter_insult")
            return turn.events


class ActionSwitchLanguage(Action):
    """ "In English please": the slot has changed by now. Where it is none of ours, ours are offered."""

    def name(self) -> str:
        return "action_switch_language"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            if _wanted_language(turn) in languages():
                turn.say("utter_language_switched")
            else:
                turn.say("utter_languages", [_language_button(language) for language in languages()])
            return turn.events


def _wanted_language(turn: Turn) -> str | None:
    """The one asked for; said in English, "I don't speak Spanish" asks for English."""
    refused, spoken = turn.entity("unwanted_language"), turn.entity("language")
    return turn.entity("wanted_language") or (spoken if refused and refused != spoken else None)


def _language_button(language: str) -> dict[str, str]:
    title = formats.language_name(language)
    return {"title": title, "payload": f'/switch_language{{"wanted_language": "{language}"}}'}


class ActionStopTask(Action):
    def name(self) -> str:
        return "action_stop_task"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            offered = turn.slots.get("offers") or {}
            if (meant := _reply_to_offer(turn)) in offered:
                return _take_up(turn, offered[meant])  # "cancel", where cancelling an order is on offer
            waiting = handoffs.open_for(turn.session, turn.sender_id)
            if waiting is not None:
                handoffs.cancel(turn.session, waiting.id, turn.now)
                turn.say("utter_queue_left")
            elif tracker.active_loop_name:
                turn.say("utter_task_left_for_another" if turn.slots.get("suspended_task") else "utter_task_left")
            elif not turn.slots.get("suspended_task"):
                turn.say("utter_anything_else")
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
    """A person gave the conversation back: say where it stands and go on.

    The message that the shopper wrote is handled after it, as if it had come just now; small talk is answered by the recap.
    """

    def name(self) -> str:
        return "action_recap"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            form = tracker.active_loop_name
            if turn.intent not in SMALL_TALK:
                turn.say("utter_recap_task_short" if form else "utter_recap_short", task=_task_title(turn))
                return [*turn.events, *_again(tracker)]
            turn.say("utter_recap_task" if form else "utter_recap", task=_task_title(turn))
            return [*turn.events, FollowupAction(form or LISTEN)]


def _again(tracker: Tracker) -> Events:
    """The same message once more, for the rules to see it after a recap."""
    message = tracker.latest_message
    heard = UserUttered(message.get("text"), dict(message), input_channel=tracker.get_latest_input_channel())
    return [ActionExecuted(LISTEN), {**heard, "metadata": {AGAIN: True}}]


def _task_title(turn: Turn) -> str:
    task = FORMS.get(str(turn.tracker.active_loop_name))
    return turn.label(f"task_{task}") if task else ""
