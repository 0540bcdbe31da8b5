"""Orders: found and explained, listed, cancelled, changed, sent elsewhere, paid another way."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import offers
from actions.addresses import address_said, postcode_in, with_house_number, with_postcode
from actions.choices import Option, tapped
from actions.closing import NEAREST, close_task
from actions.confirmation import ConfirmStep, SubmitAction, Write
from actions.failing import never_silent
from actions.identity import CodeStep, ContactStep
from actions.mailing import send_mail
from actions.order_steps import (
    LineStep,
    OrderStep,
    line_title,
    order_option,
    own_line,
    own_order,
    says_phrase,
    words_of_message,
)
from actions.shop import policies
from actions.task_form import Again, ChoiceStep, End, Reply, Step, TaskForm
from actions.tasks import TASKS
from actions.turn import Turn, turn_of
from actions.wording import address_in_words, worded
from commerce import cancellations, catalog, order_changes, orders
from commerce.claims import OpenClaim, open_claim
from commerce.models import Order, Variant
from commerce.orders import Item, Progress
from commerce.proposals import Operation, Refusal
from database import home_folder
from messaging import formats

CHANGEABLE = ("placed", "paid")
MOST_LISTED = 5


def identity_steps(operation: str) -> tuple[Step, Step]:
    return ContactStep(operation), CodeStep(operation)


def payment_url() -> str:
    """The shop's payment page, to which order number and request are added."""
    return os.environ.get("TENDERO_PAYMENT_URL", "https://pay.example.com/")


# Found and explained


class TrackOrderForm(TaskForm):
    form = "track_order_form"
    task = "track_order"
    steps = (*identity_steps("track_order"), OrderStep())


class ActionTrackOrder(Action):
    def name(self) -> str:
        return "action_track_order"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            if turn.slots.get("current_task") == TrackOrderForm.form:
                order = own_order(turn)
                tell_progress(turn, order, orders.progress(order, turn.today))
                close_task(turn, settled=False)  # what was offered stays open
            return turn.events


# What can be done next, by how far the order has come.
NEXT = {
    "awaiting_payment": ("change_payment", "cancel_order"),
    "payment_failed": ("change_payment",),
    "paid": ("change_order", "change_address", "cancel_order"),
    "overdue": ("report_problem",),
    "lost": ("report_problem",),
    "delivered": ("report_problem", "request_return"),
    "cancelled": ("refund_status",),
}
CLAIMED = ("late", "overdue", "lost", "delivered")  # where a case that is open is the news


def tell_progress(turn: Turn, order: Order, progress: Progress) -> None:
    """How far the order has come, and what can be done about it."""
    kind = "overdue" if progress.kind == "late" and counts_as_lost(turn, order) else progress.kind
    values = progress_in_words(turn, order, progress)
    case = open_claim(turn.session, order, order.lines) if kind in CLAIMED else None
    if case is not None and (kind != "delivered" or case.problem == "not_received"):
        turn.say(f"utter_progress_claimed_{case.resolution}", claim_number=case.claim_number, **values)
        return
    nexts = [] if _something_waits(turn) else _next_tasks(turn, order, kind)
    if nexts:
        offers.offer(turn, nexts, f"utter_progress_{kind}", decline=len(nexts) == 1, **values)
    else:
        turn.say(f"utter_progress_{kind}", **values)


def progress_in_words(turn: Turn, order: Order, progress: Progress) -> dict[str, Any]:
    several = progress.kind == "partially_shipped"
    return {
        "order_number": order.number,
        "items": _items_in_words(turn, [orders.item(line) for line in order.lines]),
        "promised": turn.day(progress.promised_on),
        "lost_on": turn.day(lost_on(turn, progress)),
        "delivered": turn.day(progress.delivered_at),
        "parcels": formats.bullets(_parcel_in_words(turn, parcel, several) for parcel in progress.parcels),
        "waiting": _items_in_words(turn, progress.waiting),
        "store": progress.pickup.name if progress.pickup else "",
        "address": progress.pickup.address if progress.pickup else "",
    }


def lost_on(turn: Turn, progress: Progress) -> date | None:
    """From when on what has not come counts as lost; None where nothing was promised."""
    patience = timedelta(days=int(policies().number("claim_eligibility", "lost_after_days", turn.today)))
    return progress.promised_on + patience if progress.promised_on else None


def _something_waits(turn: Turn) -> bool:
    """A second request or an interrupted task is offered next: one question at a time."""
    return bool(turn.slots.get("queued_request") or turn.slots.get("suspended_task"))


