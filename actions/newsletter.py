"""The newsletter: sent only after a "yes" to a question that names address and purpose, and stopped for a clear wish."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.choices import Option, folded_words
from actions.closing import close_task
from actions.confirmation import NO, SLOT, ConfirmStep, Write, no_to
from actions.failing import never_silent
from actions.identity import CODE_MINUTES, digits_of
from actions.mailing import send_mail_to
from actions.offers import Next, offer
from actions.order_steps import says_phrase, words_of_message
from actions.task_form import NOT_NEEDED, Again, End, Reply, Step, TaskForm
from actions.turn import Turn, turn_of
from commerce.models import Customer
from database import home_folder
from messaging import codes, consent, contacts
from messaging.secret import secret_key

Events = list[dict[str, Any]]
ADDRESS = "newsletter_address"
SENT = "contact"  # slot: where the code was sent, as long as one is awaited
STOP = "newsletter_wish"  # slot: set while the address that is to be taken off the list is awaited
STOP_INTENT = "unsubscribe_newsletter"
SURELY = 0.5  # confidence from which a message counts as the wish to get no more newsletters


# Subscribed


class AddressStep(Step):
    """The address of a customer who is known; else the one that is named."""

    slot = ADDRESS

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        said = contacts.normalize_email(turn.entity("email") or (turn.text if asked else ""))
        return Reply(said) if said else None

    def settle(self, turn: Turn) -> Any | End | Again | None:
        return _own_address(turn.customer)


class ConsentStep(ConfirmStep):
    """Names address and purpose, and waits for yes or no. There is nothing to propose to the shop: the words are all there is."""

    def __init__(self) -> None:
        super().__init__(Write())

    def settle(self, turn: Turn) -> Any | End | Again | None:
        if turn.slots.get("proposal_id") is None:
            turn.set("proposal_id", secrets.token_hex(8))
        return None

    def ask(self, turn: Turn) -> None:
        question = turn.slots["proposal_id"]
        options = [Option(question, turn.label("yes")), Option(no_to(question), turn.label("no"))]
        turn.offer(SLOT, options, "utter_confirm_subscribe_newsletter", address=turn.slots[ADDRESS])


class ConfirmationCodeStep(Step):
    """An address that is not on file for who writes says "yes" by itself: by a code that is sent there."""

    slot = "code"

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        said = turn.entity("code") or (digits_of(turn.text) if asked else None)
        if not said or not turn.slots.get(SENT):
            return None
        key = secret_key(home_folder())
        checked = codes.check_confirmation(turn.session, turn.sender_id, turn.slots[ADDRESS], said, turn.now, key)
        if checked.status == "ok":
            return Reply(NOT_NEEDED)
        turn.say(f"utter_code_{checked.status}")
        if checked.status != "wrong":
            turn.set(SENT, None)
        return Reply(None)

    def settle(self, turn: Turn) -> Any | End | Again | None:
        if turn.slots[SLOT] == NO or turn.slots[ADDRESS] == _own_address(turn.customer):
            return NOT_NEEDED
        return None if turn.slots.get(SENT) or self._send(turn, turn.slots[ADDRESS]) else End(response="utter_code_limited")

    def ask(self, turn: Turn) -> None:
        if "utter_code_wrong" in turn.said:
            return  # it has said to try again
        is_new = any(event.get("name") == SENT and event.get("value") for event in turn.events)
        turn.say("utter_newsletter_code_sent" if is_new else "utter_newsletter_code_awaited", address=turn.slots[ADDRESS])

    def forget(self, turn: Turn) -> None:
        turn.set(self.slot, None)
        turn.set(SENT, None)

    def _send(self, turn: Turn, address: str) -> bool:
        requested = codes.request_confirmation(turn.session, turn.sender_id, address, turn.now, secret_key(home_folder()))
        if requested.code is None:
            return False
        send_mail_to(turn, "newsletter_code", address, key=f"code:{uuid.uuid4()}", code=requested.code, minutes=CODE_MINUTES)
        turn.set(SENT, contacts.hidden(address))
        return True


class NewsletterForm(TaskForm):
    form = "newsletter_form"
    task = "subscribe_newsletter"
    steps = (AddressStep(), ConsentStep(), ConfirmationCodeStep())


class ActionSubscribeNewsletter(Action):
    def name(self) -> str:
        return "action_subscribe_newsletter"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            if turn.slots.get("current_task") == NewsletterForm.form:
                self._settle(turn, turn.slots[ADDRESS])
                close_task(turn, settled=False)
            return turn.events

    def _settle(self, turn: Turn, address: str) -> None:
        if turn.slots[SLOT] == NO:
            turn.say("utter_not_done")
            return
        consent.grant(turn.session, **_whose(turn, address))
        turn.say("utter_newsletter_on", address=address)


# Unsubscribed


class ActionUnsubscribeNewsletter(Action):
    """A clear wish is done at once; a stray word that only sounds like one is asked about."""

    def name(self) -> str:
        return "action_unsubscribe_newsletter"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            address = contacts.normalize_email(turn.entity("email") or "") or _own_address(turn.customer)
            if turn.is_fresh and not _is_clear(turn):
                self._ask(turn, address)
            elif address is None:
                turn.say("utter_newsletter_unsubscribe_how")
                turn.set(STOP, STOP_INTENT)
                turn.set("carried", None)
            else:
                consent.withdraw(turn.session, **_whose(turn, address))
                turn.set(STOP, None)
                turn.set("carried", None)
                turn.say("utter_newsletter_off", address=address)
            return turn.events

    def _ask(self, turn: Turn, address: str | None) -> None:
        if turn.tracker.active_loop_name:  # its own question follows: there is no second one
            turn.say("utter_newsletter_unsubscribe_unclear")
            return
        yes = Next(self.name(), turn.label("yes"))
        response = "utter_newsletter_unsubscribe_ask" if address else "utter_newsletter_unsubscribe_ask_any"
        offer(turn, [yes], response, decline=True, address=address or "")


def _is_clear(turn: Turn) -> bool:
    """Whether more than one word says it, and one of them names the newsletter; "unsubscribe me" is enough by itself."""
    if turn.confidence < SURELY:
        return False
    said = words_of_message(turn)
    is_named = len(folded_words(turn.text)) > 1 and says_phrase(said, turn.label("newsletter_words").split("|"))
    return is_named or says_phrase(said, turn.label("unsubscribe_words").split("|"))


def _own_address(customer: Customer | None) -> str | None:
    return customer.email if customer is not None else None


def _whose(turn: Turn, address: str) -> dict[str, Any]:
    """Whose consent it is: the customer's, where the address is the one on file; else the address's."""
    customer = turn.customer
    is_own = customer is not None and customer.email == address
    known = {"customer_id": customer.id} if customer is not None and is_own else {}
    return {
        "purpose": "marketing",
        "channel": "email",
        "source": f"chat:{turn.channel}",
        "now": turn.now,
        "contact": address,
        **known,
    }
