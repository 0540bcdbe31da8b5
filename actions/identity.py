"""Who is asking: two steps at the head of every form that touches a customer's data."""

from __future__ import annotations

import uuid
from typing import Any

from actions.mailing import send_mail
from actions.shop import policies, shop_country
from actions.task_form import NOT_NEEDED, End, Reply, Step
from actions.turn import Turn
from commerce import customers
from database import home_folder
from messaging import codes, contacts, identities
from messaging.secret import secret_key

LIMITED = "limited"  # fills the slot `contact` where no more codes may be sent for now
CODE_MINUTES = int(codes.CODE_LIFETIME.total_seconds() // 60)


def is_known_well_enough(turn: Turn, operation: str) -> bool:
    """Whether the policy `identity` allows this operation at the level that the conversation has."""
    facts = {"operation": operation, "level": turn.identity.level.name}
    return policies().decide("identity", facts, turn.today).is_allowed


class ContactStep(Step):
    """Asks for the e-mail or phone on file, and sends a code there. The answer is the same whether or not anybody has it."""

    slot = "contact"

    def __init__(self, operation: str) -> None:
        self.operation = operation

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if is_known_well_enough(turn, self.operation):
            return None
        said = turn.entity("email") or turn.entity("phone")
        contact = _normalized(said or (turn.text if asked else ""))
        return self._send_code(turn, contact) if contact else None

    def settle(self, turn: Turn) -> Any | End | None:
        if is_known_well_enough(turn, self.operation):
            return NOT_NEEDED
        known = turn.customer  # asserted by the channel, and a code is wanted on top: nothing to ask
        if known is not None and (contact := known.email or known.phone):
            return self._send_code(turn, contact).value
        return None

    def _send_code(self, turn: Turn, contact: str) -> Reply:
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
        return Reply(_hidden(contact))


class CodeStep(Step):
    """Asks for the code that was sent."""

    slot = "code"

    def __init__(self, operation: str) -> None:
        self.operation = operation

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        said = turn.entity("code") or (_digits(turn.text) if asked else None)
        if not said or not turn.slots.get("contact") or is_known_well_enough(turn, self.operation):
            return None
        checked = codes.check_code(turn.session, turn.sender_id, said, turn.now, secret_key(home_folder()))
        if checked.customer_id is not None:
            identities.prove_identity(turn.session, turn.channel, turn.sender_id, checked.customer_id, turn.now)
            return Reply(NOT_NEEDED)
        turn.say(f"utter_code_{checked.status}")
        if checked.status != "wrong":
            turn.set("contact", None)
        return Reply(None)

    def settle(self, turn: Turn) -> Any | End | None:
        if turn.slots.get("contact") == LIMITED:
            return End(response="utter_code_limited")  # asking on would lead nowhere
        return NOT_NEEDED if is_known_well_enough(turn, self.operation) else None

    def ask(self, turn: Turn) -> None:
        if "utter_code_wrong" in turn.said:
            return  # it has said to try again
        is_new = any(event.get("name") == "contact" and event.get("value") for event in turn.events)
        turn.say("utter_code_sent" if is_new else "utter_code_awaited", contact=turn.slots["contact"])


def _digits(text: str) -> str | None:
    digits = "".join(character for character in text if character.isdigit())
    return digits if 4 <= len(digits) <= 8 and len(text) <= 40 else None


def _normalized(text: str) -> str | None:
    return contacts.normalize_email(text) or contacts.normalize_phone(text, shop_country())


def _hidden(contact: str) -> str:
    """ "a***@example.com", "+52*****0001": enough to recognise, too little to learn."""
    name, at, domain = contact.partition("@")
    return f"{name[0]}***@{domain}" if at else f"{contact[:3]}*****{contact[-4:]}"