def _next_tasks(turn: Turn, order: Order, kind: str) -> list[offers.Next]:
    tasks = NEXT.get(kind, ())
    known = {"order_number": order.number, **({"problem": "not_received"} if kind in ("overdue", "lost") else {})}
    if len(tasks) == 1:  # the words ask: yes or no
        return [offers.Next(TASKS[tasks[0]], turn.label("yes"), {"slots": known})]
    return [_named_next(turn, task, known) for task in tasks]


def _named_next(turn: Turn, task: str, known: Mapping[str, Any]) -> offers.Next:
    also = tuple(turn.label(f"task_{task}_words").split("|"))
    return offers.Next(TASKS[task], turn.label(f"task_{task}"), {"slots": dict(known)}, also)


def counts_as_lost(turn: Turn, order: Order) -> bool:
    """Whether the policy sees to it now: it may be reported as not received."""
    claim = {"order_number": order.number, "line_id": None, "problem": "not_received", "note": ""}
    outcome = turn.assess(OpenClaim(policies(), home_folder()), claim)
    return not isinstance(outcome, Refusal) or outcome.verdict == "needs_human"


def _items_in_words(turn: Turn, items: Sequence[Item]) -> str:
    return formats.listed((_item_in_words(turn, item) for item in items), turn.locale)


def _item_in_words(turn: Turn, item: Item) -> str:
    title = formats.variant_title(item.names, item.options, turn.language)
    return title if item.quantity == 1 else f"{item.quantity} × {title}"


def _parcel_in_words(turn: Turn, parcel: orders.Parcel, with_items: bool) -> str:
    status = turn.label(f"shipment_{parcel.status}")
    event = turn.label(f"event_{parcel.event_code}") if parcel.event_code else None
    where = ", ".join(part for part in (event, parcel.event_place) if part)
    seen = f" ({where}, {turn.day(parcel.event_at)})" if where else ""
    items = f"{_items_in_words(turn, parcel.items)}: " if with_items else ""
    return f"{items}{parcel.carrier} {parcel.tracking_number}, {status}{seen}"


# Listed


class ListOrdersForm(TaskForm):
    form = "list_orders_form"
    task = "list_orders"
    steps = identity_steps("list_orders")


class ActionListOrders(Action):
    def name(self) -> str:
        return "action_list_orders"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            if turn.slots.get("current_task") == ListOrdersForm.form:
                known = orders.recent(turn.session, turn.customer_id, limit=MOST_LISTED)
                _list_orders(turn, known)
                close_task(turn, settled=False)
            return turn.events


def _list_orders(turn: Turn, known: Sequence[Order]) -> None:
    """The orders, each of which may be picked: by its number, its place or what is in it."""
    if not known:
        turn.say("utter_no_orders")
        return
    nexts = [_order_to_track(turn, order) for order in known]
    offers.offer(turn, nexts, "utter_orders", orders=formats.bullets(_order_in_words(turn, order) for order in known))


def _order_to_track(turn: Turn, order: Order) -> offers.Next:
    carried = {"slots": {"order_number": order.number}}
    return offers.Next(TrackOrderForm.form, order.number, carried, order_option(turn, order).also)


def _order_in_words(turn: Turn, order: Order) -> str:
    kind = orders.progress(order, turn.today).kind
    more = f" +{len(order.lines) - 1}" if len(order.lines) > 1 else ""
    return f"{order.number}: {line_title(turn, order.lines[0])}{more}, {turn.label(f'order_{kind}')}"


# Cancelled


class CancelReasonStep(ChoiceStep):
    """Why: one of the reasons of the policy. Where it is too late for any, that is said before a reason is asked."""

    slot = "cancel_reason"
    question = "utter_choose_cancel_reason"
    of_something_else = ("order_number", "category", "color", "size", "ordinal", "placed_on", "other")
    also = {"no_longer_needed": ("changed_mind",), "arrives_too_late": ("arrived_late",)}

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if asked and (chosen := super().read(turn, asked)) is not None:
            return chosen
        said = turn.entity("reason")
        value = next((o.value for o in self.options(turn) if said in (o.value, *o.also)), None)
        if value is None and asked and turn.intent == "inform" and not any(map(turn.entity, self.of_something_else)):
            value = "other"
        return Reply(value) if value else None

    def values(self, turn: Turn) -> dict[str, Any]:
        return {"order_number": turn.slots["order_number"]}

    def settle(self, turn: Turn) -> Any | End | None:
        parameters = {"order_number": turn.slots["order_number"], "reason": None}
        outcome = turn.assess(CANCELLING.operation(turn), parameters)
        too_late = isinstance(outcome, Refusal) and outcome.reason != "reason_missing"
        return End(refusal=outcome) if too_late else None  # type: ignore[arg-type]

    def options(self, turn: Turn) -> list[Option]:
        known = cancellations.reasons(policies(), turn.today)
        return [Option(reason, turn.label(f"cancel_reason_{reason}"), self.also.get(reason, ())) for reason in known]


