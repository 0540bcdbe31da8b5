"""Goods back, goods exchanged, something wrong with a delivery, and where the money is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.choices import Option
from actions.closing import close_task, refusal_values
from actions.confirmation import ConfirmStep, SubmitAction, Write
from actions.failing import never_silent
from actions.handoff import open_for
from actions.mailing import send_mail
from actions.order_steps import (
    MOST_ORDERS,
    LineStep,
    OrderStep,
    each_named,
    fitting_lines,
    line_title,
    own_line,
    own_order,
    says_phrase,
    words_of,
    words_of_message,
)
from actions.orders import NewVariantStep, counts_as_lost, days_in_words, identity_steps, lost_on, tell_progress
from actions.pictures import EvidenceStep
from actions.shop import policies
from actions.task_form import NOT_NEEDED, Again, ChoiceStep, End, Reply, Step, TaskForm
from actions.tasks import TASKS
from actions.turn import Turn, turn_of
from actions.wording import items_in_words, worded
from commerce import claims, orders, refunds, returns
from commerce.models import Order, OrderLine, Variant
from commerce.proposals import Operation, Refusal
from commerce.refunds import RefundProgress
from database import home_folder
from messaging import formats
from messaging.channel_abilities import SHOWS_FILES

DELIVERED = ("delivered", "partially_shipped", "shipped")
ALL = "all"
WAYS = ("drop_off", "pick_up", "store")
EASIEST_WAY = "store"  # it costs nothing: what is not possible so is not possible at all
# The policy's reasons by what the patterns call them.
REASONS_ALSO = {
    "too_large": ("too_big",),
    "defective": ("quality",),
    "changed_mind": ("found_cheaper", "ordered_by_mistake", "gift_unwanted"),
}
MOST_REFUNDS = 3


# What goes back


class ReturnItemsStep(ChoiceStep):
    """Which items, all in one go: one, several by their names, or all of them."""

    slot = "return_items"
    keeps = ("return_reason", "return_method", "refund_to")
    question = "utter_choose_items_to_return"

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if not asked:
            return self._with_more(turn)
        named = each_named(words_of_message(turn), list(own_order(turn).lines))
        if len(named) > 1:  # "the loafers and the wallet": more than one of the choices shown
            return Reply([_whole(turn, line) for line in named])
        chosen = super().read(turn, asked)
        if chosen is not None:
            return Reply(self._items(turn, chosen.value))
        if named:
            return Reply([_whole(turn, line) for line in named])
        return Reply(self._items(turn, ALL)) if _says_all(turn, words_of_message(turn)) else None

    def is_meant(self, turn: Turn) -> bool:
        return bool(self._added(turn))

    def settle(self, turn: Turn) -> Any | End | None:
        lines = list(own_order(turn).lines)
        said = turn.slots.get("item_words") or {}
        if says_phrase(said, turn.label("whole_order_words").split("|")):
            return [_whole(turn, line) for line in lines]
        named = lines if len(lines) == 1 else each_named(said, lines)
        if not named and _says_all(turn, said):
            return self._items(turn, ALL)
        if not named and not fitting_lines(said, lines) and len(possible := _may_come_back(turn, lines)) == 1:
            named = possible
        whole = [_whole(turn, line) for line in named]
        return whole if whole and all(each["quantity"] == 1 for each in whole) else None

    def named(self, turn: Turn) -> Any | None:
        return [_whole(turn, line) for line in each_named(words_of_message(turn), list(own_order(turn).lines))] or None

    def other_than(self, turn: Turn, before: Any) -> Any | None:
        others = [whole for line in own_order(turn).lines if (whole := _whole(turn, line)) not in before]
        return others if len(others) == 1 else None

    def _with_more(self, turn: Turn) -> Reply | None:
        """ "The chinos too", at whatever question: one return holds both."""
        added = self._added(turn)
        if not added:
            return None
        items = [*turn.slots[self.slot], *(_whole(turn, line) for line in added)]
        turn.say("utter_items_added", items=self.in_words(turn, items))
        return Reply(items)

    def _added(self, turn: Turn) -> list[OrderLine]:
        """The items of this order that the message names beside those chosen before."""
        chosen = [whole["line_id"] for whole in turn.slots.get(self.slot) or []]
        if not chosen or turn.is_tap or turn.intent == "correct_choice":
            return []
        if turn.entity("order_number") not in (None, turn.slots["order_number"]):
            return []
        said = words_of_message(turn)
        is_wanted = turn.intent == "request_return" or says_phrase(said, turn.label("also_words").split("|"))
        if not is_wanted and any(turn.entity(name) for name in ("reason", "problem", "return_method", "refund_to")):
            return []  # "the trousers don't fit" answers the question
        lines = list(own_order(turn).lines)
        named = lines if is_wanted and _says_all(turn, said) else each_named(said, lines)
        return [line for line in named if line.id not in chosen]

    def in_words(self, turn: Turn, value: Any) -> str:
        return _items_named(turn, value)

    def options(self, turn: Turn) -> list[Option]:
        lines = list(own_order(turn).lines)
        named = fitting_lines(turn.slots.get("item_words") or {}, lines) or lines
        hopeful = _may_come_back(turn, named)
        options = [option for line in named for option in _line_options(turn, line, line in hopeful)]
        several = len(named) > 1
        return [*options, Option(ALL, turn.label("all_items"), tuple(turn.label("all_words").split("|")))] if several else options

    def _items(self, turn: Turn, value: str) -> list[dict[str, int]]:
        if value == ALL:
            lines = list(own_order(turn).lines)
            return [_whole(turn, line) for line in fitting_lines(turn.slots.get("item_words") or {}, lines) or lines]
        line_id, quantity = map(int, value.split("x"))
        return [{"line_id": line_id, "quantity": quantity}]


def _says_all(turn: Turn, said: Mapping[str, Any]) -> bool:
    """ "Everything", and not "above all"."""
    says, says_not = (says_phrase(dict(said), turn.label(f"{key}_words").split("|")) for key in ("everything", "not_everything"))
    return says and not says_not


def _whole(turn: Turn, line: OrderLine) -> dict[str, int]:
    """All pieces that can still go back; where there are none, all of them: the refusal says why."""
    return {"line_id": line.id, "quantity": returns.pieces_left(turn.session, line) or line.quantity}


def _line_options(turn: Turn, line: OrderLine, may_come_back: bool) -> list[Option]:
    also = tuple(words_of(line))
    most = _whole(turn, line)["quantity"]
    if not may_come_back:  # named all the same, with a word about it: who looks for it should not miss it
        return [Option(f"{line.id}x{most}", turn.label("stays_marked").format(item=line_title(turn, line, most)), also)]
    counts = [most, *range(1, most)] if most <= 3 else [most, 1]
    return [Option(f"{line.id}x{count}", line_title(turn, line, count), also if count == most else ()) for count in counts]


# What cannot come back

OWN_REASON = ("other",)
ANY_REASON = ("other", "damaged")  # the shopper's own, and one that is our fault: what neither helps, none does


def _refused_lines(turn: Turn, order: Order, reasons: Sequence[str], package: str = "sealed") -> dict[int, Refusal]:
    """Why lines of the order cannot come back, by their id, for whichever of these reasons."""
    asked = (order.number, turn.now, policies())
    verdicts = [
        returns.returnable_lines(turn.session, turn.customer_id, *asked, reason=reason, package=package) for reason in reasons
    ]
    refused = [alike[0] for alike in zip(*verdicts, strict=True) if not any(each.is_allowed for each in alike)]
    return {verdict.line.id: returns.line_refusal(turn.session, verdict) for verdict in refused}


def _staying(turn: Turn) -> dict[int, Refusal]:
    """The lines that cannot come back as far as is said; the best is thought of what is not."""
    reason, package = turn.slots.get("return_reason"), turn.slots.get("package") or "sealed"
    reasons = (reason,) if reason else ANY_REASON
    return _refused_lines(turn, own_order(turn), reasons, "unknown" if package == NOT_NEEDED else package)


def _may_come_back(turn: Turn, lines: list[OrderLine]) -> list[OrderLine]:
    """Of these, the ones to offer; all where none may come back: the reason is told."""
    staying = _staying(turn)
    return [line for line in lines if line.id not in staying] or lines


def _leave_out_what_stays(turn: Turn) -> None:
    """Where some of the items cannot come back, say which and why, and go on with the others."""
    items = turn.slots.get("return_items") or []
    if len(items) < 2 or turn.identity.customer_id is None:
        return
    if returns.open_return(turn.session, own_order(turn).id) is not None:
        return
    staying = _staying(turn)
    going = [whole for whole in items if whole["line_id"] not in staying]
    if not going or len(going) == len(items):
        return
    turn.set("return_items", going)
    if any(refusal.reason == "hygiene_opened" for refusal in staying.values()):
        turn.set("package", NOT_NEEDED)  # it was that item's
    turn.say("utter_return_left_out", left_out=_staying_in_words(turn, items, staying), items=_items_named(turn, going))


def _staying_in_words(turn: Turn, items: Sequence[Mapping[str, int]], staying: Mapping[int, Refusal]) -> str:
    """ "Silk Scarf (red): it was a final sale", one line for each."""
    titles = {line.id: line_title(turn, line) for line in own_order(turn).lines}
    refused = [(titles[each["line_id"]], staying[each["line_id"]]) for each in items if each["line_id"] in staying]
    return formats.bullets(f"{title}: {_why_in_words(turn, refusal)}" for title, refusal in refused)


def _why_in_words(turn: Turn, refusal: Refusal) -> str:
    return turn.label(f"stays_{refusal.reason}").format(**refusal_values(turn, refusal))


def _items_named(turn: Turn, items: Sequence[Mapping[str, int]]) -> str:
    chosen = {each["line_id"]: each["quantity"] for each in items}
    lines = (line for line in own_order(turn).lines if line.id in chosen)
    return formats.listed((line_title(turn, line, chosen[line.id]) for line in lines), turn.locale)


class ReturnOrderStep(OrderStep):
    """Which order: of those that have arrived, the ones with something that may come back.

    reasons: why it might; what none of them lets come back is not offered.
    """

    def __init__(self, statuses: Sequence[str], reasons: Sequence[str]) -> None:
        super().__init__(statuses)
        self.reasons = tuple(reasons)

    def _in_question(self, turn: Turn, some: list[Order]) -> list[Order]:
        arrived = (order for order in some if order.status in self.statuses and self._has_something(turn, order))
        return list(islice(arrived, MOST_ORDERS + 1)) or super()._in_question(turn, some)

    def _has_something(self, turn: Turn, order: Order) -> bool:
        return len(_refused_lines(turn, order, self.reasons)) < len(order.lines)


class ReturnReasonStep(ChoiceStep):
    """Why: one of the reasons of the policy. Where no reason would help, that is said before one is asked."""

    slot = "return_reason"
    keeps = ("package", "return_method", "refund_to")
    question = "utter_choose_return_reason"

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if asked and (chosen := super().read(turn, asked)) is not None:
            return chosen
        said = turn.entity("reason") or {"damaged": "damaged", "wrong_item": "wrong_item"}.get(turn.entity("problem") or "")
        value = next((option.value for option in self.options(turn) if said in (option.value, *option.also)), None)
        just_added = turn.tracker.get_slot("return_items") != turn.slots.get("return_items")
        if value is None and asked and turn.intent == "inform" and not just_added:
            value = "other"
        return Reply(value) if value else None

    def settle(self, turn: Turn) -> Any | End | None:
        package = turn.slots.get("package") or "sealed"  # the best case: whether it is sealed is asked later
        outcomes = [_assess_return(turn, return_reason=reason, package=package) for reason in ANY_REASON]
        if not all(isinstance(outcome, Refusal) for outcome in outcomes):
            return None
        items, staying = turn.slots["return_items"], _staying(turn)
        why = {staying[each["line_id"]].reason for each in items if each["line_id"] in staying}
        if len(why) > 1:  # each item has a reason of its own
            return End(response="utter_return_all_stay", values={"left_out": _staying_in_words(turn, items, staying)})
        return End(refusal=_with_what_helps(turn, outcomes[0]))

    def options(self, turn: Turn) -> list[Option]:
        asked = {fact.name: fact for fact in policies().table("return_eligibility", turn.today).facts}
        known = [str(value) for value in asked["reason"].values]
        return [Option(reason, turn.label(f"reason_{reason}"), REASONS_ALSO.get(reason, ())) for reason in known]


def _with_what_helps(turn: Turn, refusal: Refusal) -> Refusal:
    """What is on its way can no more be cancelled or changed, as the table has it: there is the parcel to look at, or the
    case to open where it is too late; and what is cancelled never comes."""
    order = own_order(turn)
    if refusal.reason != "not_delivered":
        return refusal
    if order.status == "cancelled":
        return replace(refusal, reason="already_cancelled", nearest="refund_status")
    progress = orders.progress(order, turn.today)
    if progress.kind == "late":
        is_lost = counts_as_lost(turn, order)
        patience = {"claim_from": day.isoformat() if (day := lost_on(turn, progress)) else ""}
        reason, nearest = ("not_delivered_lost", "claim") if is_lost else ("not_delivered_late", "track")
        return replace(refusal, reason=reason, nearest=nearest, values={**refusal.values, **patience})
    return replace(refusal, nearest="track") if order.status in DELIVERED else refusal


class PackageStep(ChoiceStep):
    """Whether the package is still sealed; asked only where it decides."""

    slot = "package"
    question = "utter_choose_package"

    def settle(self, turn: Turn) -> Any | End | None:
        outcome = _assess_return(turn, package="unknown")
        decides = isinstance(outcome, Refusal) and outcome.reason == "package_unknown"
        return None if decides else NOT_NEEDED

    def ask(self, turn: Turn) -> None:
        several = len(turn.slots.get("return_items") or []) > 1
        question = "utter_choose_package_of" if several else self.question
        turn.offer(self.slot, self.options(turn), question, items=self._in_doubt(turn) if several else "")

    def _in_doubt(self, turn: Turn) -> str:
        """The items whose package decides."""
        reasons = (turn.slots.get("return_reason") or "other",)
        refused = _refused_lines(turn, own_order(turn), reasons, "unknown")
        items = turn.slots["return_items"]
        unknown = [each for each in items if each["line_id"] in refused and refused[each["line_id"]].reason == "package_unknown"]
        return _items_named(turn, unknown or items)

    def options(self, turn: Turn) -> list[Option]:
        return [_package_option(turn, value) for value in ("sealed", "opened")]

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        meant = {"affirm": "sealed", "deny": "opened"}.get(turn.intent)
        return super().read(turn, asked) or (Reply(meant) if asked and meant else None)


def _package_option(turn: Turn, value: str) -> Option:
    return Option(value, turn.label(f"package_{value}"), tuple(turn.label(f"package_{value}_words").split("|")))


class ReturnMethodStep(ChoiceStep):
    """How it travels back: the ways that the policy has for this return."""

    slot = "return_method"
    keeps: tuple[str, ...] = ("refund_to",)
    question = "utter_choose_return_method"

    def settle(self, turn: Turn) -> Any | End | Again | None:
        if turn.slots.get("refund_to") and isinstance(outcome := _assess_return(turn, return_method="store"), Refusal):
            return _money_elsewhere(turn, outcome)  # said before more is asked
        allowed = _allowed_methods(turn)
        if not allowed:
            outcome = _assess_return(turn, return_method="drop_off")
            return End(refusal=outcome) if isinstance(outcome, Refusal) else None
        return allowed[0] if len(allowed) == 1 else None

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        chosen = super().read(turn, asked)
        said = turn.entity("return_method")
        return chosen or (Reply(said) if said else None)

    def options(self, turn: Turn) -> list[Option]:
        return [Option(method, self._title(turn, method)) for method in _allowed_methods(turn)]

    def _title(self, turn: Turn, method: str) -> str:
        """ "Drop it off ($5.95)": with what the way costs, so that nobody learns it after choosing."""
        outcome = self.assessed(turn, method)
        summary = {} if isinstance(outcome, Refusal) else outcome.summary
        return f"{turn.label(f'return_by_{method}')} ({_fee_in_words(turn, summary)})"

    def assessed(self, turn: Turn, method: str) -> Any:
        return _by_way(turn, method)


class RefundToStep(ChoiceStep):
    """Where the money goes: the ways that the policy has for this order's payment."""

    slot = "refund_to"
    question = "utter_choose_refund_to"

    def settle(self, turn: Turn) -> Any | End | Again | None:
        allowed = _allowed_destinations(turn)
        if not allowed:
            outcome = _assess_return(turn, refund_to="store_credit")
            return _another_way(outcome) if isinstance(outcome, Refusal) else None
        return allowed[0] if len(allowed) == 1 else None

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        said = turn.entity("refund_to")  # before the options: "another card" is not the card that was paid with
        return Reply(said) if said else super().read(turn, asked)

    def recognizes(self, turn: Turn) -> bool:
        return turn.entity("refund_to") is not None

    def options(self, turn: Turn) -> list[Option]:
        return [Option(way, turn.label(f"refund_to_{way}"), self._also(turn, way)) for way in _allowed_destinations(turn)]

    def _also(self, turn: Turn, way: str) -> tuple[str, ...]:
        """The way it was paid has a name of its own: "my card"."""
        words = turn.label(f"refund_to_{way}_words").split("|")
        paid = [payment.method for payment in own_order(turn).payments] if way == "original" else []
        return (*words, *paid, *(turn.label(f"method_{method}") for method in paid))


