"""The conversation itself: offers taken up, tasks left, questions explained, misunderstandings, ratings."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecuted, ActiveLoop, FollowupAction, SessionStarted, SlotSet, UserUttered
from rasa_sdk.executor import CollectingDispatcher

from actions import offers
from actions.ads import comes_from_ad, open_topic
from actions.catalog import names_product, narrows, says_size, says_size_or_color, search
from actions.choices import button, folded_words, picked, picked_by_position, tapped
from actions.closing import leave_task, say_failure
from actions.confirmation import SLOT as CONFIRMATION
from actions.confirmation import say_about_old_summary
from actions.elsewhere import offer_begun_elsewhere
from actions.failing import never_silent
from actions.faq import answer_where_one_fits
from actions.handoff import AGAIN, intent_of, note_contact, open_for, pass_on
from actions.identity import AHEAD, contact_in, is_own_contact, left_at_identity, prove_by_code, sign_out
from actions.menu import show_menu
from actions.offers import Next
from actions.order_steps import says_phrase, words_of_message
from actions.pictures import ask_what_it_shows
from actions.reported import claimed, goes_on_with_order, meant_for_order
from actions.skus import SKU
from actions.tasks import ABOUT_ONE_ORDER, FORMS, TASKS
from actions.turn import LISTEN, Turn, turn_of
from actions.vouching import owner_of_number
from actions.words import languages, response_keys
from commerce.models import Customer
from messaging import formats, handoffs, identities, satisfaction
from messaging.models import Handoff
from messaging.satisfaction import SCORES

Events = list[dict[str, Any]]
CERTAIN = 0.45  # confidence from which a request counts that was written beside a card number
TO_CHOICES, TO_A_PERSON = 2, 3  # misunderstandings in a row
LOW = 2  # the score up to which a person is offered
PERSONAL = ("track_order", "request_return", "check_points")  # for what somebody tells who they are
NAMES_AN_ORDER = ("order_number", "tracking_number", "placed_on")
BROWSED = frozenset({TASKS["search_product"], TASKS["ask_faq"]})  # offers of these do nothing but tell
SEEN = "seen"  # among the choices: the one of them that was told last
PATIENCE = 10  # messages within which a second insult counts as anger
# What needs no answer of its own after a recap: the recap is one.
SMALL_TALK = frozenset("greet thank goodbye affirm deny ask_help repeat_that nlu_fallback".split())


class ActionSessionStart(Action):
    """A new conversation, or one after a long pause: the shopper is spoken to in the language of before, or the one on file.

    A question for a rating that has no answer yet stays open.
    """

    def name(self) -> str:
        return "action_session_start"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            # The channel is not known yet.
            customer_id = identities.probable_customer(turn.session, turn.sender_id)
            customer_id = customer_id or owner_of_number(turn.session, turn.sender_id)
            customer = turn.session.get(Customer, customer_id) if customer_id is not None else None
            spoken = customer.language if customer is not None and customer.language in languages() else None
            rated = satisfaction.unanswered(turn.session, turn.sender_id, turn.now)  # also asked by a template, a day later
            known = {"language": turn.slots.get("language"), "language_hint": spoken, "rated_matter": rated}
            if _is_typed(tracker):
                turn.say("utter_greet")
            return [SessionStarted(), *(SlotSet(slot, each) for slot, each in known.items() if each), ActionExecuted(LISTEN)]


def _is_typed(tracker: Tracker) -> bool:
    """Whether a shopper has written "/session_start", rather than Rasa having begun before the first message."""
    heard = [event for event in tracker.events if event.get("event") in ("user", "action")]
    return bool(heard) and heard[-1]["event"] == "user" and intent_of(heard[-1]) == "session_start"


class ActionFollowOffer(Action):
    """A reply outside a form: to an offer, to the question for a rating, or a bare value."""

    def name(self) -> str:
        return "action_follow_offer"

    @never_silent
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
        of_products = any(each["do"] == TASKS["search_product"] for each in offered.values())
        if of_products and narrows(turn) and not turn.tracker.active_loop_name:
            return _go_on(turn, TASKS["search_product"])
        value = _reply_to_offer(turn)
        if value is not None and value in offered:
            return _take_up(turn, value)
        if offers.is_no(value):
            return _decline(turn)
        if turn.is_tap:
            return _leave_old_choice(turn)
        if turn.intent == "correct_choice" and not turn.tracker.active_loop_name and (again := _choose_again(turn)) is not None:
            return again
        if turn.slots.get("newsletter_wish") and turn.entity("email") and not turn.tracker.active_loop_name:
            return _go_on(turn, "action_unsubscribe_newsletter")
        if (again := _same_of_another_order(turn, offered)) is not None:
            return again
        if turn.entity("rma_number") and not turn.tracker.active_loop_name:
            return _go_on(turn, TASKS["refund_status"])
        if (again := _same_of_one_more(turn)) is not None:
            return again
        if any(map(turn.entity, NAMES_AN_ORDER)) and not turn.tracker.active_loop_name:
            return _go_on(turn, TASKS["track_order"])
        if names_product(turn) and not turn.tracker.active_loop_name:
            return _go_on(turn, TASKS["search_product"])
        if (again := _the_last_order(turn)) is not None:
            return again
        if (known := _who_it_is(turn)) is not None:
            return known
        if way_on := goes_on_with_order(turn):
            return way_on
        if turn.intent == "inform" and says_size_or_color(turn) and not turn.tracker.active_loop_name:
            return _go_on(turn, TASKS["search_product"])  # "in XS" as the first thing that is said
        if turn.intent == "affirm" and not turn.tracker.active_loop_name:
            if shown := turn.offered(offers.SLOT):  # "yes" to more than one thing
                turn.say("utter_pick_one", [button(offers.SLOT, option) for option in shown])
            elif not pass_on(turn):
                turn.say("utter_nothing_pending")
            return turn.events
        return _puzzled(turn)


def _the_last_order(turn: Turn) -> Events | None:
    """ "My last order", before anything was asked about it."""
    if turn.tracker.active_loop_name or not says_phrase(words_of_message(turn), turn.label("last_order_words").split("|")):
        return None
    return _go_on(turn, TASKS["track_order"])


def _same_of_one_more(turn: Turn) -> Events | None:
    """ "And 10202?", after the invoice of another order: the same for this one."""
    if turn.entity("order_number") is None or turn.tracker.active_loop_name:
        return None
    words = folded_words(turn.text)
    begins = [folded_words(each) for each in turn.label("and_words").split("|")]
    last = _last_form(turn)
    if last not in ABOUT_ONE_ORDER or not any(words[: len(each)] == each for each in begins):
        return None
    return _go_on(turn, last)


def _last_form(turn: Turn) -> str | None:
    names = (event["name"] for event in reversed(turn.tracker.events) if event.get("event") == "action")
    return next((name for name in names if name in FORMS), None)


def _who_it_is(turn: Turn) -> Events | None:
    """An e-mail, a phone number or a code that no question waits for: what was left at that question goes on, else it is
    kept for what is asked next, and its use is told."""
    if turn.tracker.active_loop_name:
        return None
    contact, code = contact_in(turn), turn.entity("code")
    if code is not None and prove_by_code(turn, code).customer_id is not None:
        return _now_known(turn, "utter_code_accepted")
    if contact is None:
        return _show(turn, "utter_code_unasked") if code is not None else None
    if is_own_contact(turn, contact):
        return _show(turn, "utter_contact_known")
    if (turn.customer is None or "@" not in contact) and note_contact(turn, contact):
        turn.say("utter_handoff_contact_noted", contact=contact)
        return turn.events
    if turn.customer is not None and "@" not in contact:
        return None  # a phone number says nothing about who writes
    if turn.customer is not None:
        sign_out(turn)
        turn.say("utter_identity_other")
    turn.set(AHEAD, contact)
    return _now_known(turn, "utter_contact_unasked")


def _now_known(turn: Turn, response: str) -> Events:
    left = left_at_identity(turn.tracker)
    if left:
        return [*turn.events, FollowupAction(left)]
    return turn.events if offer_begun_elsewhere(turn) else _show(turn, response)


def _show(turn: Turn, response: str) -> Events:
    offers.offer(turn, [offers.next_task(turn, task) for task in PERSONAL], response)
    return turn.events


def _same_of_another_order(turn: Turn, offered: Mapping[str, Any]) -> Events | None:
    """ "10231", after it was refused for another order: it is tried with this one."""
    refused = next((TASKS[each["instead_of"]] for each in offered.values() if each.get("instead_of")), "")
    number = turn.entity("order_number")
    if refused not in ABOUT_ONE_ORDER or number in (None, turn.slots.get("last_order")) or turn.tracker.active_loop_name:
        return None
    return _go_on(turn, refused)


def _reply_to_offer(turn: Turn) -> str | None:
    if turn.is_tap:
        value = tapped(offers.SLOT, turn.entities)
        return value if offers.is_open(turn, value) else None
    if turn.tracker.active_loop_name:
        return None  # words are for the form's question
    return _picked_in_words(turn) or (offers.NO if turn.intent == "deny" else None)


def _picked_in_words(turn: Turn) -> str | None:
    """Of a list that is browsed, once one of it was told: "the second", "no, the other one". A colour is of the one told."""
    shown, seen = turn.offered(offers.SLOT), (turn.slots.get("choices") or {}).get(SEEN)
    positive = [option.value for option in shown if offers.is_yes(option.value)]
    if seen is None and turn.intent == "affirm" and len(positive) == 1:
        return positive[0]
    if seen is None:
        return picked(turn.text, turn.entities, shown)
    others = [value for value in positive if value != seen]
    if turn.intent == "correct_choice" and turn.entity("other") is not None and len(others) == 1:
        return others[0]
    return picked_by_position(turn.text, turn.entities, shown)


def _taken_up(turn: Turn) -> Events | None:
    """Goes on with what the message takes of what is on offer."""
    meant = _reply_to_offer(turn)
    return _take_up(turn, meant) if meant is not None and meant in (turn.slots.get("offers") or {}) else None


def _take_up(turn: Turn, value: str) -> Events:
    """Products and answers may be looked at one after the other: their list stays open. A task ends it."""
    offered = turn.slots["offers"]
    taken, choices = offered[value], turn.slots.get("choices")
    is_browsed = taken["do"] in BROWSED and len(offered) > 1 and turn.offered(offers.SLOT)
    turn.set("offers", offered if is_browsed else None)
    turn.set("choices", {**choices, SEEN: value} if choices and is_browsed else None)
    turn.set("carried", taken["carried"] or None)
    return [*turn.events, FollowupAction(taken["do"])]


def _leave_old_choice(turn: Turn) -> Events:
    """A tap on a button for which nothing waits any more. Within a form its own question follows by itself."""
    shown = turn.offered(offers.SLOT)
    if shown or turn.tracker.active_loop_name:
        turn.say("utter_choice_is_old", [button(offers.SLOT, option) for option in shown])
    else:
        show_menu(turn, "utter_choice_is_old")
    return turn.events


def _choose_again(turn: Turn) -> Events | None:
    """ "No, the other one", where more than one may be meant: what is on offer once more, else the last task's order."""
    if shown := turn.offered(offers.SLOT):
        turn.say("utter_pick_one", [button(offers.SLOT, option) for option in shown])
        return turn.events
    last = _last_form(turn)
    if last not in ABOUT_ONE_ORDER or not turn.slots.get("last_order"):
        return None
    return _go_on(turn, last)