class Cancelling(Write):
    form = "cancel_order_form"
    task = "cancel_order"

    def operation(self, turn: Turn) -> Operation:
        return cancellations.CancelOrder(policies())

    def parameters(self, turn: Turn) -> dict[str, Any]:
        return {"order_number": turn.slots["order_number"], "reason": turn.slots["cancel_reason"]}

    def summary_response(self, turn: Turn, summary: Mapping[str, Any]) -> str:
        return "utter_confirm_cancel_order" if summary["refund_minor"] else "utter_confirm_cancel_order_unpaid"

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        return {**worded(turn, summary), "refund_time": refund_time(turn, summary["refunds"])}


CANCELLING = Cancelling()


class CancelOrderForm(TaskForm):
    form = Cancelling.form
    task = Cancelling.task
    steps = (*identity_steps("cancel_order"), OrderStep(CHANGEABLE), CancelReasonStep(), ConfirmStep(CANCELLING))


class ActionCancelOrder(SubmitAction):
    write = CANCELLING
    action = "action_cancel_order"

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        response = "utter_done_cancel_order" if result["refund_minor"] else "utter_done_cancel_order_unpaid"
        turn.say(response, **worded(turn, result))
        if turn.customer is not None:
            key = f"order_cancelled:{result['order_number']}"
            words = worded(turn, result)
            send_mail(turn, "order_cancelled", turn.customer, key, order_number=result["order_number"], amount=words["refund"])


def refund_time(turn: Turn, refunds: Sequence[Mapping[str, Any]]) -> str:
    """ "at once" or "in 5 to 7 working days", of the slowest part."""
    slowest = max(refunds, key=lambda each: each["days_max"], default={"days_min": 0, "days_max": 0})
    return days_in_words(turn, slowest["days_min"], slowest["days_max"])


def days_in_words(turn: Turn, days_min: int, days_max: int) -> str:
    if not days_max:
        return turn.label("at_once")
    return turn.label("working_days").format(days_min=days_min, days_max=days_max)


# An item changed