def _allowed_destinations(turn: Turn, **assumed: str) -> list[str]:
    ways = ("original", "store_credit")
    return [way for way in ways if not isinstance(_assess_return(turn, refund_to=way, **assumed), Refusal)]


def _money_elsewhere(turn: Turn, refusal: Refusal) -> End | Again:
    """The money cannot go where it was wanted: where else is asked; where there is store credit only, that is offered."""
    is_a_choice = "original" in _allowed_destinations(turn, return_method="store")
    return Again("refund_to", refusal) if is_a_choice else End(refusal=refusal)


def _another_way(refusal: Refusal) -> End | Again:
    """The wanted way back is not possible there: which one then is asked."""
    return Again("return_method", refusal) if refusal.reason == "pick_up_unavailable" else End(refusal=refusal)


def _fee_in_words(turn: Turn, summary: Mapping[str, Any]) -> str:
    fee = summary.get("shipping_fee_minor")
    return turn.money(fee, summary["currency"]) if fee else turn.label("free_of_charge")


def _allowed_methods(turn: Turn) -> list[str]:
    return [way for way in WAYS if not isinstance(_by_way(turn, way), Refusal)]


def _by_way(turn: Turn, way: str) -> Any:
    """The verdict on this way back, wherever the money goes: its fee is the same."""
    by_payment = _assess_return(turn, return_method=way, refund_to="original")
    return _assess_return(turn, return_method=way, refund_to="store_credit") if isinstance(by_payment, Refusal) else by_payment