def _decline(turn: Turn) -> Events:
    instead = next((value for value in turn.slots.get("offers") or {} if offers.is_no(value)), None)
    if instead is not None:
        return _take_up(turn, instead)
    turn.set("offers", None)
    turn.set("choices", None)
    turn.set("rated_matter", None)
    if not (offers.go_on_with_second(turn) or offers.offer_suspended(turn)):
        turn.say("utter_anything_else")
    return turn.events


def _score(turn: Turn) -> int | None:
    """The rating in a reply to the question for one: "5", "un cuatro", "excellent, thanks"."""
    if not turn.slots.get("rated_matter") or turn.tracker.active_loop_name:
        return None
    digits = [character for character in turn.entity("rating") or turn.text if character.isdigit()]
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


def _go_on(turn: Turn, action: str) -> Events:
    """With this form or action, and with all that the message says."""
    return [*turn.events, SlotSet("carried", _all_of(turn)), FollowupAction(action)]


def _all_of(turn: Turn) -> dict[str, Any]:
    return {"text": turn.text, "entities": turn.entities}


def _puzzled(turn: Turn) -> Events:
    """Rephrase, then choices, then a person: the third misunderstanding in a row is ours to mend.

    Within a form its own question, which follows by itself, shows the choices.
    """
    misunderstood = 1 + _misunderstandings_before(turn.tracker)
    in_form = bool(turn.tracker.active_loop_name)
    if not in_form and misunderstood < TO_A_PERSON and pass_on(turn):
        return turn.events
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


