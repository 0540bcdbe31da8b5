"""How a task ends: done, refused with the reason and the nearest possible thing, or left; and what is offered after it."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.elsewhere import offer_begun_elsewhere
from actions.handoff import open_for
from actions.offers import Next, go_on_with_second, next_task, offer, offer_suspended
from actions.rating import ask_rating
from actions.tasks import FORMS, TASKS
from actions.turn import Turn, turn_of
from actions.wording import worded
from actions.words import response_keys
from commerce import proposals
from commerce.proposals import Refusal

logger = logging.getLogger(__name__)

FORM_SLOTS = tuple(
    (
        "order_number line_id return_items cancel_reason return_reason package return_method refund_to new_variant "
        "new_address new_payment_method problem evidence resolution points confirmation contact code proposal_id choices "
        "current_task reopened wanted_order item_words newsletter_address begun_elsewhere"
    ).split()
)


def close_task(turn: Turn, settled: bool, matter: str | None = None, is_left: bool = False) -> None:
    """Forget what the task collected, then offer what is still open; a settled matter with nothing open is rated once.

    is_left: it did not come to its end, or begins again at once: nothing is looked for on other channels.
    """
    closed = turn.slots.get("current_task")
    turn.set("last_order", turn.slots.get("order_number") or turn.slots.get("last_order"))
    offered = dict(turn.slots.get("offers") or {}) if not settled else {}
    choices = turn.slots.get("choices") if offered else None
    for slot in FORM_SLOTS:
        turn.set(slot, None)
    turn.set("in_task", False)
    turn.set("offers", offered or None)
    if offered:  # one question at a time: what waits is offered once this has its answer
        turn.set("choices", choices)
    elif is_left:
        offer_suspended(turn)
    elif go_on_with_second(turn) or offer_suspended(turn) or offer_begun_elsewhere(turn, closed):
        return
    elif settled and matter:
        ask_rating(turn, matter)


def leave_task(turn: Turn) -> None:
    """The shopper does not want to go on: nothing happens, and an old "yes" will do nothing."""
    proposals.withdraw(turn.session, turn.sender_id, turn.now)
    for slot in ("queued_request", "offers", "rated_matter"):
        turn.set(slot, None)
    close_task(turn, settled=False, is_left=True)


def say_failure(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[dict[str, Any]]:
    """Something of ours has failed and was rolled back: say so instead of what was begun, call a person, leave the task."""
    dispatcher.messages.clear()
    try:
        with turn_of(dispatcher, tracker) as turn:
            turn.say("utter_failure")
            open_for(turn, "failure")
            leave_task(turn)
            return [*turn.events, SlotSet("requested_slot", None)]
    except Exception:  # the database itself may be away: what can be said without it is said
        logger.exception("a failure could not be passed on")
        dispatcher.messages.clear()
        dispatcher.utter_message(response="utter_failure")
        return [SlotSet("requested_slot", None)]


def say_refusal(turn: Turn, task: str, refusal: Refusal) -> None:
    """The reason, then the nearest thing that is possible; a person where the policy wants one."""
    say_reason(turn, task, refusal)
    if refusal.verdict == "needs_human" or refusal.nearest in A_PERSON:
        open_for(turn, reason="policy", goal=task, verdict=_verdict(refusal))
    elif refusal.nearest in NEAREST:
        _offer_nearest(turn, task, refusal)


def say_reason(turn: Turn, task: str, refusal: Refusal) -> None:
    """The reason alone: what is possible is in the question that follows."""
    specific, general = f"utter_refused_{task}_{refusal.reason}", f"utter_refused_{refusal.reason}"
    known = response_keys()
    response = specific if specific in known else general if general in known else "utter_refused"
    turn.dispatcher.utter_message(response=response, **refusal_values(turn, refusal))


A_PERSON = ("agent", "send_picture")  # pictures are looked at by a person

NEAREST = {
    "change_payment": "change_payment",
    "refund_status": "refund_status",
    "list_orders": "list_orders",
    "explain_points": "check_points",
    "store_credit": "request_return",
    "return": "request_return",
    "exchange": "request_exchange",
    "claim": "report_problem",
    "cancel": "cancel_order",
    "track": "track_order",
    "change_order": "change_order",
}


# The nearest thing is in the words of the refusal itself: there is no task to offer for it here.
SAID_IN_THE_REFUSAL = frozenset(
    (
        "begin_anew create_account drop_off fewer_points identify keep_earning new_order one_time_code other_method "
        "other_variant round_down send_picture single_method store_owner supervisor"
    ).split()
)


SAME_AGAIN = ("order_number", "return_items", "return_reason", "package", "return_method")


# Where the nearest thing may not be enough, a person is offered beside it.
ALSO_A_PERSON = ("return_already_open", "not_delivered_late")


def _offer_nearest(turn: Turn, refused: str, refusal: Refusal) -> None:
    nearest = str(refusal.nearest)
    task = NEAREST[nearest]
    order_number = turn.slots.get("order_number")
    known: dict[str, Any] = {"order_number": order_number, "item_words": turn.slots.get("item_words")} if order_number else {}
    if refusal.reason == "not_delivered_lost":
        known["problem"] = "not_received"
    if nearest == "return":  # what was swapped for is given back for the same reason
        known |= {slot: turn.slots[slot] for slot in ("return_reason", "package") if turn.slots.get(slot) is not None}
    if nearest == "store_credit":  # the same again, and only the money goes elsewhere
        known = {slot: turn.slots[slot] for slot in SAME_AGAIN if turn.slots.get(slot) is not None} | {"refund_to": nearest}
    carried: Next = replace(next_task(turn, task, **known), instead_of=refused)
    if nearest == "store_credit":
        offer(turn, [replace(carried, title=turn.label("yes"))], "utter_offer_store_credit", decline=True)
    else:
        person = [next_task(turn, "human_agent")] if refusal.reason in ALSO_A_PERSON else []
        offer(turn, [carried, *person], "utter_offer_nearest", decline=True, task=carried.title)


def refusal_values(turn: Turn, refusal: Refusal) -> dict[str, Any]:
    """The values of a refusal as words: money by its currency, dates by the locale."""
    unknown = dict.fromkeys(("delivered_on", "return_days", "rma_number", "balance", "points", "credited_on", "orders"), "")
    return {**unknown, "order_number": turn.slots.get("order_number"), **worded(turn, refusal.values)}


def _verdict(refusal: Refusal) -> dict[str, Any]:
    return {
        "rule": refusal.rule,
        "verdict": refusal.verdict,
        "reason": refusal.reason,
        "would_change": [dict(change) for change in refusal.would_change],
    }


__all__ = ["FORMS", "TASKS", "close_task", "leave_task", "refusal_values", "say_reason", "say_refusal", "worded"]