def _assess_return(turn: Turn, **assumed: str) -> Any:
    """The verdict on the return as far as it is known, with what is assumed for the rest."""
    defaults = {"return_reason": "other", "package": "unknown", "return_method": "drop_off", "refund_to": "store_credit"}
    known = {slot: turn.slots[slot] for slot in defaults if turn.slots.get(slot) not in (None, NOT_NEEDED)}
    parameters = _return_parameters(turn, {**defaults, **known, **assumed})
    return turn.assess(RETURNING.operation(turn), parameters)


def _return_parameters(turn: Turn, slots: Mapping[str, Any]) -> dict[str, Any]:
    package = slots["package"]
    return {
        "order_number": turn.slots["order_number"],
        "lines": turn.slots["return_items"],
        "reason": slots["return_reason"],
        "package": "unknown" if package == NOT_NEEDED else package,
        "method": slots["return_method"],
        "refund_to": slots["refund_to"],
    }


class Returning(Write):
    form = "return_request_form"
    task = "request_return"
    asked_again = {
        "other_account": "refund_to",
        "destination_not_offered": "refund_to",
        "pick_up_unavailable": "return_method",
        "quantity_too_large": "return_items",
        "package_unknown": "package",
    }

    def operation(self, turn: Turn) -> Operation:
        return returns.AuthorizeReturn(policies(), home_folder())

    def parameters(self, turn: Turn) -> dict[str, Any]:
        return _return_parameters(turn, turn.slots)

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        way = {"method": turn.label(f"return_way_{summary['method']}"), "shipping": _cost_in_words(turn, summary)}
        return {**worded(turn, summary), **way, **_money_in_words(turn, summary)}