class ActionMisunderstood(Action):
    def name(self) -> str:
        return "action_misunderstood"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            score = _score(turn)
            if score is not None:
                return _rate(turn, score)
            if taken := _taken_up(turn):
                return taken
            if way_on := goes_on_with_order(turn):
                return way_on
            if answer_where_one_fits(turn):  # a question in words that no intent knows may still be one of the FAQ
                return turn.events
            if way_on := claimed(turn) or meant_for_order(turn):
                return way_on
            if names_product(turn) and not turn.tracker.active_loop_name:
                search(turn)
                return turn.events
            if _is_about_what_it_shows(turn):
                return turn.events
            return _puzzled(turn)


def _is_about_what_it_shows(turn: Turn) -> bool:
    """Words that say nothing by themselves, along with a picture or from an ad: whether these were taken up."""
    if turn.tracker.active_loop_name:
        return False
    if turn.shown.get("files"):
        if not pass_on(turn):
            ask_what_it_shows(turn)
        return True
    if comes_from_ad(turn):
        open_topic(turn)
        return True
    return False


class ActionDefaultFallback(Action):
    """No rule goes on from here. No message leads to it, as each intent has a rule: an action of ours has failed before.

    It ends the turn, since no rule follows it either, and what had begun is left.
    """

    def name(self) -> str:
        return "action_default_fallback"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return [*say_failure(dispatcher, tracker), ActiveLoop(None), FollowupAction(LISTEN)]