class NewVariantStep(ChoiceStep):
    """What the item should become: by options said ("in L", "the white one") or by choosing."""

    slot = "new_variant"
    question = "utter_choose_variant"
    no_change = "utter_refused_nothing_to_change"

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if not asked:
            return None
        every, has = self.choices(turn), own_line(turn).variant.options
        wanted = _last_said(turn.all_of("color"), [*turn.all_of("size"), *_sizes_among(every, has, turn.text)])
        if wanted and wanted.items() <= has.items():
            turn.say(self.no_change)
            return Reply(None)
        if (chosen := super().read(turn, asked)) is not None:
            return chosen
        fitting = _fitting(every, wanted, has) if wanted else []
        if len(fitting) > 1:  # "M", where red and black come in it: the question comes again with these two
            said = {f"{name}s": [value] for name, value in wanted.items()}
            turn.set("item_words", {**(turn.slots.get("item_words") or {}), "colors": [], "sizes": [], "text": "", **said})
        return Reply(str(fitting[0].id)) if len(fitting) == 1 else Reply(None) if wanted else None

    def settle(self, turn: Turn) -> Any | End | Again | None:
        if (refusal := self.refusal(turn)) is not None:
            return self.refused(turn, refusal)
        every = self.choices(turn)
        if not every:
            return End(response="utter_no_other_variant", values={"item": line_title(turn, own_line(turn))})
        if (of_another := self._of_another_product(turn)) is not None:
            return End(refusal=of_another) if of_another.nearest in NEAREST else Again(self.slot, of_another)
        wanted = self._wanted(turn)
        fitting = _fitting(every, wanted, own_line(turn).variant.options)
        if wanted and not fitting:
            turn.say("utter_variant_unavailable", variant=formats.options(wanted, turn.language))
            return None
        return str(fitting[0].id) if wanted and len(fitting) == 1 else None

    def options(self, turn: Turn) -> list[Option]:
        wanted = self._wanted(turn)
        every = self.choices(turn)
        fitting = _fitting(every, wanted, own_line(turn).variant.options) or every
        return [_variant_option(turn, variant) for variant in fitting[:10]]

    def values(self, turn: Turn) -> dict[str, Any]:
        return {"item": line_title(turn, own_line(turn))}

    def refusal(self, turn: Turn) -> Refusal | None:
        """Why nothing could be changed at all, whatever it should become."""
        outcome = self.assessed(turn, None)
        return outcome if outcome is not None and outcome.rule != "incomplete" else None

    def assessed(self, turn: Turn, to_variant: Variant | None) -> Refusal | None:
        """Why the item cannot become this variant; None where it can."""
        to = to_variant.id if to_variant is not None else None
        parameters = {"order_number": turn.slots["order_number"], "line_id": int(turn.slots["line_id"]), "to_variant_id": to}
        outcome = turn.assess(CHANGING.operation(turn), parameters)
        return outcome if isinstance(outcome, Refusal) else None

    def refused(self, turn: Turn, refusal: Refusal) -> End:
        """What has arrived is exchanged instead, without asking anything twice."""
        if refusal.reason != "already_delivered":
            return End(refusal=refusal)
        values = {"order_number": turn.slots["order_number"]}
        return End(response="utter_switch_to_exchange", values=values, switch=TASKS["request_exchange"])

    def choices(self, turn: Turn) -> list[Variant]:
        return [choice.variant for choice in order_changes.choices_for_variant_change(turn.session, own_line(turn))]

    def _of_another_product(self, turn: Turn) -> Refusal | None:
        """Why it cannot be "the dress for a bag": the kind of thing named last is none in the order."""
        said = (turn.slots.get("item_words") or {}).get("categories") or []
        order = own_order(turn)
        if not said or said[-1] in {line.variant.product.category.slug for line in order.lines}:
            return None
        hits = catalog.search(
            turn.session, words=None, language=turn.language, category=said[-1], currency=order.currency, in_stock=True, limit=1
        )
        outcome = self.assessed(turn, hits[0].variants[0].variant) if hits else None
        return outcome if outcome is not None and outcome.reason == "other_product" else None

    def _wanted(self, turn: Turn) -> dict[str, str]:
        """The options said that the item does not have: in "the blue shirt M for an L" it is the L."""
        has = own_line(turn).variant.options
        words = turn.slots.get("item_words") or {}
        numbers = _numbers_among(self.choices(turn), words.get("text", ""))
        said = {"color": words.get("colors", []), "size": [*words.get("sizes", []), *numbers]}
        new = {name: [value for value in values if value != has.get(name)] for name, values in said.items()}
        return _last_said(new["color"], new["size"])


def _last_said(colors: Sequence[str], sizes: Sequence[str]) -> dict[str, str]:
    """Of several, the last: "the M for an L"."""
    return {name: values[-1] for name, values in (("color", colors), ("size", sizes)) if values}


def _fitting(every: Sequence[Variant], wanted: Mapping[str, str], has: Mapping[str, str]) -> list[Variant]:
    """The variants with the options said; of several, the one that is otherwise as the item is ("in L": of the same colour)."""
    fitting = [variant for variant in every if wanted.items() <= variant.options.items()]
    alike = [variant for variant in fitting if {**has, **wanted}.items() <= variant.options.items()]
    return alike if wanted and len(alike) == 1 else fitting


def _numbers_among(every: Sequence[Variant], text: str) -> list[str]:
    """The numbers in a text that are sizes of these variants: "for the 39"."""
    sizes = {str(variant.options.get("size")) for variant in every}
    return [number for number in re.findall(r"\d+", text) if number in sizes]


def _sizes_among(every: Sequence[Variant], has: Mapping[str, str], text: str) -> list[str]:
    """The words of an answer that are sizes of this product: "L", "the 39"."""
    sizes = {str(options.get("size")) for options in (has, *(variant.options for variant in every))}
    return [word for word in (each.strip(".,;:!?¡¿").upper() for each in text.split()) if word in sizes]


def _variant_option(turn: Turn, variant: Variant) -> Option:
    return Option(str(variant.id), formats.options(variant.options, turn.language), tuple(map(str, variant.options.values())))