def _cost_in_words(turn: Turn, summary: Mapping[str, Any]) -> str:
    cost = _fee_in_words(turn, summary)
    return turn.label("return_fee").format(amount=cost) if summary["shipping_fee_minor"] else cost


def _money_in_words(turn: Turn, summary: Mapping[str, Any]) -> dict[str, str]:
    """Where the refund goes and when it is there, counted from the day the goods are back."""
    days = {name: summary[f"refund_days_{name}"] or 0 for name in ("min", "max")}
    when = turn.label("refund_after_days").format(**days) if days["max"] else turn.label("refund_on_arrival")
    return {"refund_to": turn.label(f"refund_target_{summary['refund_to']}"), "refund_time": when}


def _time_in_words(turn: Turn, summary: Mapping[str, Any]) -> str:
    return days_in_words(turn, summary["refund_days_min"] or 0, summary["refund_days_max"] or 0)


RETURNING = Returning()


class ReturnRequestForm(TaskForm):
    form = Returning.form
    task = Returning.task
    steps = (
        *identity_steps("request_return"),
        ReturnOrderStep(DELIVERED, ANY_REASON),
        ReturnItemsStep(),
        ReturnReasonStep(),
        PackageStep(),
        ReturnMethodStep(),
        RefundToStep(),
        ConfirmStep(RETURNING),
    )

    def _open_steps(self, turn: Turn) -> Iterator[Step]:
        for step in super()._open_steps(turn):
            _leave_out_what_stays(turn)  # each answer may tell more of what cannot come back
            yield step