class ActionMenu(Action):
    def name(self) -> str:
        return "action_menu"

    @never_silent
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

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            if (score := _score(turn)) is not None:
                return _rate(turn, score)
            if says_size(turn) and not tracker.active_loop_name:
                search(turn)  # "42 takk"
                return turn.events
            turn.say("utter_welcome")
            return turn.events


class ActionAnswerInsult(Action):
    """Calm at the first insult; a second one soon after is anger, and a person is called."""

    def name(self) -> str:
        return "action_answer_insult"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            latest = [intent_of(event) for event in tracker.events if event.get("event") == "user"][-PATIENCE:]
            if latest.count("insult") > 1:
                turn.say("utter_insult_person")
                open_for(turn, "anger")
            else:
                turn.say("utter_insult")
            return turn.events


class ActionAnswerOutOfScope(Action):
    """What the shop cannot know. In answer to a form's question it counts as not understood: the third brings a person."""

    def name(self) -> str:
        return "action_answer_out_of_scope"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            missed = 1 + _misunderstandings_before(tracker)
            if not tracker.active_loop_name:
                if turn.entity(SKU):
                    search(turn)
                elif not pass_on(turn):
                    turn.say("utter_out_of_scope")
                return turn.events
            if missed >= TO_A_PERSON:
                return _puzzled(turn)
            turn.say("utter_out_of_scope")
            return [*turn.events, SlotSet("misunderstood", missed)]


class ActionAnswerSecret(Action):
    """A card number or a password was typed. What was asked for beside it is begun all the same."""

    def name(self) -> str:
        return "action_answer_secret"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            wanted = _wanted_besides(turn)
            if wanted is None:
                turn.say("utter_secret_masked")
                return turn.events
            turn.say("utter_secret_masked_first")
            return _go_on(turn, wanted)


def _wanted_besides(turn: Turn) -> str | None:
    """The form or action that answers the rest of the message; within a form its question is answered first."""
    ranking = turn.tracker.latest_message.get("intent_ranking") or []
    rest = next((each for each in ranking if each["name"] != turn.intent), None)
    if rest is None or rest["confidence"] < CERTAIN or turn.tracker.active_loop_name:
        return None
    return "action_handoff" if rest["name"] == "complaint" else TASKS.get(rest["name"])


class ActionSwitchLanguage(Action):
    """ "In English please": the slot has changed by now. Where it is none of ours, ours are offered."""

    def name(self) -> str:
        return "action_switch_language"

    @never_silent
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

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            if taken := _taken_up(turn):
                return taken  # "cancel", where cancelling an order is on offer
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