class Changing(Write):
    form = "change_order_form"
    task = "change_order"
    asked_again = dict.fromkeys(("out_of_stock", "other_product"), "new_variant")

    def operation(self, turn: Turn) -> Operation:
        return order_changes.ChangeVariant(policies(), payment_url())

    def parameters(self, turn: Turn) -> dict[str, Any]:
        line, variant = int(turn.slots["line_id"]), int(turn.slots["new_variant"])
        return {"order_number": turn.slots["order_number"], "line_id": line, "to_variant_id": variant}

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        return {**worded(turn, summary), "money_words": _difference_in_words(turn, summary)}


def _difference_in_words(turn: Turn, summary: Mapping[str, Any]) -> str:
    """ "The price stays the same.", "You pay 5.00 more." or "You get 5.00 back."."""
    minor = summary["difference_minor"]
    key = "difference_none" if not minor else "difference_to_pay" if minor > 0 else "difference_to_refund"
    return turn.label(key).format(amount=turn.money(abs(minor), summary["currency"]))


CHANGING = Changing()


class ChangeOrderForm(TaskForm):
    form = Changing.form
    task = Changing.task
    steps = (*identity_steps("change_order"), OrderStep(CHANGEABLE), LineStep(), NewVariantStep(), ConfirmStep(CHANGING))


class ActionChangeOrder(SubmitAction):
    write = CHANGING
    action = "action_change_order"

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        response = "utter_done_change_order_to_pay" if result.get("payment_link") else "utter_done_change_order"
        turn.say(response, **worded(turn, result))


# Sent elsewhere


class NewAddressStep(Step):
    """Where to: a saved address, or one that is typed in one line."""

    slot = "new_address"

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        lead_ins = turn.label("address_lead_ins")
        if not asked:
            said_ahead = self._said_ahead(turn, lead_ins)
            return Reply({"address": said_ahead}) if said_ahead else self._corrected(turn)
        # A whole address comes before one that it is like: the saved one may lack what is typed here.
        address = address_said(turn.text, turn.locale, lead_ins) if tapped(self.slot, turn.entities) is None else None
        saved = SavedAddressChoice().read(turn, asked) if address is None else None
        if saved is not None:
            return Reply({"address_id": int(saved.value)})
        if address is None and any(sign.isdigit() for sign in turn.text):
            turn.say("utter_address_incomplete")
            return Reply(None)
        return Reply({"address": address}) if address else None

    def _said_ahead(self, turn: Turn, lead_ins: str) -> dict[str, str] | None:
        """A whole address in the request itself, with nothing but the order's number before it."""
        postcode = postcode_in(turn.text, turn.locale, lead_ins)
        numbers = [number for number in turn.all_of("order_number") if number != postcode]
        is_last = all(turn.text.find(number) < turn.text.rfind(str(postcode)) for number in numbers)
        return address_said(turn.text, turn.locale, lead_ins) if postcode and is_last else None

    def _corrected(self, turn: Turn) -> Reply | None:
        """ "No wait, the number is 223": the address with that; where it is only said that it is wrong, it is asked for again."""
        known, said = turn.slots.get(self.slot), words_of_message(turn)
        is_postcode = says_phrase(said, turn.label("postcode_words").split("|"))
        names_another_order = (turn.entity("order_number") and not is_postcode) or turn.entity("other")
        if known is None or turn.is_tap or names_another_order:
            return None
        is_about_it = is_postcode or says_phrase(said, turn.label("address_words").split("|"))
        if turn.intent != "correct_choice" and not is_about_it:
            return None
        correct = with_postcode if is_postcode else with_house_number
        changed = correct(known["address"], turn.text) if known.get("address") else None
        if changed is None and not is_about_it:
            return None
        turn.set("proposal_id", None)
        return Reply({"address": changed} if changed else None)

    def settle(self, turn: Turn) -> Any | End | None:
        parameters = {"order_number": turn.slots["order_number"]}
        outcome = turn.assess(MOVING.operation(turn), parameters)
        too_late = isinstance(outcome, Refusal) and outcome.rule != "incomplete"
        return End(refusal=outcome) if too_late else None  # type: ignore[arg-type]

    def ask(self, turn: Turn) -> None:
        said = [message.get("response") for message in turn.dispatcher.messages]
        if "utter_address_incomplete" not in said:  # that asks too
            SavedAddressChoice().ask(turn)


class SavedAddressChoice(ChoiceStep):
    slot = "new_address"
    question = "utter_choose_address"

    def values(self, turn: Turn) -> dict[str, Any]:
        return {"order_number": turn.slots["order_number"]}

    def options(self, turn: Turn) -> list[Option]:
        saved = order_changes.addresses(turn.session, turn.customer_id)
        present = own_order(turn).shipping_address.get("line1")
        return [Option(str(each.id), f"{each.line1}, {each.city}", (each.label,)) for each in saved if each.line1 != present]