class ActionAuthorizeReturn(SubmitAction):
    write = RETURNING
    action = "action_authorize_return"

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        turn.say(f"utter_done_request_return_{result['method']}", **{**worded(turn, result), **_money_in_words(turn, result)})
        _hand_over_label(turn, "return_label", result)


def _hand_over_label(turn: Turn, text: str, result: Mapping[str, Any], **more: str) -> None:
    """By mail, and in the chat where it can show a document."""
    customer = turn.customer
    if customer is None or not result.get("label_path"):
        return
    if turn.channel in SHOWS_FILES:
        name = turn.label("label_document").format(rma_number=result["rma_number"])
        file = {"src": result["label_path"], "name": name}
        turn.dispatcher.utter_message(attachment={"type": "document", "payload": file})
    back = returns.items_of(turn.session, customer.id, result["rma_number"])
    values = {
        "rma_number": result["rma_number"],
        "order_number": result["order_number"],
        "items": formats.bullets(items_in_words(turn, [item]) for item in back),
        "ship_by": turn.day(result["send_by"]),
    }
    send_mail(turn, text, customer, f"label:{result['rma_number']}", [result["label_path"]], **values, **more)


# Exchanged


class ExchangeVariantStep(NewVariantStep):
    """What comes instead: another variant of the same product that can be sent now."""

    no_change = "utter_refused_same_variant"

    def refusal(self, turn: Turn) -> Refusal | None:
        to_variant = next(iter(self.choices(turn)), own_line(turn).variant)
        outcome = self.assessed(turn, to_variant)
        return _with_what_helps(turn, outcome) if outcome is not None and outcome.reason not in DEPENDS_ON_CHOICE else None

    def assessed(self, turn: Turn, to_variant: Variant | None) -> Refusal | None:
        assert to_variant is not None  # an exchange is always for something
        parameters = EXCHANGING.parameters_with(turn, {"new_variant": to_variant.id, "return_reason": "other"})
        outcome = turn.assess(EXCHANGING.operation(turn), parameters)
        return outcome if isinstance(outcome, Refusal) else None

    def refused(self, turn: Turn, refusal: Refusal) -> End:
        """What is not sent yet is changed in the order instead, without asking anything twice."""
        if refusal.reason != "not_delivered" or refusal.nearest != "change_order":
            return End(refusal=refusal)
        values = {"order_number": turn.slots["order_number"]}
        return End(response="utter_switch_to_change_order", values=values, switch=TASKS["change_order"])

    def choices(self, turn: Turn) -> list[Variant]:
        line = own_line(turn)
        return [each.variant for each in returns.exchange_choices(turn.session, line, line.order.currency)]


