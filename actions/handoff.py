"""Asking for a person: one record with all that is known, and an honest word about when somebody answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.choices import folded_words
from actions.failing import never_silent
from actions.offers import answer_second
from actions.provenance import Said, sources
from actions.turn import SIGNED_IN, Turn, turn_of
from actions.words import data_folder
from messaging import codes, file_references, formats, handoffs
from messaging.calendar import Calendar, kept_calendar
from messaging.masking import CODE_MARK

COLLECTED = tuple(
    (
        "order_number line_id return_items cancel_reason return_reason package return_method refund_to new_variant "
        "new_address new_payment_method problem resolution points last_order"
    ).split()
)
FILES, AD = "files", "ad"  # among what was collected
DAYS_OF_FILES, MOST_FILES = timedelta(days=3), 20
CONTACT = "contact"  # among what was collected: where somebody whom nobody knows wants to be reached
SPEAKERS = {"user": "shopper", "bot": "assistant"}
LONGEST_TRANSCRIPT = 200  # messages
SHARED = re.compile(r"/share_(\w+)$")
WORDS = "words"  # metadata of a message that the channel has told as a command: what was written
AGAIN = "heard_again"  # metadata of a message that an action has put to the rules a second time


def open_for(turn: Turn, reason: handoffs.Reason, goal: str | None = None, verdict: Mapping[str, Any] | None = None) -> None:
    """Open a handoff (or update the open one) and tell the shopper when a person answers.

    reason: asked, policy, misunderstood, anger or failure.
    """
    _tell(turn, _opened(turn, reason, goal, verdict), reason)


def _opened(
    turn: Turn, reason: handoffs.Reason, goal: str | None = None, verdict: Mapping[str, Any] | None = None
) -> handoffs.Opened:
    who, collected = turn.identity, _collected(turn)
    return handoffs.open_handoff(
        turn.session,
        sender_id=turn.sender_id,
        channel=turn.channel,
        customer_id=who.customer_id,
        language=turn.language,
        reason=reason,
        goal=goal or goal_of(turn),
        collected=collected,
        sources=_sources(turn, collected),
        tried=_tried(turn.tracker),
        verdict=dict(verdict) if verdict else None,
        transcript=transcript(turn.tracker),
        now=turn.now,
        calendar=support_calendar(),
    )


def _collected(turn: Turn) -> dict[str, Any]:
    """What the task knows; the files that came in of late from who is asking, and the ad that the shopper came from."""
    known = {slot: turn.slots[slot] for slot in COLLECTED if turn.slots.get(slot) not in (None, "-")}
    begin = turn.since_nobody_else(turn.now - DAYS_OF_FILES)
    files = file_references.since(turn.session, turn.sender_id, begin, file_references.KINDS, MOST_FILES)
    if files:
        known[FILES] = [{"file": file_references.reference(each), "kind": each.kind, "name": each.file_name} for each in files]
    return {**known, AD: ad} if (ad := turn.slots.get(AD)) else known


def _sources(turn: Turn, collected: Mapping[str, Any]) -> dict[str, Any]:
    """Where what the task knows came from; what came as files was sent by the shopper, and says so itself."""
    said = (each for each in _told(turn.tracker) if each.event["event"] == "user")
    slots = [name for name in collected if name in COLLECTED]
    return sources(slots, [*turn.tracker.events, *turn.events], said)


def goal_of(turn: Turn) -> str | None:
    """What the shopper wants: the task under way, else the last request that was understood."""
    from actions.tasks import FORMS, TASKS

    current = turn.slots.get("current_task")
    if current in FORMS:
        return FORMS[current]
    asked = [intent_of(event) for event in turn.tracker.events if event.get("event") == "user"]
    return next((intent for intent in reversed(asked) if intent in TASKS and intent != "human_agent"), None)


def transcript(tracker: Tracker) -> list[dict[str, Any]]:
    """Who said what, when: the newest messages of this conversation, a tapped button by its title, one-time codes masked."""
    told = (
        {"by": SPEAKERS[each.event["event"]], "text": each.words, "at": each.event.get("timestamp")} for each in _told(tracker)
    )
    return list(told)[-LONGEST_TRANSCRIPT:]


def _told(tracker: Tracker) -> Iterator[Said]:
    """Every message as people read it."""
    titles = {f"/{SIGNED_IN}": "[signed in]"}
    asked_slot = None
    for event in tracker.events:
        if event.get("event") == "slot" and event.get("name") == "requested_slot":
            asked_slot = event.get("value")
        if event.get("event") not in SPEAKERS or AGAIN in (event.get("metadata") or {}):
            continue
        text = event.get("text") or ""
        titles |= {button["payload"]: button["title"] for button in (event.get("data") or {}).get("buttons") or []}
        if event["event"] == "user":
            text = (
                (event.get("metadata") or {}).get(WORDS) or titles.get(text) or _without_codes(text, event, asked_slot == "code")
            )
            text = _shared_in_words(text, event)
        yield Said(event, text, asked_slot)


def _shared_in_words(text: str, event: Mapping[str, Any]) -> str:
    """For the person who reads it, what was shared: "[picture] it came torn", "[location] 19.42, -99.16"."""
    shared = event.get("metadata") or {}
    command = SHARED.match(text)
    kinds = (
        [command[1]] if command else ["picture" if each.get("kind") == "image" else each.get("kind") for each in _files(shared)]
    )
    facts = [str(shared[name]) for name in ("location", "cart", "contacts") if shared.get(name)] if command else [text]
    return " ".join([*(f"[{kind}]" for kind in kinds), *facts])


def _files(shared: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in shared.get("files") or () if isinstance(each, Mapping)]


def _without_codes(text: str, event: Mapping[str, Any], was_asked: bool) -> str:
    """The message without the codes that were understood in it; as an answer to the question for one, without any six digits."""
    entities = (event.get("parse_data") or {}).get("entities") or []
    for code in (str(entity.get("value")) for entity in entities if entity.get("entity") == "code"):
        text = text.replace(code, CODE_MARK)
    return codes.without_codes(text) if was_asked else text


def support_calendar() -> Calendar:
    return kept_calendar(data_folder() / "policies" / "support.yml")


def note_contact(turn: Turn, contact: str) -> bool:
    """Keep where the shopper can be reached, if a person is to write to them."""
    handoff = handoffs.open_for(turn.session, turn.sender_id)
    if handoff is None:
        return False
    handoff.collected = {**handoff.collected, CONTACT: contact}
    handoff.sources = {**handoff.sources, CONTACT: {"from": "said", "text": contact, "at": turn.now.isoformat()}}
    return True


def asks_for_the_wait(turn: Turn) -> bool:
    """ "How long do I have to wait?": who waits for a person means that."""
    said = f" {' '.join(folded_words(turn.text))} "
    return any(f" {' '.join(folded_words(words))} " in said for words in turn.label("wait_words").split("|"))


def pass_on(turn: Turn) -> bool:
    """Whether somebody waits for a person already: what they have written since is passed on, and they are told so."""
    handoff = handoffs.open_for(turn.session, turn.sender_id)
    if handoff is None:
        return False
    knows_when = handoffs.knows_when(turn.session, handoff) and not asks_for_the_wait(turn)
    opened = _opened(turn, handoff.reason, handoff.goal)
    if opened.next_opening is not None and knows_when:
        turn.say("utter_wait_noted")  # nobody is there: the same notice again would say nothing new
    else:
        _tell(turn, opened, handoff.reason)
    return True


def _tell(turn: Turn, opened: handoffs.Opened, reason: handoffs.Reason) -> None:
    _tell_when(turn, opened)
    if turn.tracker.active_loop_name and reason not in ("policy", "failure"):
        turn.say("utter_meanwhile")  # the form asks its question again: it may well be answered before anybody is there


def _tell_when(turn: Turn, opened: handoffs.Opened) -> None:
    position = handoffs.position(turn.session, opened.handoff.id) or 1
    if opened.next_opening is not None:
        _tell_callback(turn, opened, opened.next_opening)
        handoffs.note_told(turn.session, opened.handoff, turn.now)
    elif opened.already_open:
        turn.say("utter_handoff_already", position=position)
    elif opened.is_open_now:
        minutes = _wait(opened, position)
        turn.say("utter_handoff_waiting", minutes=minutes)
        handoffs.note_told(turn.session, opened.handoff, turn.now, position=position, minutes=minutes)
    else:
        turn.say("utter_wait_noted")  # it never opens, by the hours that we know


def _wait(opened: handoffs.Opened, position: int) -> int:
    """The usual minutes, and some more for each who asked before."""
    return (opened.expected_wait_minutes or 0) + (position - 1) * support_calendar().wait_for_each_before


def _tell_callback(turn: Turn, opened: handoffs.Opened, when: datetime) -> None:
    """When, by whose clock, and where: who can be reached nowhere is asked for an e-mail or a phone number."""
    calendar, customer = support_calendar(), turn.customer
    contact = opened.handoff.collected.get(CONTACT) or (customer and (customer.email or customer.phone))
    words: dict[str, Any] = {
        "day": turn.day(when.astimezone(calendar.time_zone).date()),
        "time": formats.clock_time(when, calendar.time_zone.key, turn.locale),
        "city": formats.city_of(calendar.time_zone.key, turn.locale),
    }
    if not contact:
        again = handoffs.knows_when(turn.session, opened.handoff)
        turn.say("utter_wait_where_again" if again else "utter_handoff_callback_where", **words)
    else:
        response = "utter_handoff_callback_already" if opened.already_open else "utter_handoff_callback"
        turn.say(response, contact=contact, **words)


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

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            was_offered = turn.carried.get("reason")
            turn.set("carried", None)
            open_for(turn, was_offered or ("anger" if turn.intent == "complaint" else "asked"))
            answer_second(turn)
            return turn.events
