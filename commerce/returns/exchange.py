"""Giving goods back for another variant of the same product: `authorize_exchange`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from commerce.catalog import PricedVariant, price, variants
from commerce.models import Location, Order, OrderLine, Payment, Variant
from commerce.policies import Decision, Policies
from commerce.proposals import Assessment, Refusal, Values
from commerce.refunds import chargeable_payment, destination, owe, refund_parts, refundable_minor
from commerce.reservations import place_for, reserve
from commerce.returns.amounts import paid_share
from commerce.returns.eligibility import (
    NOT_FOUND,
    Case,
    LineVerdict,
    Pieces,
    already_open,
    case_of,
    line_facts,
    line_refusal,
    named_pieces,
    own_order,
    too_many,
)
from commerce.returns.issuing import Terms, issue, send_by, shown, way_back
from commerce.returns.points import points_of_goods
from commerce.rulings import ask, refusal_of


def exchange_choices(
    session: Session, line: OrderLine, currency: str, quantity: int = 1, **options: str | None
) -> list[PricedVariant]:
    """Other variants of the line's product that can be sent now, in the shop's order, with their prices.

    options: such as ``color="blue", size="M"``; None for any.
    """
    others = variants(session, line.variant.product_id, currency, **options)
    return [
        each
        for each in others
        if each.variant.id != line.variant_id and place_for(session, line.order, each.variant.id, quantity)
    ]


@dataclass(frozen=True)
class _Money:
    """An exchange's money in minor units, seen from the shopper: above 0 to pay, below 0 to get back."""

    price_difference: int
    fee: int

    @property
    def settlement(self) -> int:
        return self.price_difference + self.fee

    @property
    def to_pay(self) -> int:
        return max(0, self.settlement)

    @property
    def refund(self) -> int:
        return max(0, -self.settlement)

    @property
    def kind(self) -> str:
        """As the table's fact `difference` names it."""
        if not self.settlement:
            return "none"
        return "to_pay" if self.settlement > 0 else "to_refund"


@dataclass(frozen=True)
class _Plan:
    pieces: Pieces
    wanted: Variant
    way: Decision
    place: Location
    money: _Money
    decision: Decision