class ActionPutAwayTask(Action):
    """Nobody has gone on with the task for a day: it is put away without a word, and a later "hello" begins anew."""

    def name(self) -> str:
        return "action_put_away_task"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            turn.set("suspended_task", None)
            leave_task(turn)
            return [*turn.events, ActiveLoop(None), SlotSet("requested_slot", None)]


class ActionExplainQuestion(Action):
    """ "Why do you ask?": the reason for the question that is open."""

    def name(self) -> str:
        return "action_explain_question"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            specific = f"utter_why_{tracker.get_slot('requested_slot')}"
            turn.say(specific if specific in response_keys() else "utter_why")
            return turn.events


class ActionRepeat(Action):
    """ "Say that again": a form asks its question again by itself; outside one, the last answer is said again."""

    def name(self) -> str:
        return "action_repeat"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        if tracker.active_loop_name:
            return []
        said = _last_answer(tracker)
        for event in said:
            data = event.get("data") or {}
            dispatcher.utter_message(text=event.get("text"), buttons=data.get("buttons"), image=data.get("image"))
        if said:
            return []
        with turn_of(dispatcher, tracker) as turn:  # nothing was said so far
            show_menu(turn, "utter_menu")
            return turn.events


def _last_answer(tracker: Tracker) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    for event in reversed(tracker.events):
        if event.get("event") == "bot":
            said.insert(0, event)
        elif event.get("event") == "user" and said:
            break
    return said


class ActionRecap(Action):
    """A person gave the conversation back: say what it was about, what the person noted, and go on.

    The message that the shopper wrote is handled after it, as if it had come just now; small talk is answered by the recap.
    """

    def name(self) -> str:
        return "action_recap"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            is_answered = turn.intent in SMALL_TALK
            _recap(turn, goes_on=is_answered)
            return [*turn.events, *(_go_on_from_recap(turn) if is_answered else _again(turn))]


class ActionResume(Action):
    """A person gave the conversation back, and the shopper has written nothing since: a recap, and the open question again."""

    def name(self) -> str:
        return "action_resume"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            _recap(turn, goes_on=True)
            return [*turn.events, *_go_on_from_recap(turn)]


def _recap(turn: Turn, goes_on: bool) -> None:
    """goes_on: the conversation goes on from here, else a message of the shopper's is answered after it."""
    form = turn.tracker.active_loop_name
    returned = handoffs.last_given_back(turn.session, turn.sender_id)
    about = _matter(turn, returned) if returned is not None and not form else None
    note = returned.note.strip() if returned is not None else ""
    if form:
        turn.say("utter_recap_task" if goes_on and not note else "utter_recap_task_short", task=_task_title(turn))
    else:
        turn.say("utter_recap" if goes_on and not (about or note) else "utter_recap_short")
    if about:
        task, number = about
        turn.say("utter_recap_about_order" if number else "utter_recap_about", task=task, order_number=number)
    if note:
        turn.say("utter_recap_note", note=note)
    if goes_on and not form and (about or note):
        turn.say("utter_recap_next")


def _go_on_from_recap(turn: Turn) -> Events:
    return [FollowupAction(turn.tracker.active_loop_name or LISTEN)]


def _matter(turn: Turn, returned: Handoff) -> tuple[str, str] | None:
    """What the person was asked for, in words, and the order if one was named; nothing where no task was known."""
    if returned.goal not in TASKS:
        return None
    known = returned.collected
    last_order = known.get("last_order") if TASKS[returned.goal] in ABOUT_ONE_ORDER else None
    return turn.label(f"task_{returned.goal}"), str(known.get("order_number") or last_order or "")


def _again(turn: Turn) -> Events:
    """The same message once more, for the rules to see it after a recap."""
    message = turn.tracker.latest_message
    heard = UserUttered(message.get("text"), dict(message), input_channel=turn.channel)
    return [ActionExecuted(LISTEN), {**heard, "metadata": {**turn.shown, AGAIN: True}}]


def _task_title(turn: Turn) -> str:
    task = FORMS.get(str(turn.tracker.active_loop_name))
    return turn.label(f"task_{task}") if task else ""
