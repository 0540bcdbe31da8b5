"""May it come back? The order's pieces, put as facts before the policy tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from commerce import orders
from commerce.loyalty import tier
from commerce.models import Order, OrderLine
from commerce.policies import Decision, Policies
from commerce.powers import Excuse, Powers
from commerce.proposals import Refusal
from commerce.returns.quantities import (
    Whereabouts,
    delivered_at,
    open_return,
    open_return_of,
    whereabouts,
)
from commerce.rulings import ask, refusal_of

NOT_FOUND = Refusal(rule="order_not_found", reason="order_not_found", nearest="list_orders")
TABLE = "return_eligibility"
LATE = frozenset({"window_closed", "gift_window_closed", "our_fault_late"})
# What a person may overlook. Opened hygiene and what came back before are for nobody to overlook.
EXCUSES = (
    Excuse("late_return", LATE, {"days_since_delivery": 0}),
    Excuse("final_sale_return", frozenset({"final_sale", "final_sale_defect"}), {"category_kind": "ordinary"}),
)


@dataclass(frozen=True)
class LineVerdict:
    """A line, where its pieces are, and the policy's decision; `exceptions`: what a person would overlook for it."""

    line: OrderLine
    pieces: Whereabouts
    decision: Decision
    exceptions: tuple[str, ...] = ()

    @property
    def quantity_left(self) -> int:
        """Pieces that can still go back."""
        return self.pieces.left

    @property
    def is_allowed(self) -> bool:
        return self.decision.is_allowed


@dataclass(frozen=True)
class Pieces:
    """Some pieces of a line."""

    line: OrderLine
    quantity: int


@dataclass(frozen=True)
class Case:
    """What a shopper says about the goods, and who they are: the same for all lines of one request."""

    order: Order
    tier: str
    reason: str
    package: str
    now: datetime
    pieces: Mapping[int, Whereabouts]  # by line


def own_order(session: Session, customer_id: int, order_number: str, lock: bool = False) -> Order | None:
    """The customer's order of this number, read afresh; None for unknown and for anybody else's alike.

    lock: hold its row until the transaction ends, so that two requests for the same pieces come one after the other.
    """
    order = orders.find(session, order_number, customer_id)
    if order is None or not lock:
        return order
    return session.execute(_LOCKED, {"order_id": order.id}).scalar_one()


_BY_ID = select(Order).where(Order.id == bindparam("order_id")).options(orders.WITH_GOODS)
_LOCKED = _BY_ID.with_for_update(of=Order).execution_options(populate_existing=True)


def case_of(session: Session, order: Order, parameters: Mapping[str, Any], now: datetime, policies: Policies) -> Case:
    standing = tier(session, order.customer_id, now, policies)
    reason, package = parameters.get("reason", "other"), parameters.get("package", "unknown")
    return Case(order, standing, reason, package, now, whereabouts(session, order))


def returnable_lines(
    session: Session,
    customer_id: int,
    order_number: str,
    now: datetime,
    policies: Policies,
    *,
    reason: str = "other",
    package: str = "unknown",
) -> list[LineVerdict]:
    """Each line of the customer's own order with its decision; empty for another person's order and for none.

    reason, package: as far as the shopper has said; facts of the table `return_eligibility`.
    """
    order = own_order(session, customer_id, order_number)
    if order is None:
        return []
    case = case_of(session, order, {"reason": reason, "package": package}, now, policies)
    return [line_verdict(line, case, policies) for line in order.lines]


def line_verdict(line: OrderLine, case: Case, policies: Policies, powers: Powers | None = None) -> LineVerdict:
    """powers: of the person who may overlook what the table refuses."""
    facts, on = line_facts(line, case), case.now.date()
    if powers is None:
        return LineVerdict(line, case.pieces[line.id], ask(policies, TABLE, facts, on))
    decision, exceptions = powers.excused(TABLE, facts, on, EXCUSES)
    return LineVerdict(line, case.pieces[line.id], decision, tuple(exceptions))


def line_facts(line: OrderLine, case: Case) -> dict[str, Any]:
    """The facts about one line that the tables for returns and exchanges ask."""
    pieces = case.pieces[line.id]
    return {
        "line_status": _line_status(pieces),
        "days_since_delivery": _days_since(pieces.delivered_at, case.now),
        "tier": case.tier,
        "category_kind": _category_kind(line),
        "package": case.package,
        "is_gift": case.order.is_gift,
        "reason": case.reason,
        "exchanged_before": pieces.was_exchanged,
    }


def days_since_delivery(session: Session, line: OrderLine, now: datetime) -> int:
    """Whole days; 0 while nothing has arrived."""
    return _days_since(delivered_at(session, line), now)


def _days_since(arrival: datetime | None, now: datetime) -> int:
    return max(0, (now - arrival).days) if arrival else 0


def _line_status(pieces: Whereabouts) -> str:
    if pieces.arrived == 0:
        return "not_delivered"
    return "delivered" if pieces.left else "already_returned"


def _category_kind(line: OrderLine) -> str:
    product = line.variant.product
    return "final_sale" if line.is_final_sale or product.is_final_sale else product.category.return_kind


def line_refusal(session: Session, verdict: LineVerdict) -> Refusal:
    """The table's refusal, with the line that it is about and the day that it counts from.

    What is on its way back has not come back yet, though the table treats both alike: it is told in other words.
    """
    arrival = verdict.pieces.delivered_at
    refusal = refusal_of(
        verdict.decision,
        line_id=verdict.line.id,
        sku=verdict.line.sku,
        delivered_on=arrival.date().isoformat() if arrival else None,
    )
    under_way = open_return_of(session, verdict.line) if refusal.reason == "already_returned" else None
    if under_way is None:
        return refusal
    return replace(refusal, reason="already_coming_back", values={**refusal.values, "rma_number": under_way.rma_number})


def already_open(session: Session, order: Order) -> Refusal | None:
    """One return an order at a time: all its items are named in one go."""
    other = open_return(session, order.id)
    if other is None:
        return None
    values = {"rma_number": other.rma_number, "order_number": order.number}
    return Refusal(rule="return_already_open", reason="return_already_open", nearest="refund_status", values=values)


def named_pieces(order: Order, lines: list[Mapping[str, Any]]) -> list[Pieces] | Refusal:
    """The pieces that a request names, each line once. Raises ValueError: it names none, or fewer than one."""
    quantities: dict[int, int] = {}
    for each in lines:
        quantities[each["line_id"]] = quantities.get(each["line_id"], 0) + each["quantity"]
    if not quantities or min(each["quantity"] for each in lines) < 1:
        raise ValueError("a request names at least one piece of each of its lines")
    known = {line.id: line for line in order.lines}
    if not quantities.keys() <= known.keys():
        return Refusal(rule="line_not_found", reason="line_not_found", values={"order_number": order.number})
    return [Pieces(known[line_id], quantities[line_id]) for line_id in sorted(quantities)]


def too_many(case: Case, pieces: Pieces) -> Refusal | None:
    """More pieces are named than the shopper still has."""
    left = case.pieces[pieces.line.id].left
    if pieces.quantity <= left:
        return None
    values = {"line_id": pieces.line.id, "sku": pieces.line.sku, "quantity": pieces.quantity, "quantity_left": left}
    return Refusal(rule="quantity_too_large", reason="quantity_too_large", values=values)
