"""Goods back, goods exchanged, something wrong with a delivery, and where the money is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import formats
from actions.choices import Option
from actions.closing import close_task
from actions.confirmation import ConfirmStep, SubmitAction, Write
from actions.handoff import open_for
from actions.mailing import send_mail
from actions.order_steps import (
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
from actions.orders import NewVariantStep, days_in_words, identity_steps, tell_progress
from actions.shop import policies
from actions.task_form import NOT_NEEDED, ChoiceStep, End, Reply, TaskForm
from actions.tasks import TASKS
from actions.turn import Turn, turn_of
from actions.wording import items_in_words, worded
from commerce import claims, orders, refunds, returns
from commerce.models import OrderLine, Variant
from commerce.proposals import Operation, Refusal
from commerce.refunds import RefundProgress
from database import home_folder

DELIVERED = ("delivered", "partially_shipped", "shipped")
ALL = "all"
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
        named = each_named(words_of_message(turn), list(own_order(turn).lines)) if asked else []
        if len(named) > 1:  # "the loafers and the wallet": more than one of the choices shown
            return Reply([_whole(line) for line in named])
        chosen = super().read(turn, asked)
        if chosen is not None:
            return Reply(self._items(turn, chosen.value))
        return Reply([_whole(line) for line in named]) if named else None

    def settle(self, turn: Turn) -> Any | End | None:
        lines = list(own_order(turn).lines)
        said = turn.slots.get("item_words") or {}
        if says_phrase(said, turn.label("whole_order_words").split("|")):
            return [_whole(line) for line in lines]
        named = lines if len(lines) == 1 else each_named(said, lines)
        return [_whole(line) for line in named] if named and all(line.quantity == 1 for line in named) else None

    def named(self, turn: Turn) -> Any | None:
        return [_whole(line) for line in each_named(words_of_message(turn), list(own_order(turn).lines))] or None

    def other_than(self, turn: Turn, before: Any) -> Any | None:
        others = [whole for line in own_order(turn).lines if (whole := _whole(line)) not in before]
        return others if len(others) == 1 else None

    def in_words(self, turn: Turn, value: Any) -> str:
        chosen = [whole["line_id"] for whole in value]
        return formats.listed((line_title(turn, line) for line in own_order(turn).lines if line.id in chosen), turn.locale)

    def options(self, turn: Turn) -> list[Option]:
        lines = list(own_order(turn).lines)
        named = fitting_lines(turn.slots.get("item_words") or {}, lines) or lines
        options = [option for line in named for option in _line_options(turn, line)]
        several = len(named) > 1
        return [*options, Option(ALL, turn.label("all_items"), tuple(turn.label("all_words").split("|")))] if several else options

    def _items(self, turn: Turn, value: str) -> list[dict[str, int]]:
        if value == ALL:
            return [_whole(line) for line in own_order(turn).lines]
        line_id, quantity = map(int, value.split("x"))
        return [{"line_id": line_id, "quantity": quantity}]


def _whole(line: OrderLine) -> dict[str, int]:
    return {"line_id": line.id, "quantity": line.quantity}


def _line_options(turn: Turn, line: OrderLine) -> list[Option]:
    also = tuple(words_of(line))
    counts = [line.quantity, *range(1, line.quantity)] if line.quantity <= 3 else [line.quantity, 1]
    return [
        Option(f"{line.id}x{count}", line_title(turn, line, count), also if count == line.quantity else ()) for count in counts
    ]


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
        if value is None and asked and turn.intent == "inform":
            value = "other"
        return Reply(value) if value else None

    def settle(self, turn: Turn) -> Any | End | None:
        outcomes = [_assess_return(turn, return_reason=reason) for reason in ("other", "damaged")]
        hopeless = all(isinstance(outcome, Refusal) for outcome in outcomes)
        return End(refusal=_with_what_helps(turn, outcomes[0])) if hopeless else None

    def options(self, turn: Turn) -> list[Option]:
        asked = {fact.name: fact for fact in policies().table("return_eligibility", turn.today).facts}
        known = [str(value) for value in asked["reason"].values]
        return [Option(reason, turn.label(f"reason_{reason}"), REASONS_ALSO.get(reason, ())) for reason in known]


def _with_what_helps(turn: Turn, refusal: Refusal) -> Refusal:
    """What is on its way can no more be cancelled or changed, as the table has it: there is the parcel to look at."""
    is_on_its_way = refusal.reason == "not_delivered" and own_order(turn).status in DELIVERED
    return replace(refusal, nearest="track") if is_on_its_way else refusal


class PackageStep(ChoiceStep):
    """Whether the package is still sealed; asked only where it decides."""

    slot = "package"
    question = "utter_choose_package"

    def settle(self, turn: Turn) -> Any | End | None:
        outcome = _assess_return(turn, package="unknown")
        decides = isinstance(outcome, Refusal) and outcome.reason == "package_unknown"
        return None if decides else NOT_NEEDED

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
    keeps = ("refund_to",)
    question = "utter_choose_return_method"

    def settle(self, turn: Turn) -> Any | End | None:
        if turn.slots.get("refund_to") and isinstance(outcome := _assess_return(turn, return_method="store"), Refusal):
            return End(refusal=outcome)  # the money cannot go where it was wanted: said before more is asked
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
        return [Option(method, _method_title(turn, method)) for method in _allowed_methods(turn)]


class RefundToStep(ChoiceStep):
    """Where the money goes: the ways that the policy has for this order's payment."""

    slot = "refund_to"
    question = "utter_choose_refund_to"

    def settle(self, turn: Turn) -> Any | End | None:
        allowed = self._allowed(turn)
        if not allowed:
            outcome = _assess_return(turn, refund_to="store_credit")
            return End(refusal=outcome) if isinstance(outcome, Refusal) else None
        return allowed[0] if len(allowed) == 1 else None

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        chosen = super().read(turn, asked)
        said = turn.entity("refund_to")
        return chosen or (Reply(said) if said else None)

    def options(self, turn: Turn) -> list[Option]:
        return [Option(way, turn.label(f"refund_to_{way}")) for way in self._allowed(turn)]

    def _allowed(self, turn: Turn) -> list[str]:
        ways = ("original", "store_credit")
        return [way for way in ways if not isinstance(_assess_return(turn, refund_to=way), Refusal)]