class AuthorizeExchange:
    """Parameters: order_number, line_id, quantity, to_variant_id, reason, method (drop_off | pick_up | store),
    package (sealed | opened | unknown; unknown without it).

    Refuses by the tables exchange_eligibility and return_shipping, and with order_not_found, line_not_found,
    quantity_too_large, return_already_open, same_variant. A fee for the way back counts with the price difference.
    """

    kind = "authorize_exchange"

    def __init__(self, policies: Policies, home: Path) -> None:
        self._policies = policies
        self._home = home

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        order = own_order(session, customer_id, parameters["order_number"], lock=True)
        if order is None:
            return NOT_FOUND
        case = case_of(session, order, parameters, now, self._policies)
        plan = self._plan(session, case, parameters)
        if isinstance(plan, Refusal):
            return plan
        return Assessment(self._summary(session, case, parameters, plan), _facts(session, case, plan))

    def perform(
        self,
        session: Session,
        customer_id: int,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        order = own_order(session, customer_id, parameters["order_number"], lock=True)
        assert order is not None  # assessed in this transaction
        summary, facts = assessment.summary, assessment.facts
        pieces = named_pieces(order, [parameters])
        assert not isinstance(pieces, Refusal)
        terms = Terms(
            kind="exchange",
            reason=parameters["reason"],
            method=parameters["method"],
            shipping_paid_by=summary["shipping_paid_by"],
            policy_rule=facts["rule"],
            refund_to="original" if summary["refund_minor"] else None,
            exchange_variant_id=parameters["to_variant_id"],
            difference_minor=summary["to_pay_minor"] - summary["refund_minor"],
        )
        reserve(session, parameters["to_variant_id"], facts["location_id"], parameters["quantity"])
        authorization = issue(session, order, pieces, terms, self._home, now)
        owe(
            session,
            order,
            summary["refund_minor"],
            reason="price_difference",
            destination="original",
            status="waiting_for_goods",
            now=now,
            authorization=authorization,
        )
        payment = _ask_for(session, order, summary["to_pay_minor"], now)
        kept = ("to_pay_minor", "refund_minor", "currency", "method", "order_number", "to")
        return {
            "rma_number": authorization.rma_number,
            "label_path": authorization.label_path,
            "send_by": authorization.send_by.isoformat(),
            "payment_id": payment.id if payment else None,
            "location_id": facts["location_id"],
            **{name: summary[name] for name in kept},
        }

    def _plan(self, session: Session, case: Case, parameters: Values) -> _Plan | Refusal:
        named = named_pieces(case.order, [parameters])
        if isinstance(named, Refusal):
            return named
        pieces, wanted = named[0], session.get(Variant, parameters["to_variant_id"])
        way = way_back(case, parameters["method"], self._policies)
        place = _place(session, case.order, wanted, pieces.quantity)
        money = _money(session, pieces, wanted, way)
        decision = self._decision(session, case, pieces, wanted, place, money)
        refusal = _refusal(session, case, pieces, decision, way, wanted)
        if refusal is not None:
            return refusal
        assert wanted is not None
        assert place is not None  # the table allows only what can be sent
        return _Plan(pieces, wanted, way, place, money, decision)

    def _decision(
        self,
        session: Session,
        case: Case,
        pieces: Pieces,
        wanted: Variant | None,
        place: Location | None,
        money: _Money,
    ) -> Decision:
        facts = line_facts(pieces.line, case)
        facts["same_product"] = wanted is not None and wanted.product_id == pieces.line.variant.product_id
        facts["in_stock"] = place is not None
        facts["difference"] = money.kind
        facts["method_bears_difference"] = self._can_bear(session, case, money)
        return ask(self._policies, "exchange_eligibility", facts, case.now.date())

    def _can_bear(self, session: Session, case: Case, money: _Money) -> bool:
        if money.to_pay:
            return chargeable_payment(case.order) is not None
        goal = destination(case.order, "original", self._policies, case.now)
        can_refund = goal.is_allowed and money.refund <= refundable_minor(session, case.order)
        return can_refund or not money.refund

    def _summary(self, session: Session, case: Case, parameters: Values, plan: _Plan) -> Mapping[str, Any]:
        goal = destination(case.order, "original", self._policies, case.now)
        wanted = plan.wanted
        return {
            "order_number": case.order.number,
            "item": shown(plan.pieces),
            "to": {
                "variant_id": wanted.id,
                "sku": wanted.sku,
                "names": dict(wanted.product.names),
                "options": dict(wanted.options),
                "quantity": plan.pieces.quantity,
            },
            "reason": case.reason,
            "method": parameters["method"],
            "send_by": send_by(case.now).isoformat(),
            "currency": case.order.currency,
            "price_difference_minor": plan.money.price_difference,
            "shipping_paid_by": plan.way.values["shipping_paid_by"],
            "shipping_fee_minor": plan.way.values["fee_minor"],
            "to_pay_minor": plan.money.to_pay,
            "refund_minor": plan.money.refund,
            "refund_parts": refund_parts(session, case.order, plan.money.refund, "original"),
            "refund_days_min": goal.days_min if plan.money.refund else 0,
            "refund_days_max": goal.days_max if plan.money.refund else 0,
            "points_reversed": points_of_goods(session, case.order, plan.money.refund),
        }


def _place(session: Session, order: Order, wanted: Variant | None, quantity: int) -> Location | None:
    is_sold = wanted is not None and wanted.is_active and price(session, wanted.id, order.currency) is not None
    return place_for(session, order, wanted.id, quantity) if wanted is not None and is_sold else None


def _money(session: Session, pieces: Pieces, wanted: Variant | None, way: Decision) -> _Money:
    fee = int(str(way.values.get("fee_minor", 0)))
    each = _piece_difference(session, pieces.line, wanted)
    if each >= 0:
        return _Money(each * pieces.quantity, fee)
    # What the order's discount took off was not paid, and does not come back.
    return _Money(-paid_share(pieces.line.order, -each * pieces.quantity), fee)


def _piece_difference(session: Session, line: OrderLine, wanted: Variant | None) -> int:
    """Today's price of the one against today's price of the other: nobody pays for a price that rose meanwhile.

    Never below what was paid for the piece.
    """
    currency = line.order.currency
    after = price(session, wanted.id, currency) if wanted is not None else None
    if after is None:
        return 0
    before = price(session, line.variant_id, currency)
    difference = after - (line.unit_price_minor if before is None else before)
    return int(max(difference, -line.unit_price_minor))


def _refusal(
    session: Session, case: Case, pieces: Pieces, decision: Decision, way: Decision, wanted: Variant | None
) -> Refusal | None:
    if not decision.is_allowed:
        return _table_refusal(session, case, pieces, decision, wanted)
    if wanted is not None and wanted.id == pieces.line.variant_id:
        return Refusal("same_variant", "same_variant", values={"sku": wanted.sku, "line_id": pieces.line.id})
    refusal = already_open(session, case.order) or too_many(case, pieces)
    return refusal or (None if way.is_allowed else refusal_of(way))


def _table_refusal(session: Session, case: Case, pieces: Pieces, decision: Decision, wanted: Variant | None) -> Refusal:
    refusal = line_refusal(session, LineVerdict(pieces.line, case.pieces[pieces.line.id], decision))
    return replace(refusal, values={**refusal.values, "to_sku": wanted.sku if wanted is not None else None})


def _ask_for(session: Session, order: Order, amount_minor: int, now: datetime) -> Payment | None:
    """A pending payment by the order's own method; the shop sends its link."""
    known = chargeable_payment(order)
    if not amount_minor or known is None:
        return None
    payment = Payment(
        order=order,
        method=known.method,
        label=known.label,
        amount_minor=amount_minor,
        status="pending",
        created_at=now,
    )
    session.add(payment)
    session.flush()
    return payment


def _facts(session: Session, case: Case, plan: _Plan) -> Mapping[str, Any]:
    return {
        "version": case.order.version,
        "tier": case.tier,
        "rule": plan.decision.rule,
        "quantity_left": case.pieces[plan.pieces.line.id].left,
        "location_id": plan.place.id,
        "refundable_minor": refundable_minor(session, case.order),
    }
