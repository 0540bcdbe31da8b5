"""Acts on a shopper's orders: called off, goods to come back or not to come back, money back without goods."""

from __future__ import annotations

import re
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
from desk.errors import bad_request, not_found
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

    def says(self, result: Values) -> str:
        return super().says(result) if result["refund_minor"] else "act_cancel_order_unpaid"


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
    undo_told = ("rma_number", "order_number", "items", "refund_minor")

    def parameters(self, case: Case) -> list[Parameter]:
        reasons = [str(each) for each in _fact_values(case, "return_eligibility", "reason")]
        return [
            Parameter("items", "choices", choices=_pieces(case)),
            Parameter("return_reason", "choice", choices=choices("reason", reasons, case.language)),
            Parameter("package", "choice", choices=choices("package_is", PACKAGES, case.language)),
            Parameter("method", "choice", choices=choices("method", WAYS, case.language)),
            Parameter("refund_to", "choice", choices=choices("refund_to", DESTINATIONS, case.language)),
            Parameter("waive_shipping", "boolean", is_required=False),
        ]

    def why_not(self, case: Case) -> str | None:
        return None if _returnable(case) else "nothing_to_return"

    def read(self, case: Case, fields: Fields) -> dict[str, Any]:
        reasons = [str(each) for each in _fact_values(case, "return_eligibility", "reason")]
        return {
            **_named_pieces(case, read.several(fields, "items")),
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
        worded_mail.enqueue(case.session, "return_label", customer.email, language, key, case.now, attachments, **values, **more)

    def undo(self, case: Case, result: Values) -> Undo:
        return Undo(returns.WithdrawReturn("undo_authorize_return"), {"rma_number": result["rma_number"]})


class WithdrawReturn(Act):
    kind = "withdraw_return"
    needs = "request_return"
    told = ("rma_number", "order_number", "items", "refund_minor")

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
    undo_told = ("order_number", "refund_minor")

    def parameters(self, case: Case) -> list[Parameter]:
        return [
            _order(case, _refundable(case)),
            Parameter("amount", "money", currency=_currency(case)),
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
        return Undo(TakeBackRefund(), {"refund_ids": list(result["refund_ids"])})


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


ALL = "all:"  # with an order's number: all of it that can still go back
_SOME = re.compile(r"(\d{1,9})x(\d{1,3})")  # a line and how many pieces of it


def _pieces(case: Case) -> list[Json]:
    """All of an order where there is more than one piece, and each line, by one piece and by all that are left."""
    found = []
    for order in _returnable(case):
        left = [(line, pieces) for line in order.lines if (pieces := returns.pieces_left(case.session, line))]
        if sum(pieces for _, pieces in left) > 1:
            everything = title("act", "all_of_order", case.language).format(order_number=order.number)
            found.append({"value": f"{ALL}{order.number}", "title": everything})
        for line, pieces in left:
            for count in sorted({1, pieces}):
                one = goods({**orders.item_values(line), "quantity": count}, case.language)
                found.append({"value": f"{line.id}x{count}", "title": f"{order.number}: {one}"})
    return found


def _named_pieces(case: Case, chosen: list[str]) -> dict[str, Any]:
    """The order and the lines that the choices are of. Raises DeskError: bad_request, not_found."""
    if len(chosen) == 1 and chosen[0].startswith(ALL):
        return _whole(case, chosen[0].removeprefix(ALL))
    some = [_SOME.fullmatch(each) for each in chosen]
    named = {int(each[1]): int(each[2]) for each in some if each is not None}
    if len(named) < len(chosen) or not all(named.values()):
        raise bad_request("items")
    of_orders = {line.order.number for line_id in named if (line := case.session.get(OrderLine, line_id)) is not None}
    if len(of_orders) > 1:
        raise bad_request("items")
    number = next(iter(of_orders), "")  # whether it is theirs is seen where it is done
    return {"order_number": number, "lines": [{"line_id": line_id, "quantity": count} for line_id, count in named.items()]}


def _whole(case: Case, number: str) -> dict[str, Any]:
    order = orders.find(case.session, number, case.customer_id)
    if order is None:
        raise not_found()
    left = [{"line_id": line.id, "quantity": returns.pieces_left(case.session, line) or line.quantity} for line in order.lines]
    return {"order_number": order.number, "lines": left}


def _currency(case: Case) -> str | None:
    return case.customer.currency if case.customer is not None else None


def _cancel_reasons(case: Case) -> tuple[str, ...]:
    return cancellations.reasons(kept_policies(), case.now.date())


def _titled_reasons(case: Case) -> list[Json]:
    return choices("cancel_reason", _cancel_reasons(case), case.language)


def _fact_values(case: Case, table: str, name: str) -> tuple[str, ...]:
    asked = {fact.name: fact for fact in kept_policies().table(table, case.now.date()).facts}
    return asked[name].values if name in asked else ()
