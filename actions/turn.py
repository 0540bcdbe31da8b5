"""One turn as an action sees it: what the shopper wrote, who they are, what is known, and a way to answer in their language."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions import clock, words
from actions.call import call_under_way
from actions.choices import Option, button, card
from actions.corrections import without_taken_back
from actions.skus import with_skus_told
from actions.vouching import vouch_again, vouched
from commerce.models import Customer
from commerce.proposals import Assessment, Operation, Refusal, Values
from database import transaction
from messaging import formats, identities
from messaging.channel_abilities import SHOWS_CARDS
from messaging.conversations import one_deed_at_a_time
from messaging.identities import Identity, Level
from messaging.shop import default_language, time_zone

Entity = dict[str, Any]
LISTEN = "action_listen"
SIGNED_IN = "signed_in"  # intent of a message that nobody wrote: the shop's own sign-in says from now on who writes


@dataclass
class Turn:
    tracker: Tracker
    dispatcher: CollectingDispatcher
    session: Session
    now: datetime
    slots: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    is_one_request: bool = False
    said: list[str] = field(default_factory=list)  # the responses of this turn
    mail_is_due: bool = False
    after_commit: list[Callable[[], object]] = field(default_factory=list)  # what cannot be rolled back: files
    _assessed: dict[str, Assessment | Refusal] = field(default_factory=dict)

    # What the shopper wrote

    @cached_property
    def is_fresh(self) -> bool:
        """Whether this action looks at a new message (a form also runs again after a digression)."""
        done = [event["name"] for event in self._events_of("action") if event["name"] != self.tracker.active_loop_name]
        return not done or bool(done[-1] == LISTEN)

    @cached_property
    def begins_form(self) -> bool:
        """Whether the active form was begun by this turn."""
        kinds = [event["event"] for event in self.tracker.events if event["event"] in ("user", "active_loop")]
        return bool(kinds) and kinds[-1] == "active_loop"

    @property
    def carried(self) -> dict[str, Any]:
        """Text, entities and slots that an earlier turn left for this one (a queued request, an offer that was taken up)."""
        return self.slots.get("carried") or {}

    @cached_property
    def is_tap(self) -> bool:
        """Whether this message is a button's: its text is a payload and no words, though it may have digits."""
        return str(self.tracker.latest_message.get("text") or "").startswith(f"/{self.intent}")

    @cached_property
    def text(self) -> str:
        if not self.is_fresh:
            return str(self.carried.get("text", ""))
        if self.is_tap:
            return ""
        first = self.requests[0]["text"] if self.requests else None
        return first or self.tracker.latest_message.get("text") or ""

    @cached_property
    def entities(self) -> list[Entity]:
        """What the text names; `start` and `end` are places in it."""
        if not self.is_fresh:
            return list(self.carried.get("entities", []))
        return self._named_in(self.text) if self.requests else self._meant_entities

    @cached_property
    def _meant_entities(self) -> list[Entity]:
        """What the message names, without what it takes back itself."""
        message = self.tracker.latest_message
        return with_skus_told(self.session, without_taken_back(str(message.get("text") or ""), message.get("entities") or []))

    @property
    def intent(self) -> str:
        return (self.tracker.latest_message.get("intent") or {}).get("name") or ""

    @property
    def confidence(self) -> float:
        return float((self.tracker.latest_message.get("intent") or {}).get("confidence") or 0.0)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The two requests of this message, where it holds two."""
        return [] if self.is_one_request else self.tracker.latest_message.get("requests") or []

    def take_as_one(self) -> None:
        """What was taken for two requests says one thing in two ways."""
        self.is_one_request = True
        for read in ("text", "entities"):
            self.__dict__.pop(read, None)

    @property
    def faq_rankings(self) -> list[dict[str, Any]]:
        """What the bot has found in the FAQ for texts of this conversation (bot/nlu/faq_ranker.py), the newest first."""
        parsed = (event.get("parse_data") or {} for event in reversed(self._events_of("user")))
        return [ranking for each in parsed for ranking in each.get("faq") or []]

    @cached_property
    def shown(self) -> dict[str, Any]:
        """What the channel brought along with the message: `files`, `location`, `cart`, `contacts`, `referral` and the like."""
        heard = self._events_of("user")
        return dict(heard[-1].get("metadata") or {}) if heard else {}

    def entity(self, name: str) -> str | None:
        return next((str(entity["value"]) for entity in self.entities if entity["entity"] == name), None)

    def all_of(self, name: str) -> list[str]:
        return [str(entity["value"]) for entity in self.entities if entity["entity"] == name]

    def second_request(self) -> dict[str, Any] | None:
        """The other request of this message with its own text and entities; None, too, while that is what is answered."""
        if len(self.requests) < 2:
            return None
        other = self.requests[1]
        if other["text"] == self.text:
            return None
        return {"intent": other["intent"], "text": other["text"], "entities": self._named_in(other["text"])}

    # Who they are

    @property
    def sender_id(self) -> str:
        return str(self.tracker.sender_id)

    @property
    def channel(self) -> str:
        return str(self.tracker.get_latest_input_channel() or "unknown")

    @cached_property
    def identity(self) -> Identity:
        known = identities.identity(self.session, self.channel, self.sender_id, self.now)
        return vouched(self.session, self.channel, self.sender_id, known, self.now)

    def is_their_number(self, phone: str) -> bool:
        """Whether they write from this number, as the channel proves, and are known by it from now on."""
        self.__dict__.pop("identity", None)
        return vouch_again(self.session, self.channel, self.sender_id, phone, self.now)

    def prove_identity(self, customer_id: int) -> None:
        """The shopper has shown a code: from now on they are this customer."""
        identities.prove_identity(self.session, self.channel, self.sender_id, customer_id, self.now)
        self.__dict__.pop("identity", None)

    def forget_identity(self) -> None:
        """Whoever was known here is known no more."""
        identities.forget(self.session, self.channel, self.sender_id, self.now)
        self.__dict__.pop("identity", None)

    def since_nobody_else(self, begin: datetime) -> datetime:
        """`begin`, or from when on nobody but who is asking was known in this conversation, if that is later."""
        until = identities.another_until(self.session, self.channel, self.sender_id, self.identity, self.now)
        return max(begin, until) if until is not None else begin

    @property
    def customer(self) -> Customer | None:
        who = self.identity
        return self.session.get(Customer, who.customer_id) if who.customer_id is not None else None

    @property
    def customer_id(self) -> int:
        """The customer who is asking. Raises LookupError where nobody is known: ask for the identity first."""
        who = self.identity
        if who.customer_id is None or who.level is Level.anonymous:
            raise LookupError("nobody is known in this conversation")
        return who.customer_id

    # What would happen

    def assess(self, operation: Operation, parameters: Values) -> Assessment | Refusal:
        """What this write would do, for who is asking: looked up once a turn, since each of a form's steps may ask again.

        Only until the turn writes: what confirms a write has it assessed anew."""
        key = json.dumps([operation.kind, self.customer_id, dict(parameters)], sort_keys=True)
        if key not in self._assessed:
            self._assessed[key] = operation.assess(self.session, self.customer_id, parameters, self.now)
        return self._assessed[key]

    # How they are answered

    @property
    def language(self) -> str:
        known = (self.slots.get(slot) for slot in ("language", "language_hint", "device_language"))
        return str(next(filter(None, known), default_language()))

    @cached_property
    def locale(self) -> Locale:
        customer = self.customer
        same = customer is not None and customer.language == self.language
        return formats.locale_of(self.language, customer.country if customer is not None and same else None)

    @property
    def today(self) -> date:
        """The day where the shop is."""
        return self.now.astimezone(ZoneInfo(time_zone())).date()

    def say(self, response: str, /, buttons: Sequence[dict[str, str]] = (), **values: Any) -> None:
        """Answer with a response of `data/responses`, its variables filled by `values`."""
        self.said.append(response)
        self.dispatcher.utter_message(response=response, buttons=list(buttons) or None, **values)

    def offer(self, slot: str, options: Sequence[Option], response: str, /, **values: Any) -> None:
        """Answer with choices for this slot, and remember them for a reply in words."""
        self.set("choices", {"slot": slot, "options": [option.stored() for option in options]})
        cards = [card(slot, each, each.look) for each in options if each.look] if self.channel in SHOWS_CARDS else []
        self.say(response, [button(slot, each) for each in options if not (cards and each.look)], **values)
        if cards:
            self.dispatcher.utter_message(elements=cards)

    def offered(self, slot: str) -> list[Option]:
        """The choices that the shopper was last shown for this slot."""
        choices = self.slots.get("choices") or {}
        return [Option.from_stored(stored) for stored in choices.get("options", [])] if choices.get("slot") == slot else []

    def label(self, key: str) -> str:
        return words.label(key, self.language)

    def money(self, amount_minor: int, currency: str) -> str:
        return formats.money(amount_minor, currency, formats.locale_of_currency(self.language, currency))

    def number(self, value: int) -> str:
        return formats.number(value, self.locale)

    def day(self, value: Any) -> str:
        return formats.any_day(value, self.locale, self.today)

    # What is remembered

    def set(self, slot: str, value: Any) -> None:
        if self.slots.get(slot) != value:
            self.slots[slot] = value
            self.events.append(SlotSet(slot, value))

    def follow(self, action: str) -> None:
        """Go on with this form or action, which reads what is carried."""
        self.events.append(FollowupAction(action))

    def _events_of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.tracker.events if event.get("event") == kind]

    def _named_in(self, clause: str) -> list[Entity]:
        """The entities of one of the requests, with their places in it."""
        begin = str(self.tracker.latest_message.get("text") or "").find(clause)
        named = (each for each in self._meant_entities if begin < 0 or begin <= each.get("start", 0) < begin + len(clause))
        return [{**each, **{key: each[key] - max(begin, 0) for key in ("start", "end") if key in each}} for each in named]


@contextmanager
def turn_of(dispatcher: CollectingDispatcher, tracker: Tracker) -> Iterator[Turn]:
    """A turn in a transaction of its own, or in the one of the call that is under way: an exception rolls back all of it."""
    call = call_under_way()
    if call is not None:
        with call.session.begin_nested():
            turn = _begun(dispatcher, tracker, call.session)
            yield turn
        call.after_commit += _deeds(turn)
        return
    with transaction() as session:
        turn = _begun(dispatcher, tracker, session)
        yield turn
    for deed in _deeds(turn):
        deed()


def _begun(dispatcher: CollectingDispatcher, tracker: Tracker, session: Session) -> Turn:
    turn = Turn(tracker, dispatcher, session, clock.now(), dict(tracker.slots))
    one_deed_at_a_time(session, turn.sender_id)  # before the shop's rows, and the conversation's where a person is called
    return turn


def _deeds(turn: Turn) -> list[Callable[[], object]]:
    """What is done once the transaction is committed."""
    from actions.mailing import deliver  # mailing needs Turn

    return [*turn.after_commit, *([deliver] if turn.mail_is_due else [])]
