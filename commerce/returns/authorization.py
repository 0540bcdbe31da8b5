"""Giving goods back for money: `authorize_return`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from commerce.policies import Decision, Policies
from commerce.powers import Powers
from commerce.proposals import Assessment, Refusal, Values
from commerce.refunds import Destination, destination, owe, refund_parts, refundable_minor
from commerce.returns.amounts import pieces_minor, shipping_share
from commerce.returns.eligibility import (
    NOT_FOUND,
    Case,
    LineVerdict,
    Pieces,
    already_open,
    case_of,
    line_refusal,
    line_verdict,
    named_pieces,
    own_order,
    too_many,
)
from commerce.returns.issuing import Terms, issue, send_by, shown, way_back
from commerce.returns.points import points_of_goods
from commerce.rulings import refusal_of


@dataclass(frozen=True)
class _Plan:
    """A return that the policies allow, with its money in minor units."""

    pieces: tuple[Pieces, ...]
    verdicts: tuple[LineVerdict, ...]
    amounts: tuple[int, ...]  # of each of the pieces
    way: Decision
    destination: Destination
    shipping_minor: int  # of the way to the shopper, given back
    refund_minor: int  # what goes back to the shopper in the end
    fee_minor: int  # what the shopper pays for the way back
    exceptions: Mapping[str, int]  # what a person overlooks, and what each costs the shop

    @property
    def goods_minor(self) -> int:
        return sum(self.amounts)

    @property
    def inspection(self) -> bool:
        return any(each.decision.values.get("inspection") for each in self.verdicts)

    @property
    def rule(self) -> str:
        """The rule that allows it; of several, one that asks for an inspection."""
        strictest = sorted(self.verdicts, key=lambda each: not each.decision.values.get("inspection"))
        return strictest[0].decision.rule


class AuthorizeReturn:
    """Parameters: order_number, lines [{line_id, quantity}], reason, method (drop_off | pick_up | store),
    refund_to (original | store_credit), package (sealed | opened | unknown); waive_shipping, for a person of ours alone.

    Refuses by the tables return_eligibility, return_shipping and refund_destination, and with order_not_found,
    line_not_found, quantity_too_large, return_already_open, destination_not_offered. powers: of a person of ours, who may
    overlook some of it; then refuses by the table agent_powers too.
    """

    kind = "authorize_return"

    def __init__(self, policies: Policies, home: Path, powers: Powers | None = None) -> None:
        self._policies = policies
        self._home = home
        self._powers = powers

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        order = own_order(session, customer_id, parameters["order_number"], lock=True)
        if order is None:
            return NOT_FOUND
        case = case_of(session, order, parameters, now, self._policies)
        plan = self._plan(session, case, parameters)
        if isinstance(plan, Refusal):
            return plan
        return Assessment(_summary(session, case, parameters, plan), _facts(session, case, plan))

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
        summary = assessment.summary
        terms = Terms(
            kind="return",
            reason=parameters["reason"],
            method=parameters["method"],
            shipping_paid_by=summary["shipping_paid_by"],
            policy_rule=assessment.facts["rule"],
            refund_to=parameters["refund_to"],
        )
        pieces = named_pieces(order, parameters["lines"])
        assert not isinstance(pieces, Refusal)
        authorization = issue(session, order, pieces, terms, self._home, now)
        owe(
            session,
            order,
            summary["refund_minor"],
            reason="return",
            destination=parameters["refund_to"],
            status="waiting_for_goods",
            now=now,
            authorization=authorization,
        )
        kept = ("refund_minor", "currency", "refund_to", "refund_days_min", "refund_days_max", "method", "order_number", *BY_HAND)
        return {
            "rma_number": authorization.rma_number,
            "label_path": authorization.label_path,
            "send_by": authorization.send_by.isoformat(),
            **{name: summary[name] for name in kept if name in summary},
        }

    def _plan(self, session: Session, case: Case, parameters: Values) -> _Plan | Refusal:
        pieces = named_pieces(case.order, parameters["lines"])
        if isinstance(pieces, Refusal):
            return pieces
        verdicts = tuple(line_verdict(each.line, case, self._policies, self._powers) for each in pieces)
        way = way_back(case, parameters["method"], self._policies)
        goal = destination(case.order, parameters["refund_to"], self._policies, case.now)
        refusal = _goods_refusal(session, case, pieces, verdicts) or _terms_refusal(verdicts, way, goal)
        if refusal is not None:
            return refusal
        amounts = tuple(pieces_minor(each.line, case.pieces[each.line.id].back, each.quantity) for each in pieces)
        shipping = shipping_share(case.order, sum(amounts)) if _is_our_fault(verdicts) else 0
        fee = int(str(way.values["fee_minor"]))
        waived = fee if self._powers is not None and parameters.get("waive_shipping") else 0
        exceptions = _exceptions(verdicts, amounts, waived)
        if refusal := self._beyond_powers(case, exceptions):
            return refusal
        owed = max(0, sum(amounts) + shipping - (fee - waived))
        refund = min(owed, refundable_minor(session, case.order))
        return _Plan(tuple(pieces), verdicts, amounts, way, goal, shipping, refund, fee - waived, exceptions)

    def _beyond_powers(self, case: Case, exceptions: Mapping[str, int]) -> Refusal | None:
        asked = (case.order.currency, case.now.date())
        refusals = (self._powers.refusal(each, cost, *asked) for each, cost in exceptions.items() if self._powers is not None)
        return next(filter(None, refusals), None)


BY_HAND = ("exceptions", "exception_minor")  # in summary and result, where a person has overlooked something


def _exceptions(verdicts: tuple[LineVerdict, ...], amounts: tuple[int, ...], waived_minor: int) -> dict[str, int]:
    """What each exception costs the shop: the money for the goods that it is made for."""
    costs: dict[str, int] = {"waive_shipping": waived_minor} if waived_minor else {}
    for verdict, amount in zip(verdicts, amounts, strict=True):
        for each in verdict.exceptions:
            costs[each] = costs.get(each, 0) + amount
    return costs


def _goods_refusal(session: Session, case: Case, pieces: list[Pieces], verdicts: tuple[LineVerdict, ...]) -> Refusal | None:
    for verdict in verdicts:
        if not verdict.is_allowed:
            return line_refusal(session, verdict)
    excess = next(filter(None, (too_many(case, each) for each in pieces)), None)
    return already_open(session, case.order) or excess


def _terms_refusal(verdicts: tuple[LineVerdict, ...], way: Decision, goal: Destination) -> Refusal | None:
    if not way.is_allowed:
        return refusal_of(way)
    if not goal.is_allowed:
        return refusal_of(goal.decision)
    for verdict in verdicts:
        offered: Any = verdict.decision.values["refund_to"]
        if goal.name not in offered:
            values = {"refund_to": list(offered), "line_id": verdict.line.id}
            return Refusal(verdict.decision.rule, "destination_not_offered", nearest=offered[0], values=values)
    return None


def _is_our_fault(verdicts: tuple[LineVerdict, ...]) -> bool:
    return all(each.decision.rule == "our_fault" for each in verdicts)


def _summary(session: Session, case: Case, parameters: Values, plan: _Plan) -> Mapping[str, Any]:
    order = case.order
    pairs = zip(plan.pieces, plan.amounts, strict=True)
    by_hand = {"exceptions": sorted(plan.exceptions), "exception_minor": max(plan.exceptions.values(), default=0)}
    return {
        **(by_hand if plan.exceptions else {}),
        "order_number": order.number,
        "items": [shown(each, amount_minor=amount) for each, amount in pairs],
        "reason": case.reason,
        "method": parameters["method"],
        "send_by": send_by(case.now).isoformat(),
        "currency": order.currency,
        "goods_minor": plan.goods_minor,
        "shipping_refund_minor": plan.shipping_minor,
        "shipping_paid_by": plan.way.values["shipping_paid_by"],
        "shipping_fee_minor": plan.fee_minor,
        "refund_minor": plan.refund_minor,
        "refund_to": plan.destination.name,
        "refund_parts": refund_parts(session, order, plan.refund_minor, plan.destination.name),
        "refund_days_min": plan.destination.days_min,
        "refund_days_max": plan.destination.days_max,
        "inspection": plan.inspection,
        "points_reversed": points_of_goods(session, order, plan.goods_minor),
    }


def _facts(session: Session, case: Case, plan: _Plan) -> Mapping[str, Any]:
    return {
        "version": case.order.version,
        "tier": case.tier,
        "rule": plan.rule,
        "lines": [[each.line.id, each.quantity_left, each.decision.rule] for each in plan.verdicts],
        "refundable_minor": refundable_minor(session, case.order),
    }