def _method_title(turn: Turn, method: str) -> str:
    """ "Drop it off ($5.95)": with what the way costs, so that nobody learns it after choosing."""
    outcome = _assess_return(turn, return_method=method)
    summary = {} if isinstance(outcome, Refusal) else outcome.summary
    return f"{turn.label(f'return_by_{method}')} ({_fee_in_words(turn, summary)})"


def _fee_in_words(turn: Turn, summary: Mapping[str, Any]) -> str:
    fee = summary.get("shipping_fee_minor")
    return turn.money(fee, summary["currency"]) if fee else turn.label("free_of_charge")


def _allowed_methods(turn: Turn) -> list[str]:
    ways = ("drop_off", "pick_up", "store")
    return [way for way in ways if _is_possible(turn, way)]


def _is_possible(turn: Turn, way: str) -> bool:
    outcomes = (_assess_return(turn, return_method=way, refund_to=to) for to in ("original", "store_credit"))
    return any(not isinstance(outcome, Refusal) for outcome in outcomes)


def _assess_return(turn: Turn, **assumed: str) -> Any:
    """The verdict on the return as far as it is known, with what is assumed for the rest."""
    defaults = {"return_reason": "other", "package": "unknown", "return_method": "drop_off", "refund_to": "store_credit"}
    known = {slot: turn.slots[slot] for slot in defaults if turn.slots.get(slot) not in (None, NOT_NEEDED)}
    parameters = _return_parameters(turn, {**defaults, **known, **assumed})
    return RETURNING.operation(turn).assess(turn.session, turn.customer_id, parameters, turn.now)


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
        OrderStep(DELIVERED),
        ReturnItemsStep(),
        ReturnReasonStep(),
        PackageStep(),
        ReturnMethodStep(),
        RefundToStep(),
        ConfirmStep(RETURNING),
    )


class ActionAuthorizeReturn(SubmitAction):
    write = RETURNING
    action = "action_authorize_return"

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        turn.say(f"utter_done_request_return_{result['method']}", **{**worded(turn, result), **_money_in_words(turn, result)})
        _mail_label(turn, "return_label", result)