DEPENDS_ON_CHOICE = ("out_of_stock", "method_cannot_bear_difference", "same_variant", "package_unknown", "other_product")


class ExchangeReasonStep(ReturnReasonStep):
    """Asked for the record and for who pays the way; an exchange is refused by what is wanted, before this."""

    def settle(self, turn: Turn) -> Any | End | None:
        return None


class ExchangePackageStep(PackageStep):
    def settle(self, turn: Turn) -> Any | End | None:
        outcome = turn.assess(EXCHANGING.operation(turn), EXCHANGING.parameters(turn))
        decides = isinstance(outcome, Refusal) and outcome.reason == "package_unknown"
        return None if decides else NOT_NEEDED


class ExchangeMethodStep(ReturnMethodStep):
    """How the old one travels back; its fee counts with the price difference."""

    keeps = ()

    def settle(self, turn: Turn) -> Any | End | Again | None:
        allowed = self._allowed(turn)
        if not allowed:
            outcome = self.assessed(turn, EASIEST_WAY)
            return End(refusal=outcome) if isinstance(outcome, Refusal) else None
        return allowed[0] if len(allowed) == 1 else None

    def options(self, turn: Turn) -> list[Option]:
        return [Option(method, self._title(turn, method)) for method in self._allowed(turn)]

    def assessed(self, turn: Turn, method: str) -> Any:
        parameters = EXCHANGING.parameters_with(turn, {"return_method": method})
        return turn.assess(EXCHANGING.operation(turn), parameters)

    def _allowed(self, turn: Turn) -> list[str]:
        return [way for way in WAYS if not isinstance(self.assessed(turn, way), Refusal)]


class Exchanging(Write):
    form = "exchange_request_form"
    task = "request_exchange"
    asked_again = {
        "out_of_stock": "new_variant",
        "other_product": "new_variant",
        "package_unknown": "package",
        "pick_up_unavailable": "return_method",
    }

    def operation(self, turn: Turn) -> Operation:
        return returns.AuthorizeExchange(policies(), home_folder())

    def parameters(self, turn: Turn) -> dict[str, Any]:
        return self.parameters_with(turn, {})

    def parameters_with(self, turn: Turn, assumed: Mapping[str, Any]) -> dict[str, Any]:
        slots = {**turn.slots, **assumed}
        package = slots.get("package") or "unknown"
        return {
            "order_number": slots["order_number"],
            "line_id": int(slots["line_id"]),
            "quantity": _whole(turn, own_line(turn))["quantity"],
            "to_variant_id": int(slots["new_variant"]),
            "reason": slots.get("return_reason") or "other",
            "method": slots.get("return_method") or EASIEST_WAY,
            "package": "unknown" if package == NOT_NEEDED else package,
        }

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        way = turn.label(f"return_way_{summary['method']}")
        return {**worded(turn, summary), "method": way, "money_words": _settlement_in_words(turn, summary)}


