"""What the same person has begun on another channel: offered here, and taken over with what may be known here.

Two conversations belong together where both are known as the same customer, or where a code of one was brought to the other.
The code says that one person holds both, and nothing about which customer that is: until this conversation is known as the
customer of the other, it gets nothing of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from actions import offers
from actions.levels import is_known_well_enough
from actions.offers import Next
from actions.shop import policies
from actions.tasks import FORMS
from actions.turn import Turn
from actions.vouching import vouched
from actions.wording import items_in_words
from commerce import orders, proposals
from messaging import channel_links, identities, tasks_at_hand
from messaging.conversations import channel_of
from messaging.models import TaskAtHand, WebVisitor
from messaging.tasks_at_hand import ITEM_WORDS, tells

BEGUN = "begun_elsewhere"  # slot: {from: where this task was begun, rest: whether more is known there than here}
OFFERED = "offered_elsewhere"  # slot: the tasks that were offered, separated by blanks: each is offered once
ELSEWHERE = "elsewhere"  # in what an offer carries: the conversation that the task is taken from
OTHER = {"whatsapp": "webchat", "webchat": "whatsapp"}  # the channels between which tasks go on
# What is said of any thing, and tells nobody whose or which it is.
HARMLESS = ("cancel_reason", "return_reason", "package", "problem")
STAYS = ("evidence",)  # pictures are of the conversation that they came in
ENTITIES = {"categories": "category", "colors": "color", "sizes": "size"}  # of what was said of an item


@dataclass(frozen=True)
class Begun:
    """A task of another conversation. customer_id: whose that one is; None where nobody is known there."""

    task: TaskAtHand
    channel: str
    customer_id: int | None

    @property
    def mark(self) -> str:
        return f"{self.task.sender_id}/{self.task.form}"


# Offered


def offer_begun_elsewhere(turn: Turn, closed: str | None = None) -> bool:
    """Offer to go on with what was begun on another channel. Whether there was such a thing. closed: a form that has just
    ended here; the same of the same order is not offered."""
    begun = next((each for each in _of_this_person(turn) if not _is_just_done(turn, each, closed)), None)
    if begun is None:
        return False
    offer_going_on(turn, begun, "utter_offer_elsewhere")
    return True


def offer_same_begun_elsewhere(turn: Turn, form: str) -> bool:
    """The same, for the form that has just begun here; a "no" goes on with it."""
    if turn.slots.get(BEGUN) or not is_known_well_enough(turn, FORMS[form]):
        return False
    begun = next((each for each in _of_this_person(turn) if each.task.form == form and each.task.slots), None)
    if begun is None:
        return False
    offer_going_on(turn, begun, "utter_offer_elsewhere", otherwise=Next(form, turn.label("no")))
    return True


def offer_going_on(turn: Turn, begun: Begun, response: str, **more: Any) -> None:
    """more: as `offers.offer` has it."""
    turn.set(OFFERED, " ".join([*_offered(turn), begun.mark]))
    going_on = Next(begun.task.form, turn.label("yes"), {ELSEWHERE: begun.task.sender_id})
    task, where = _in_words(turn, begun), turn.label(f"where_{begun.channel}")
    offers.offer(turn, [going_on], response, decline=True, task=task, where=where, **more)


def _in_words(turn: Turn, begun: Begun) -> str:
    """ "Return something (Oxford Shirt (blue, M))"; the bare task to whom this is not known as theirs."""
    task = turn.label(f"task_{FORMS[begun.task.form]}")
    about = _about(turn, begun.task.slots) if _is_wholly_known(turn, begun) else ""
    return turn.label("task_about").format(task=task, about=about) if about else task


def _about(turn: Turn, slots: Mapping[str, Any]) -> str:
    order = orders.find(turn.session, str(slots.get("order_number")), turn.customer_id)
    if order is None:
        return ""
    chosen = {int(each["line_id"]) for each in slots.get("return_items") or ()}
    chosen |= {int(slots["line_id"])} if str(slots.get("line_id")).isdigit() else set()
    lines = [line for line in order.lines if line.id in chosen] or list(order.lines)
    return items_in_words(turn, (orders.item_values(line) for line in lines))


def _is_just_done(turn: Turn, begun: Begun, closed: str | None) -> bool:
    is_same = begun.task.slots.get("order_number") in (None, turn.slots.get("last_order"))
    return begun.task.form == closed and is_same


# Found


def _of_this_person(turn: Turn) -> list[Begun]:
    """What other conversations of this person are at, and was not offered here before; the newest first."""
    found = (_begun(turn, task) for task in tasks_at_hand.newest_of(turn.session, _other_conversations(turn)))
    return [each for each in found if each is not None and each.mark not in _offered(turn)]


def _offered(turn: Turn) -> list[str]:
    return str(turn.slots.get(OFFERED) or "").split()


def _other_conversations(turn: Turn) -> set[str]:
    """Known as the same customer as this one, or the one whose code was brought here."""
    joined = {sender_id} if (sender_id := _joined(turn)) else set()
    customer = turn.customer
    if customer is None:
        return joined
    signed_in = select(WebVisitor.sender_id).where(WebVisitor.customer == customer.number, WebVisitor.customer_until > turn.now)
    known = identities.senders_known_as(turn.session, customer.id, turn.now) | set(turn.session.execute(signed_in).scalars())
    return (known | joined) - {turn.sender_id}


def _joined(turn: Turn) -> str | None:
    """The conversation whose code was brought here of late. The other way round a code brings nothing: a browser is shared."""
    sender_id, at = channel_links.brought_from(turn.session, turn.sender_id) or (None, turn.now)
    return sender_id if _is_young(turn, at) else None


def begun_in(turn: Turn, sender_id: str) -> Begun | None:
    """What this other conversation is at, if it can go on here."""
    return _begun(turn, tasks_at_hand.of(turn.session, sender_id))


def _begun(turn: Turn, task: TaskAtHand | None) -> Begun | None:
    """The task with what is known of its conversation; None where it cannot go on here."""
    channel = channel_of(turn.session, task.sender_id) if task is not None else None
    if task is None or channel is None or channel != OTHER.get(turn.channel) or task.form not in FORMS:
        return None
    if not _is_young(turn, task.at) or _is_closed(turn, task.sender_id):
        return None
    there, here = _customer_of(turn, channel, task.sender_id), turn.identity.customer_id
    is_same = here is not None and here == there
    is_joined = None in (there, here) and _joined(turn) == task.sender_id
    return Begun(task, channel, there) if is_same or is_joined else None


def _is_closed(turn: Turn, sender_id: str) -> bool:
    """Whether it is a web conversation that nobody can open any more."""
    revoked = select(WebVisitor.sender_id).where(WebVisitor.sender_id == sender_id, WebVisitor.revoked_at.is_not(None))
    return turn.session.execute(revoked).first() is not None


def _is_young(turn: Turn, at: datetime) -> bool:
    hours = int((turn.now - at).total_seconds() // 3600)
    return policies().decide("other_channel", {"hours_since": max(hours, 0)}, turn.today).is_allowed


def _customer_of(turn: Turn, channel: str, sender_id: str) -> int | None:
    known = identities.identity(turn.session, channel, sender_id, turn.now)
    return vouched(turn.session, channel, sender_id, known, turn.now).customer_id


def _is_wholly_known(turn: Turn, begun: Begun) -> bool:
    """Whether this conversation may know all that the other one knows."""
    is_same = begun.customer_id is not None and begun.customer_id == turn.identity.customer_id
    return is_same and is_known_well_enough(turn, FORMS[begun.task.form])


# Taken over


def take_over(turn: Turn, sender_id: str, form: str) -> dict[str, Any]:
    """What the form begins with here, as an offer carries it. What may not be known here yet stays where it is."""
    begun = _still_begun(turn, sender_id, form)
    if begun is None:
        return {}
    is_whole = _is_wholly_known(turn, begun)
    turn.set(BEGUN, {"from": sender_id, "rest": not is_whole and begun.customer_id is not None})
    if is_whole or begun.customer_id is None:
        _hand_over(turn, begun)
    known = {slot: value for slot, value in _filling(begun).items() if is_whole or slot in HARMLESS}
    entities = _said_of_items(begun) if is_whole or begun.customer_id is None else []
    return {"slots": known, "entities": entities}


def fill_in_rest(turn: Turn, form: str) -> None:
    """Once this conversation is known as the customer of the other one, the rest comes over, but for what was said anew."""
    begun_here = turn.slots.get(BEGUN) or {}
    if not begun_here.get("rest") or turn.identity.customer_id is None:
        return
    begun = _still_begun(turn, begun_here["from"], form)
    if begun is not None and not _is_wholly_known(turn, begun):
        return
    turn.set(BEGUN, {**begun_here, "rest": False})
    if begun is None or any(tells(turn.slots.get(slot)) for slot in ("order_number", "wanted_order", ITEM_WORDS)):
        return
    for slot, value in _filling(begun).items():
        if not tells(turn.slots.get(slot)):
            turn.set(slot, value)
    _hand_over(turn, begun)


def _still_begun(turn: Turn, sender_id: str, form: str) -> Begun | None:
    begun = begun_in(turn, sender_id)
    return begun if begun is not None and begun.task.form == form else None


def _hand_over(turn: Turn, begun: Begun) -> None:
    proposals.withdraw(turn.session, begun.task.sender_id, turn.now)  # an old "yes" there does nothing from now on
    tasks_at_hand.hand_over(turn.session, begun.task, begun.channel, turn.now)


def _filling(begun: Begun) -> dict[str, Any]:
    return {slot: value for slot, value in begun.task.slots.items() if slot not in STAYS and tells(value)}


def _said_of_items(begun: Begun) -> list[dict[str, Any]]:
    """As if it had been said here: the form looks for it among the orders of whoever is known here."""
    said = begun.task.slots.get(ITEM_WORDS) or {}
    return [{"entity": ENTITIES[name], "value": value} for name, values in said.items() for value in values]