def _mail_label(turn: Turn, text: str, result: Mapping[str, Any], **more: str) -> None:
    customer = turn.customer
    if customer is None or not result.get("label_path"):
        return
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

    def refusal(self, turn: Turn) -> Refusal | None:
        for to_variant in self.choices(turn)[:1] or [own_line(turn).variant]:
            parameters = EXCHANGING.parameters_with(turn, {"new_variant": to_variant.id, "return_reason": "other"})
            outcome = EXCHANGING.operation(turn).assess(turn.session, turn.customer_id, parameters, turn.now)
            if isinstance(outcome, Refusal) and outcome.reason not in DEPENDS_ON_CHOICE:
                return _with_what_helps(turn, outcome)
        return None

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
        outcome = EXCHANGING.operation(turn).assess(turn.session, turn.customer_id, EXCHANGING.parameters(turn), turn.now)
        decides = isinstance(outcome, Refusal) and outcome.reason == "package_unknown"
        return None if decides else NOT_NEEDED


class Exchanging(Write):
    form = "exchange_request_form"
    task = "request_exchange"

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
            "quantity": own_line(turn).quantity,
            "to_variant_id": int(slots["new_variant"]),
            "reason": slots.get("return_reason") or "other",
            "method": "drop_off",
            "package": "unknown" if package == NOT_NEEDED else package,
        }

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        return {**worded(turn, summary), "money_words": _settlement_in_words(turn, summary)}


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
        OrderStep(DELIVERED),
        LineStep(),
        ExchangeVariantStep(),
        ExchangeReasonStep(),
        ExchangePackageStep(),
        ConfirmStep(EXCHANGING),
    )


class ActionAuthorizeExchange(SubmitAction):
    write = EXCHANGING
    action = "action_authorize_exchange"

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        is_to_pay = result["to_pay_minor"] > 0
        response = "utter_done_request_exchange_to_pay" if is_to_pay else "utter_done_request_exchange"
        turn.say(response, **worded(turn, result))
        _mail_label(turn, "exchange_label", result, replacements=items_in_words(turn, [result["to"]]))


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


class ClaimedLineStep(LineStep):
    """Which item; not asked where the whole parcel is missing."""

    def settle(self, turn: Turn) -> Any | End | None:
        if turn.slots.get("problem") != "not_received":
            return super().settle(turn)
        progress = orders.progress(own_order(turn), turn.today)
        if progress.kind != "ready_for_pickup":
            return ALL
        tell_progress(turn, own_order(turn), progress)  # it came: to the store
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


class ResolutionStep(ChoiceStep):
    """Sent again or the money back; asked only where the shop can do both."""

    slot = "resolution"
    question = "utter_choose_resolution"

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if asked and (chosen := super().read(turn, asked)) is not None:
            return chosen
        return Reply("refund") if turn.entity("refund_to") else None

    def settle(self, turn: Turn) -> Any | End | None:
        outcome = CLAIMING.operation(turn).assess(turn.session, turn.customer_id, CLAIMING.parameters(turn), turn.now)
        if isinstance(outcome, Refusal):
            return End(refusal=outcome)
        return None if len(self.options(turn)) > 1 else NOT_NEEDED

    def options(self, turn: Turn) -> list[Option]:
        return [_resolution_option(turn, wish) for wish in ("replacement", "refund") if _can_be_met(turn, wish)]


def _resolution_option(turn: Turn, wish: str) -> Option:
    return Option(wish, turn.label(f"wish_{wish}"), tuple(turn.label(f"wish_{wish}_words").split("|")))


def _can_be_met(turn: Turn, wish: str) -> bool:
    parameters = {**CLAIMING.parameters(turn), "resolution": wish}
    outcome = CLAIMING.operation(turn).assess(turn.session, turn.customer_id, parameters, turn.now)
    return not isinstance(outcome, Refusal) and outcome.summary["resolution"] == wish


class ProblemReportForm(TaskForm):
    form = Claiming.form
    task = Claiming.task
    steps = (
        *identity_steps("report_problem"),
        OrderStep(DELIVERED),
        ProblemStep(),
        ClaimedLineStep(),
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
        _mail_label(turn, "return_label", result)

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
        # Without a number, those that are still on their way; the newest where all have arrived.
        under_way = [each for each in asked if each.status != "settled"] if number is None else asked
        for progress in (under_way or asked[:1])[:MOST_REFUNDS]:
            turn.say(f"utter_refund_{progress.status}", **_refund_values(turn, progress))

    def _tell_none(self, turn: Turn, number: str | None) -> None:
        if number is None:
            turn.say("utter_no_refunds")
        else:
            turn.say("utter_no_refund_of_order", number=number)


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
