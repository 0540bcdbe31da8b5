"""What came after an order: it was called off, sent back, swapped, or complained about; and the money that went back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from commerce.demo.days import Days
from commerce.demo.goods import Goods
from commerce.demo.orders import Written
from commerce.demo.rates import RETURN_SEND_DAYS, Rates
from commerce.demo.rows import Rows
from commerce.models import Cancellation, Claim, Refund, ReturnAuthorization, ReturnLine
from commerce.working_days import add_working_days

FIRST_RMA, FIRST_CLAIM = 20001, 30001
CASH = ("cash", "oxxo")  # has no way back
AT_ONCE = ("gift_card", "store_credit")  # methods whose balance the shop keeps
# How the refund of a return stands while the return is ... (None: there is none)
REFUND_WHILE = {
    "authorized": "waiting_for_goods",
    "in_transit": "waiting_for_goods",
    "received": "waiting_for_goods",
    "inspected": "sent",
    "completed": "settled",
}
GOODS_ARE_BACK = ("received", "inspected", "completed")


@dataclass(frozen=True)
class Reversal:
    """Points to take back: of the order, for this part of its goods (value in minor units)."""

    written: Written
    goods_minor: int
    cause: str
    days: int  # ago


class Aftermath:
    """Writes what came after into the rows; `reversals` are for the loyalty ledger."""

    def __init__(self, rows: Rows, days: Days, goods: Goods, rates: Rates) -> None:
        self.rows, self.days, self.goods, self.rates = rows, days, goods, rates
        self.reversals: list[Reversal] = []

    def cancel(self, written: Written, reason: str, by: str = "customer") -> None:
        """Called off on the order's anchor day; money that was taken goes back the way it came."""
        ago = written.plan.days
        self.rows.add(
            Cancellation,
            order_id=written.row["id"],
            reason=reason,
            cancelled_at=self.days.at(ago, hour=11),
            cancelled_by=by,
        )
        for payment in written.payments:
            if payment["status"] == "captured":
                self._pay_back(written, payment, ago, ago)

    def _pay_back(self, written: Written, payment: dict[str, Any], created: int, approved: int) -> None:
        destination = "store_credit" if payment["method"] in CASH else "original"
        at_once = payment["method"] in (*AT_ONCE, *CASH)
        settles = at_once or approved >= 7
        status = "settled" if settles else "sent" if approved > 2 else "approved"
        self.refund(written, payment["amount_minor"], "cancellation", status, created, approved, payment, destination, at_once)

    def refund(
        self,
        written: Written,
        amount: int,
        reason: str,
        status: str,
        created: int,
        approved: int | None,
        payment: dict[str, Any] | None,
        destination: str = "original",
        at_once: bool = False,
        rma: dict[str, Any] | None = None,
    ) -> None:
        """Money back; created and approved: days ago. The payment's status follows once the money has arrived."""
        first, last = (0, 0) if at_once else self.rates.refund_days
        approval = None if approved is None else self.days.on(approved)
        settled = None if approved is None or status != "settled" else max(1, approved - 6) if not at_once else approved
        self.rows.add(
            Refund,
            order_id=written.row["id"],
            authorization_id=rma["id"] if rma else None,
            payment_id=payment["id"] if payment and destination == "original" else None,
            reason=reason,
            destination=destination,
            amount_minor=amount,
            currency=written.plan.currency,
            status=status,
            created_at=self.days.at(created, hour=11),
            due_from=approval and add_working_days(approval, first),
            due_by=approval and add_working_days(approval, last),
            settled_at=None if settled is None else self.days.at(settled, hour=17),
        )
        if payment and destination == "original" and status == "settled":
            payment["status"] = "refunded" if amount >= payment["amount_minor"] else "partially_refunded"

    def give_back(
        self,
        written: Written,
        status: str,
        ago: int,
        reason: str,
        method: str = "drop_off",
        refund_to: str = "original",
        refund_status: str | None = None,
        rule: str = "in_window",
    ) -> None:
        """The first line comes back for money. ago: days since it was authorized."""
        line = written.lines[0]
        amount = min(line["quantity"] * line["unit_price_minor"], written.goods_minor)
        rma = self._authorize(written, line, "return", status, ago, reason, method, rule, refund_to=refund_to)
        refund_status = refund_status or REFUND_WHILE.get(status)
        if refund_status:
            waits = refund_status == "waiting_for_goods"
            approved = None if waits else max(2, ago - 8)
            payment = written.payments[-1]
            amount = min(amount, payment["amount_minor"])
            at_once = refund_to == "store_credit" or payment["method"] in AT_ONCE
            self.refund(written, amount, "return", refund_status, ago, approved, payment, refund_to, at_once=at_once, rma=rma)
        self._take_points(written, rma, amount, max(1, ago - 7))

    def swap(self, written: Written, status: str, ago: int, reason: str) -> None:
        """The first line is exchanged for another size at the same price."""
        line = written.lines[0]
        siblings = self.goods.by_sku[line["sku"]].siblings
        if siblings:
            wanted = self.goods.by_sku[siblings[0]].variant_id
            self._authorize(written, line, "exchange", status, ago, reason, "drop_off", "even", wanted=wanted)

    def _authorize(
        self,
        written: Written,
        line: dict[str, Any],
        kind: str,
        status: str,
        ago: int,
        reason: str,
        method: str,
        rule: str,
        refund_to: str | None = None,
        wanted: int | None = None,
    ) -> dict[str, Any]:
        rma = self.rows.add(
            ReturnAuthorization,
            rma_number=f"RMA-{FIRST_RMA + len(self.rows.by_table['return_authorization'])}",
            order_id=written.row["id"],
            customer_id=written.customer_id,
            kind=kind,
            status=status,
            reason=reason,
            method=method,
            refund_to=refund_to,
            shipping_paid_by="shop" if rule == "our_fault" else "shopper",
            exchange_variant_id=wanted,
            policy_rule=rule,
            authorized_at=self.days.at(ago, hour=11),
            send_by=self.days.on(ago - RETURN_SEND_DAYS),
        )
        self.rows.add(ReturnLine, authorization_id=rma["id"], order_line_id=line["id"], quantity=line["quantity"])
        return rma

    def _take_points(self, written: Written, rma: dict[str, Any], amount: int, ago: int) -> None:
        if rma["status"] in GOODS_ARE_BACK:
            self.reversals.append(Reversal(written, amount, f"return:{rma['rma_number']}", ago))

    def claim(self, written: Written, problem: str, resolution: str, status: str, ago: int, rule: str) -> None:
        """Something was wrong with the first line; with resolution refund, its money goes back."""
        line = written.lines[0]
        number = f"CLM-{FIRST_CLAIM + len(self.rows.by_table['claim'])}"
        self.rows.add(
            Claim,
            claim_number=number,
            order_id=written.row["id"],
            order_line_id=line["id"],
            customer_id=written.customer_id,
            problem=problem,
            resolution=resolution,
            status=status,
            policy_rule=rule,
            opened_at=self.days.at(ago, hour=13),
        )
        if resolution == "refund":
            payment = written.payments[-1]
            amount = min(line["quantity"] * line["unit_price_minor"], written.goods_minor, payment["amount_minor"])
            refund_status = "settled" if status == "closed" else "approved"
            self.refund(written, amount, "claim", refund_status, ago, ago, payment)
            self.reversals.append(Reversal(written, amount, f"return:{number}", ago))

    def apologise(self, written: Written, amount: int, ago: int, destination: str) -> None:
        """A little something for a delay: store_credit or gift_card."""
        payment = written.payments[-1]
        amount = min(amount, payment["amount_minor"])
        self.refund(written, amount, "goodwill", "settled", ago, ago, payment, destination, at_once=True)


def paid(written: Iterable[Written]) -> list[Written]:
    """Those whose money reached the shop."""
    return [each for each in written if all(payment["status"] == "captured" for payment in each.payments)]
