"""Acts on a shopper's orders: called off, goods to come back or not to come back, money back without goods."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from commerce import cancellations, orders, refunds, returns
from commerce.goodwill import RefundWithoutReturn, TakeBackRefund
from commerce.models import Order, OrderLine, ReturnAuthorization
from commerce.proposals import Operation
from database import home_folder
from desk.acts import parameters as read
from desk.acts.act import Act, Undo, Values
from desk.acts.case import Case
from desk.acts.parameters import Parameter, choices
from desk.in_words import Json, day, goods, title
from desk.requests import Fields
from desk.shop_policies import kept_policies
from messaging import formats, worded_mail

MOST = 10  # orders and returns to choose from
WAYS = ("drop_off", "pick_up", "store")
DESTINATIONS = ("original", "store_credit")
PACKAGES = ("sealed", "opened", "unknown")
BY_HAND = ("exceptions", "exception_minor")


class CancelOrder(Act):
    kind = "cancel_order"
    needs = "cancel_order"
    exception = "stop_preparing_order"
    told = ("order_number", "items", "reason", "refund_minor", "refunds", "fee_minor", "points_reversed", *BY_HAND)
    titled = {"reason": "cancel_reason"}
    says = "act_cancel_order"

    def parameters(self, case: Case) -> list[Parameter]:
        reasons = Parameter("cancel_reason", "choice", bool(_cancel_reasons(case)), _titled_reasons(case))
        return [_order(case, _cancellable(case)), reasons]

    def why_not(self, case: Case) -> str | None:
        return None if _cancellable(case) else "nothing_to_cancel"

    def read(self, case: Case, fields: Fields) -> dict[str, Any]:
        known = _cancel_reasons(case)
        reason = read.one_of(fields, "cancel_reason", known) if known else None
        return {"order_number": fields.text("order_number", 32), "reason": reason}

    def operation(self, case: Case) -> Operation:
        return cancellations.CancelOrder(kept_policies(), case.powers)


class AuthorizeReturn(Act):
    kind = "authorize_return"
    needs = "request_return"
    exception = "late_return"
    told = (
        "order_number",
        "items",
        "reason",
        "method",
        "send_by",
        "refund_minor",
        "refund_to",
        "shipping_fee_minor",
        "points_reversed",
        "inspection",
        *BY_HAND,
    )
    titled = {"reason": "reason"}
    says = "act_authorize_return"

    def parameters(self, case: Case) -> list[Parameter]:
        reasons = [str(each) for each in _fact_values(case, "return_eligibility", "reason")]
        return [
            _order(case, _returnable(case)),
            Parameter("lines", "lines", choices=_pieces(case)),
            Parameter("return_reason", "choice", choices=choices("reason", reasons, case.language)),
            Parameter("package", "choice", choices=choices("package_is", PACKAGES, case.language)),
            Parameter("method", "choice", choices=choices("method", WAYS, case.language)),
            Parameter("refund_to", "choice", choices=choices("refund_to", DESTINATIONS, case.language)),
            Parameter("waive_shipping", "flag", is_required=False),
        ]

    def why_not(self, case: Case) -> str | None:
        return None if _returnable(case) else "nothing_to_return"

    def read(self, case: Case, fields: Fields) -> dict[str, Any]:
        reasons = [str(each) for each in _fact_values(case, "return_eligibility", "reason")]
        return {
            "order_number": fields.text("order_number", 32),
            "lines": read.lines(fields, "lines"),
            "reason": read.one_of(fields, "return_reason", reasons),
            "package": read.one_of(fields, "package", PACKAGES),
            "method": read.one_of(fields, "method", WAYS),
            "refund_to": read.one_of(fields, "refund_to", DESTINATIONS),
            "waive_shipping": fields.flag("waive_shipping"),
        }

    def operation(self, case: Case) -> Operation:
        return returns.AuthorizeReturn(kept_policies(), home_folder(), case.powers)

    def after(self, case: Case, result: Values, proposal_id: str) -> None:
        """The label goes by mail, as it does for a return that the assistant allows."""
        customer = case.customer
        if customer is None or not customer.email:
            return
        language = case.handoff.language
        items = [goods(each, language) for each in returns.items_of(case.session, customer.id, result["rma_number"])]
        values = {"name": customer.name.split()[0], "rma_number": result["rma_number"], "order_number": result["order_number"]}
        more = {"items": formats.bullets(items), "ship_by": day(result["send_by"], language)}
        key, attachments = f"return_label:{proposal_id}", [result["label_path"]]
        worded_mail.enqueue(
            case.session, "return_label", customer.email, language, key, case.now, attachments, **values, **more
        )

    def undo(self, case: Case, result: Values) -> Undo:
        told = ("rma_number", "order_number", "items", "refund_minor")
        return Undo(returns.WithdrawReturn("undo_authorize_return"), {"rma_number": result["rma_number"]}, told)


class WithdrawReturn(Act):
    kind = "withdraw_return"
    needs = "request_return"
    told = ("rma_number", "order_number", "items", "refund_minor")
    says = "act_withdraw_return"

    def parameters(self, case: Case) -> list[Parameter]:
        found = [{"value": each.rma_number, "title": f"{each.rma_number} ({each.order.number})"} for each in _withdrawable(case)]
        return [Parameter("rma_number", "choice", choices=found)]

    def why_not(self, case: Case) -> str | None:
        return None if _withdrawable(case) else "nothing_to_withdraw"

    def read(self, case: Case, fields: Fields) -> dict[str, Any]:
        return {"rma_number": fields.text("rma_number", 32)}

    def operation(self, case: Case) -> Operation:
        return returns.WithdrawReturn()


class RefundException(Act):
    kind = "refund_exception"
    needs = "report_problem"
    exception = "refund_without_return"
    told = ("order_number", "refund_minor", "refund_to", "refund_parts", "reason", "exception_minor")
    says = "act_refund_exception"

    def parameters(self, case: Case) -> list[Parameter]:
        return [
            _order(case, _refundable(case)),
            Parameter("amount", "money"),
            Parameter("refund_to", "choice", choices=choices("refund_to", DESTINATIONS, case.language)),
            Parameter("reason", "text"),
        ]

    def why_not(self, case: Case) -> str | None:
        return None if _refundable(case) else "nothing_to_refund"

    def read(self, case: Case, fields: Fields) -> dict[str, Any]:
        amount, currency = read.money(fields, "amount")
        return {
            "order_number": fields.text("order_number", 32),
            "amount_minor": amount,
            "currency": currency,
            "refund_to": read.one_of(fields, "refund_to", DESTINATIONS),
            "reason": read.reason(fields),
        }

    def operation(self, case: Case) -> Operation:
        return RefundWithoutReturn(kept_policies(), case.powers)

    def undo(self, case: Case, result: Values) -> Undo:
        return Undo(TakeBackRefund(), {"refund_ids": list(result["refund_ids"])}, ("order_number", "refund_minor"))


# What there is to choose from


def _order(case: Case, some: list[Order]) -> Parameter:
    return Parameter("order_number", "choice", choices=[_order_choice(case, each) for each in some])


def _order_choice(case: Case, order: Order) -> Json:
    status = title("order", order.status, case.language)
    return {"value": order.number, "title": f"{order.number} ({status})", "currency": order.currency}


def _recent(case: Case) -> list[Order]:
    return orders.recent(case.session, case.customer_id, limit=MOST)


def _cancellable(case: Case) -> list[Order]:
    return [each for each in _recent(case) if orders.stage(each) in ("placed", "paid", "preparing")]


def _returnable(case: Case) -> list[Order]:
    return [each for each in _recent(case) if any(returns.pieces_left(case.session, line) for line in each.lines)]


def _refundable(case: Case) -> list[Order]:
    return [each for each in _recent(case) if refunds.refundable_minor(case.session, each)]


def _withdrawable(case: Case) -> list[ReturnAuthorization]:
    theirs = (ReturnAuthorization.customer_id == case.customer_id, ReturnAuthorization.status == "authorized")
    newest = select(ReturnAuthorization).where(*theirs).order_by(ReturnAuthorization.id.desc()).limit(MOST)
    return list(case.session.execute(newest).scalars())


def _pieces(case: Case) -> list[Json]:
    return [
        {"value": line.id, "title": _one_of(line, case.language), "order_number": order.number, "most": most}
        for order in _returnable(case)
        for line in order.lines
        if (most := returns.pieces_left(case.session, line))
    ]


def _one_of(line: OrderLine, language: str) -> str:
    return goods({**orders.item_values(line), "quantity": 1}, language)


def _cancel_reasons(case: Case) -> tuple[str, ...]:
    return cancellations.reasons(kept_policies(), case.now.date())


def _titled_reasons(case: Case) -> list[Json]:
    return choices("cancel_reason", _cancel_reasons(case), case.language)


def _fact_values(case: Case, table: str, name: str) -> tuple[str, ...]:
    asked = {fact.name: fact for fact in kept_policies().table(table, case.now.date()).facts}
    return asked[name].values if name in asked else ()