def _settlement_in_words(turn: Turn, summary: Mapping[str, Any]) -> str:
    """ "You'd pay $5.95 for the way back.": what is paid or given back, and what for."""
    minor, fee = summary["to_pay_minor"] - summary["refund_minor"], summary["shipping_fee_minor"]
    key = "difference_none" if not minor else "difference_to_pay" if minor > 0 else "difference_to_refund"
    if fee:
        key = "exchange_way_only" if minor == fee else f"exchange_{key}"
    amounts = {"amount": turn.money(abs(minor), summary["currency"]), "fee": turn.money(fee, summary["currency"])}
    return turn.label(key).format(**amounts)


EXCHANGING = Exchanging()


class ExchangeRequestForm(TaskForm):
    form = Exchanging.form
    task = Exchanging.task
    steps = (
        *identity_steps("request_exchange"),
        ReturnOrderStep(DELIVERED, OWN_REASON),
        LineStep(),
        ExchangeVariantStep(),
        ExchangeReasonStep(),
        ExchangePackageStep(),
        ExchangeMethodStep(),
        ConfirmStep(EXCHANGING),
    )


class ActionAuthorizeExchange(SubmitAction):
    write = EXCHANGING
    action = "action_authorize_exchange"

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        is_to_pay = result["to_pay_minor"] > 0
        response = "utter_done_request_exchange_to_pay" if is_to_pay else "utter_done_request_exchange"
        values = worded(turn, result)
        way = turn.label(f"send_by_{result['method']}").format(send_by=values["send_by"])
        turn.say(response, **values, way=way)
        _hand_over_label(turn, "exchange_label", result, replacements=items_in_words(turn, [result["to"]]))


# Something went wrong


class ProblemStep(ChoiceStep):
    """What went wrong."""

    slot = "problem"
    question = "utter_choose_problem"
    kinds = ("not_received", "damaged", "wrong_item", "missing_item")

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        chosen = super().read(turn, asked)
        said = turn.entity("problem")
        return chosen or (Reply(said) if said in self.kinds else None)

    def settle(self, turn: Turn) -> Any | End | None:
        return None

    def options(self, turn: Turn) -> list[Option]:
        return [Option(kind, turn.label(f"problem_{kind}")) for kind in self.kinds]


WHERE_IT_IS = ("ready_for_pickup", "returned_to_sender")  # not lost: it came to the store, or back to us


class ClaimedLineStep(LineStep):
    """Which item; not asked where the whole parcel is missing."""

    def settle(self, turn: Turn) -> Any | End | None:
        if turn.slots.get("problem") != "not_received":
            return super().settle(turn)
        progress = orders.progress(own_order(turn), turn.today)
        if progress.kind not in WHERE_IT_IS:
            return ALL
        tell_progress(turn, own_order(turn), progress)
        return End()


class Claiming(Write):
    form = "problem_report_form"
    task = "report_problem"

    def operation(self, turn: Turn) -> Operation:
        return claims.OpenClaim(policies(), home_folder())

    def parameters(self, turn: Turn) -> dict[str, Any]:
        line = turn.slots["line_id"]
        return {
            "order_number": turn.slots["order_number"],
            "line_id": None if line == ALL else int(line),
            "problem": turn.slots["problem"],
            "note": "",
            "evidence": pictures if isinstance(pictures := turn.slots.get("evidence"), list) else [],
            "resolution": turn.slots.get("resolution"),
        }

    def summary_response(self, turn: Turn, summary: Mapping[str, Any]) -> str:
        return f"utter_confirm_report_problem_{summary['resolution']}"

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        money = {"refund_to": "", "refund_time": ""}
        if summary["refund_to"]:
            target = turn.label(f"refund_target_{summary['refund_to']}")
            money = {"refund_to": target, "refund_time": _time_in_words(turn, summary)}
        return {**worded(turn, summary), **money}


CLAIMING = Claiming()


class ClaimEvidenceStep(EvidenceStep):
    def assessed(self, turn: Turn) -> Any:
        return turn.assess(CLAIMING.operation(turn), CLAIMING.parameters(turn))