class Moving(Write):
    form = "change_address_form"
    task = "change_address"
    asked_again = {"same_address": "new_address", "address_missing": "new_address"}

    def operation(self, turn: Turn) -> Operation:
        return order_changes.ChangeAddress(policies())

    def parameters(self, turn: Turn) -> dict[str, Any]:
        return {"order_number": turn.slots["order_number"], **turn.slots["new_address"]}

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        return {"order_number": summary["order_number"], "address": address_in_words(summary["to"])}


MOVING = Moving()


class ChangeAddressForm(TaskForm):
    form = Moving.form
    task = Moving.task
    steps = (*identity_steps("change_address"), OrderStep(CHANGEABLE), NewAddressStep(), ConfirmStep(MOVING))

    def advance(self, turn: Turn) -> list[dict[str, Any]]:
        second = turn.second_request() if turn.begins_form else None
        if second is None or second["intent"] != CancelOrderForm.task:
            return super().advance(turn)
        # "My address is ..., and I want to cancel 10258": nothing is sent anywhere, so the address changes nothing.
        turn.set("carried", {"text": second["text"], "entities": second["entities"]})
        return [*turn.events, SlotSet("requested_slot", None), FollowupAction(CancelOrderForm.form)]


class ActionChangeAddress(SubmitAction):
    write = MOVING
    action = "action_change_address"


# Paid another way


class NewMethodStep(ChoiceStep):
    """How to pay instead: one other method that the policy allows."""

    slot = "new_payment_method"
    question = "utter_choose_payment_method"

    def values(self, turn: Turn) -> dict[str, Any]:
        return {"order_number": turn.slots["order_number"]}

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if asked and (chosen := super().read(turn, asked)) is not None:
            return chosen
        said = self._said(turn, asked)
        return Reply(",".join(said)) if said else None

    def recognizes(self, turn: Turn) -> bool:
        return bool(self._said(turn, asked=True))

    def _said(self, turn: Turn, asked: bool) -> list[str]:
        """The methods named; asked how to pay, "store credit" is one, elsewhere it is where money goes back to."""
        credit = ["store_credit"] if asked and turn.entity("refund_to") == "store_credit" else []
        return list(dict.fromkeys(turn.all_of("payment_method"))) or credit

    def settle(self, turn: Turn) -> Any | End | None:
        parameters = {"order_number": turn.slots["order_number"], "method": None}
        outcome = turn.assess(PAYING.operation(turn), parameters)
        too_late = isinstance(outcome, Refusal) and outcome.reason != "method_missing"
        return End(refusal=outcome) if too_late else None  # type: ignore[arg-type]

    def options(self, turn: Turn) -> list[Option]:
        allowed = order_changes.methods_to_change_to(turn.session, own_order(turn), turn.customer_id, policies(), turn.today)
        return [Option(method, formats.as_title(turn.label(f"method_{method}"))) for method in allowed]


class Paying(Write):
    form = "change_payment_form"
    task = "change_payment"
    asked_again = dict.fromkeys(("several_methods", "same_method", "not_enough_balance", "method_missing"), "new_payment_method")

    def operation(self, turn: Turn) -> Operation:
        return order_changes.ChangePayment(policies(), payment_url())

    def parameters(self, turn: Turn) -> dict[str, Any]:
        methods = str(turn.slots["new_payment_method"]).split(",")
        return {"order_number": turn.slots["order_number"], "method": methods[0] if len(methods) == 1 else methods}

    def summary_response(self, turn: Turn, summary: Mapping[str, Any]) -> str:
        return "utter_confirm_change_payment" if summary["refunds"] else "utter_confirm_change_payment_unpaid"

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        return {**worded(turn, summary), "method": turn.label(f"method_{summary['to']}")}


PAYING = Paying()


class ChangePaymentForm(TaskForm):
    form = Paying.form
    task = Paying.task
    steps = (*identity_steps("change_payment"), OrderStep(CHANGEABLE), NewMethodStep(), ConfirmStep(PAYING))


class ActionChangePayment(SubmitAction):
    write = PAYING
    action = "action_change_payment"

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        response = "utter_done_change_payment_link" if result.get("payment_link") else "utter_done_change_payment"
        turn.say(response, **worded(turn, result))
