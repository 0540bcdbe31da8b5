"""Who is asking: two steps at the head of every form that touches a customer's data."""

from __future__ import annotations

import uuid
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.closing import leave_task
from actions.elsewhere import OFFERED
from actions.failing import never_silent
from actions.handoff import note_contact
from actions.levels import is_known_well_enough
from actions.mailing import send_mail
from actions.task_form import NOT_NEEDED, End, Reply, Step
from actions.turn import Turn, turn_of
from commerce import customers
from database import home_folder
from messaging import channel_links, codes, contacts
from messaging.secret import secret_key
from messaging.shop import shop_country

AHEAD = "contact_ahead"  # slot: an e-mail or phone that was written before anything asked for it
LIMITED = "limited"  # fills the slot `contact` where no more codes may be sent for now
CODE_MINUTES = int(codes.CODE_LIFETIME.total_seconds() // 60)


class ContactStep(Step):
    """Asks for the e-mail or phone on file, and sends a code there. The answer is the same whether or not anybody has it."""

    slot = "contact"

    def __init__(self, operation: str) -> None:
        self.operation = operation

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if is_known_well_enough(turn, self.operation):
            return self._read_another(turn)
        said = turn.entity("email") or turn.entity("phone")
        contact = _normalized(said or (turn.text if asked else ""))
        return self._known_by(turn, contact) if contact else None

    def is_meant(self, turn: Turn) -> bool:
        """An e-mail or a phone number answers the question for one, whatever else it sounds like."""
        return turn.slots.get("requested_slot") == self.slot and contact_in(turn) is not None

    def settle(self, turn: Turn) -> Any | End | None:
        if is_known_well_enough(turn, self.operation):
            return NOT_NEEDED
        known = turn.customer  # asserted by the channel, and a code is wanted on top: nothing to ask
        if known is None:
            ahead = turn.slots.get(AHEAD)
            turn.set(AHEAD, None)
            return self._known_by(turn, ahead).value if ahead else None
        return self._send_code(turn, known.email).value if known.email else End(response="utter_no_email_for_code")

    def _read_another(self, turn: Turn) -> Reply | None:
        """Another e-mail than that of who is known: it is somebody else now, who has to show it."""
        said = _normalized(turn.entity("email") or "")
        if said is None or is_own_contact(turn, said):
            return None
        turn.forget_identity()
        turn.say("utter_identity_other")
        return self._send_code(turn, said)

    def _known_by(self, turn: Turn, contact: str) -> Reply:
        """By the number that they write from, where that is enough; else by a code."""
        if turn.is_their_number(contact) and is_known_well_enough(turn, self.operation):
            return Reply(NOT_NEEDED)
        return self._send_code(turn, contact)

    def _send_code(self, turn: Turn, contact: str) -> Reply:
        note_contact(turn, contact)
        customer = customers.by_contact(turn.session, contact)
        if customer is not None and not customer.email:
            customer = None  # codes go out by e-mail only: without one no code can fit, and nothing else may show
        key = secret_key(home_folder())
        customer_id = customer.id if customer is not None else None
        requested = codes.request_code(turn.session, turn.sender_id, contact, customer_id, turn.now, key)
        if requested.status == "limited":
            return Reply(LIMITED)
        if customer is not None and requested.code:
            send_mail(turn, "code", customer, key=f"code:{uuid.uuid4()}", code=requested.code, minutes=CODE_MINUTES)
        turn.set("code", None)
        return Reply(contacts.hidden(contact))


class CodeStep(Step):
    """Asks for the code that was sent."""

    slot = "code"

    def __init__(self, operation: str) -> None:
        self.operation = operation

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        said = turn.entity("code") or (digits_of(turn.text) if asked else None)
        if not said or not turn.slots.get("contact") or is_known_well_enough(turn, self.operation):
            return None
        checked = prove_by_code(turn, said)
        if checked.customer_id is not None:
            return Reply(NOT_NEEDED)
        turn.say(f"utter_code_{checked.status}")
        if checked.status != "wrong":
            turn.set("contact", None)
        return Reply(None)

    def is_meant(self, turn: Turn) -> bool:
        return turn.slots.get("requested_slot") == self.slot and turn.entity("code") is not None

    def settle(self, turn: Turn) -> Any | End | None:
        if turn.slots.get("contact") == LIMITED:
            return End(response="utter_code_limited")  # asking on would lead nowhere
        return NOT_NEEDED if is_known_well_enough(turn, self.operation) else None

    def holds(self, turn: Turn) -> bool:
        """A proof ends after some hours, and when the customer is erased."""
        return turn.slots.get(self.slot) is None or is_known_well_enough(turn, self.operation)

    def ask(self, turn: Turn) -> None:
        if "utter_code_wrong" in turn.said:
            return  # it has said to try again
        is_new = any(event.get("name") == "contact" and event.get("value") for event in turn.events)
        person = [{"title": turn.label("task_human_agent"), "payload": "/human_agent"}]
        turn.say("utter_code_sent" if is_new else "utter_code_awaited", person, contact=turn.slots["contact"])


def prove_by_code(turn: Turn, said: str) -> codes.Checked:
    """Compare the code; whoever shows the right one is from now on known as its owner."""
    checked = codes.check_code(turn.session, turn.sender_id, said, turn.now, secret_key(home_folder()))
    if checked.customer_id is not None:
        turn.prove_identity(checked.customer_id)
    return checked


def is_own_contact(turn: Turn, contact: str) -> bool:
    """Whether it is the e-mail or phone on file of the customer who is known here."""
    customer = turn.customer
    return customer is not None and contact in (customer.email, customer.phone)


# Somebody else

NEWSLETTER = "newsletter_form"  # asks for a code too, but not who writes
OF_SOMEBODY = (
    "last_order",
    "last_product",
    "suspended_task",
    "queued_request",
    "carried",
    "wanted_points",
    "newsletter_wish",
    OFFERED,
    AHEAD,
)


class ActionSignOut(Action):
    """ "I'm not Ana", "log out": who was known is forgotten here, with all that was begun for them."""

    def name(self) -> str:
        return "action_sign_out"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            was_known = turn.customer is not None
            sign_out(turn)
            turn.say("utter_signed_out" if was_known else "utter_signed_out_nobody")
            turn.set(AHEAD, contact_in(turn))
            return [*turn.events, ActiveLoop(None), SlotSet("requested_slot", None)]


def sign_out(turn: Turn) -> None:
    """End both levels of identity, and forget what belongs to the one who was known, on the other channel too."""
    turn.forget_identity()
    channel_links.undo(turn.session, turn.sender_id, turn.now)
    for slot in OF_SOMEBODY:
        turn.set(slot, None)
    leave_task(turn)
    turn.set("last_order", None)  # leaving a task keeps its order


def left_at_identity(tracker: Tracker) -> str | None:
    """The form that was left while it asked who writes, if it was the last one."""
    form = asked = None
    for event in reversed(tracker.events):
        if event.get("event") == "slot" and event.get("name") == "requested_slot" and event.get("value") and asked is None:
            asked = event["value"]
        elif event.get("event") == "active_loop" and event.get("name") and form is None:
            form = str(event["name"])
    return form if asked in (ContactStep.slot, CodeStep.slot) and form != NEWSLETTER else None


def contact_in(turn: Turn) -> str | None:
    """The e-mail or phone that the message names."""
    return _normalized(turn.entity("email") or turn.entity("phone") or "")


def digits_of(text: str) -> str | None:
    """What may be a code in the text, if it is short."""
    digits = "".join(character for character in text if character.isdigit())
    return digits if 4 <= len(digits) <= 8 and len(text) <= 40 else None


def _normalized(text: str) -> str | None:
    return contacts.normalize_email(text) or contacts.normalize_phone(text, shop_country())