class ResolutionStep(ChoiceStep):
    """Sent again or the money back; asked only where the shop can do both."""

    slot = "resolution"
    question = "utter_choose_resolution"

    def values(self, turn: Turn) -> dict[str, Any]:
        outcome = turn.assess(CLAIMING.operation(turn), CLAIMING.parameters(turn))
        return {} if isinstance(outcome, Refusal) else worded(turn, outcome.summary)

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if asked and (chosen := super().read(turn, asked)) is not None:
            return chosen
        return Reply("refund") if turn.entity("refund_to") else None

    def settle(self, turn: Turn) -> Any | End | None:
        outcome = turn.assess(CLAIMING.operation(turn), CLAIMING.parameters(turn))
        if isinstance(outcome, Refusal):
            return End(refusal=outcome)
        return None if len(self.options(turn)) > 1 else NOT_NEEDED

    def options(self, turn: Turn) -> list[Option]:
        return [_resolution_option(turn, wish) for wish in ("replacement", "refund") if _can_be_met(turn, wish)]


def _resolution_option(turn: Turn, wish: str) -> Option:
    return Option(wish, turn.label(f"wish_{wish}"), tuple(turn.label(f"wish_{wish}_words").split("|")))


def _can_be_met(turn: Turn, wish: str) -> bool:
    parameters = {**CLAIMING.parameters(turn), "resolution": wish}
    outcome = turn.assess(CLAIMING.operation(turn), parameters)
    return not isinstance(outcome, Refusal) and outcome.summary["resolution"] == wish


class ProblemReportForm(TaskForm):
    form = Claiming.form
    task = Claiming.task
    steps = (
        *identity_steps("report_problem"),
        OrderStep(DELIVERED),
        ProblemStep(),
        ClaimedLineStep(),
        ClaimEvidenceStep(),
        ResolutionStep(),
        ConfirmStep(CLAIMING),
    )


class ActionOpenClaim(SubmitAction):
    write = CLAIMING
    action = "action_open_claim"

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        turn.say(f"utter_done_report_problem_{result['resolution']}", **worded(turn, result))
        if result["resolution"] == "agent":
            verdict = {"rule": result["agent_reason"], "verdict": "needs_human", "claim": result["claim_number"]}
            open_for(turn, "policy", goal=self.write.task, verdict=verdict)
        _hand_over_label(turn, "return_label", result)

    def is_settled(self, result: Mapping[str, Any]) -> bool:
        return result["resolution"] != "agent"


# Where the money is


class RefundStatusForm(TaskForm):
    form = "refund_status_form"
    task = "refund_status"
    steps = identity_steps("refund_status")

    def advance(self, turn: Turn) -> list[dict[str, Any]]:
        # Before we know who asks, the number waits.
        if (number := turn.entity("rma_number") or turn.entity("order_number")) is not None:
            turn.set("wanted_order", number)
        return super().advance(turn)


class ActionTellRefunds(Action):
    def name(self) -> str:
        return "action_tell_refunds"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            if turn.slots.get("current_task") == RefundStatusForm.form:
                self._tell(turn)
                close_task(turn, settled=False)
            return turn.events

    def _tell(self, turn: Turn) -> None:
        number = turn.slots.get("wanted_order") or turn.slots.get("order_number")
        known = refunds.status(turn.session, turn.customer_id)
        asked = [each for each in known if number in (None, each.order_number, each.rma_number)]
        if not asked:
            self._tell_none(turn, number)
        # Without a number, those that are still on their way; the newest where there are none.
        under_way = [each for each in asked if each.is_under_way] if number is None else asked
        for progress in (under_way or asked[:1])[:MOST_REFUNDS]:
            _tell_refund(turn, progress)

    def _tell_none(self, turn: Turn, number: str | None) -> None:
        if number is None:
            turn.say("utter_no_refunds")
        else:
            turn.say("utter_no_refund_of_order", number=number)


def _tell_refund(turn: Turn, progress: RefundProgress) -> None:
    values = _refund_values(turn, progress)
    if progress.closed_as:
        turn.say(f"utter_refund_of_{progress.closed_as}_return", **values)
    else:
        turn.say(f"utter_refund_{progress.status}", **values)


def _refund_values(turn: Turn, progress: RefundProgress) -> dict[str, Any]:
    steps = (f"{'✓' if step.is_done else '…'} {turn.label(f'refund_step_{step.name}')}" for step in progress.steps)
    return {
        "order_number": progress.order_number,
        "amount": turn.money(progress.amount_minor, progress.currency),
        "method": progress.method or turn.label(f"refund_to_{progress.destination}"),
        "due_from": turn.day(progress.due_from),
        "due_by": turn.day(progress.due_by),
        "send_by": turn.day(progress.send_by),
        "steps": "\n".join(steps),
    }
