"""Something went wrong with a delivery: `open_claim`, and what is done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.models import Claim, Fulfilment, FulfilmentLine, Order, OrderLine, Refund, ReturnAuthorization, Shipment
from commerce.numbering import add_numbered
from commerce.policies import Decision, Policies
from commerce.proposals import Assessment, Refusal, Values
from commerce.refunds import Destination, approve_refund, destination, owe, refund_parts, refundable_minor
from commerce.reservations import place_for, reserve
from commerce.returns.amounts import pieces_minor, shipping_share
from commerce.returns.eligibility import NOT_FOUND, Pieces, case_of, days_since_delivery, own_order
from commerce.returns.issuing import Terms, issue, send_by, shown, way_back
from commerce.returns.points import points_of_goods, reverse_points
from commerce.returns.quantities import delivered_at, pieces_back, pieces_unpaid_back
from commerce.rulings import ask, refusal_of

PREFIX, FIRST = "CLM-", 30001
SAME = {"resend": "replacement"}  # two words of the table for one deed: another piece is sent
STATUSES = {
    "replacement": "replacing",
    "refund": "refunding",
    "agent": "with_agent",
}


@dataclass(frozen=True)
class _Plan:
    """What would be done. `places` maps a variant to the place that sends its replacement."""

    pieces: tuple[Pieces, ...]
    whole_order: bool
    decision: Decision
    resolution: str
    places: Mapping[int, int]
    goods_minor: int
    refund_minor: int
    destination: Destination

    @property
    def send_back(self) -> bool:
        return self.resolution != "agent" and bool(self.decision.values.get("send_back"))


class OpenClaim:
    """Parameters: order_number, line_id (None: the whole order, or all of it that has not arrived), problem (wrong_item |
    damaged | missing_item | not_received), note; and where known: evidence (of pictures: paths, or references to received
    files), quantity (of the line; fewer than all goes to a person), resolution (replacement | refund: the shopper's wish, met
    where possible), refund_to (original | store_credit), method (how a wrong item travels back).

    Where the table `claim_eligibility` asks for a person, the claim is opened with the resolution `agent`. Refuses where
    it denies, and with order_not_found, line_not_found, claim_already_open, nothing_left.
    """

    kind = "open_claim"

    def __init__(self, policies: Policies, home: Path) -> None:
        self._policies = policies
        self._home = home

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        order = own_order(session, customer_id, parameters["order_number"], lock=True)
        if order is None:
            return NOT_FOUND
        plan = self._plan(session, order, parameters, now)
        if isinstance(plan, Refusal):
            return plan
        return Assessment(_summary(session, order, parameters, plan, now), _facts(session, order, plan))

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
        plan = self._plan(session, order, parameters, now)
        assert not isinstance(plan, Refusal)  # assessed in this transaction
        # Before the claim is written: it counts its pieces as paid back.
        authorization = self._ask_back(session, order, parameters, plan, now) if plan.send_back else None
        claims = _write_claims(session, order, parameters, plan, now)
        if plan.resolution == "replacement":
            _send_again(session, order, plan)
        if plan.resolution == "refund":
            self._pay_back(session, order, plan, authorization, claims[0].claim_number, now)
        return {
            "claim_number": claims[0].claim_number,
            "claim_numbers": [each.claim_number for each in claims],
            "status": claims[0].status,
            "rma_number": authorization.rma_number if authorization else None,
            "label_path": authorization.label_path if authorization else None,
            **assessment.summary,
        }

    def _plan(self, session: Session, order: Order, parameters: Values, now: datetime) -> _Plan | Refusal:
        lines = _concerned(session, order, parameters)
        if not lines:
            return Refusal("line_not_found", "line_not_found", values={"order_number": order.number})
        refusal = _already_open(session, order, lines)
        pieces = [Pieces(each, left) for each in lines if (left := pieces_unpaid_back(session, each))]
        if refusal or not pieces:
            nothing = {"order_number": order.number}
            return refusal or Refusal("nothing_left", "nothing_left", nearest="refund_status", values=nothing)
        goods = sum(pieces_minor(each.line, pieces_back(session, each.line), each.quantity) for each in pieces)
        decision = self._decision(session, order, pieces, goods, parameters, now)
        if decision.verdict == "deny":
            return refusal_of(decision, order_number=order.number)
        return self._resolved(session, order, pieces, goods, decision, parameters, now)

    def _decision(
        self,
        session: Session,
        order: Order,
        pieces: Sequence[Pieces],
        goods_minor: int,
        parameters: Values,
        now: datetime,
    ) -> Decision:
        lines = [each.line for each in pieces]
        has_arrived = all(delivered_at(session, each) is not None for each in lines)
        facts = {
            "problem": parameters["problem"],
            "carrier_says_delivered": has_arrived,
            "days_since_delivery": min(days_since_delivery(session, each, now) for each in lines),
            "carrier_says_lost": not has_arrived and _is_lost(session, lines),
            "days_late": 0 if has_arrived else _days_late(session, lines, now.date()),
            "value_minor": goods_minor,
            "currency": order.currency,
            "picture": bool(parameters.get("evidence")),
        }
        return ask(self._policies, "claim_eligibility", facts, now.date())

    def _resolved(
        self,
        session: Session,
        order: Order,
        pieces: Sequence[Pieces],
        goods_minor: int,
        decision: Decision,
        parameters: Values,
        now: datetime,
    ) -> _Plan:
        places = _places(session, order, pieces)
        owed = min(goods_minor + shipping_share(order, goods_minor), refundable_minor(session, order))
        resolution = "agent" if _is_part(pieces, parameters) else _resolution(decision, parameters, places, owed)
        goal = _reachable(order, parameters.get("refund_to", "original"), self._policies, now)
        return _Plan(
            pieces=tuple(pieces),
            whole_order={each.line.id for each in pieces} == {each.id for each in order.lines},
            decision=decision,
            resolution=resolution if goal.is_allowed else "agent",
            places=places or {},
            goods_minor=goods_minor,
            refund_minor=owed if resolution == "refund" else 0,
            destination=goal,
        )

    def _ask_back(self, session: Session, order: Order, parameters: Values, plan: _Plan, now: datetime) -> ReturnAuthorization:
        method = parameters.get("method", "drop_off")
        case = case_of(session, order, {"reason": "wrong_item"}, now, self._policies)
        way = way_back(case, method, self._policies)
        terms = Terms(
            kind="return",
            reason=parameters["problem"],
            method=method,
            shipping_paid_by=str(way.values.get("shipping_paid_by", "shop")),
            policy_rule=plan.decision.rule,
            refund_to=plan.destination.name if plan.resolution == "refund" else None,
        )
        return issue(session, order, plan.pieces, terms, self._home, now)

    def _pay_back(
        self,
        session: Session,
        order: Order,
        plan: _Plan,
        authorization: ReturnAuthorization | None,
        claim_number: str,
        now: datetime,
    ) -> None:
        refunds = owe(
            session,
            order,
            plan.refund_minor,
            reason="claim",
            destination=plan.destination.name,
            status="waiting_for_goods" if authorization else "approved",
            now=now,
            authorization=authorization,
        )
        if authorization is None:
            _approve(session, order, plan, refunds, claim_number, self._policies, now)


def _concerned(session: Session, order: Order, parameters: Values) -> list[OrderLine]:
    if parameters["line_id"] is not None:
        return [line for line in order.lines if line.id == parameters["line_id"]]
    missing = [line for line in order.lines if delivered_at(session, line) is None]
    return missing if missing and parameters["problem"] == "not_received" else list(order.lines)


def open_claim(session: Session, order: Order, lines: Sequence[OrderLine]) -> Claim | None:
    """The first claim about the whole order or one of these lines that is not closed."""
    concerned = Claim.order_line_id.is_(None) | Claim.order_line_id.in_([line.id for line in lines])
    statement = select(Claim).where(Claim.order_id == order.id, concerned, Claim.status != "closed")
    return session.execute(statement.order_by(Claim.id)).scalars().first()


def evidence_of(session: Session, customer_id: int) -> frozenset[str]:
    """The pictures that some claim of this customer has."""
    return _evidence(session, Claim.customer_id == customer_id)


def evidence_of_open(session: Session) -> frozenset[str]:
    """The pictures of claims that are not closed."""
    return _evidence(session, Claim.status != "closed")


def _evidence(session: Session, condition: Any) -> frozenset[str]:
    lists = session.execute(select(Claim.evidence).where(condition)).scalars()
    return frozenset(each for pictures in lists for each in pictures or ())


def _already_open(session: Session, order: Order, lines: Sequence[OrderLine]) -> Refusal | None:
    claim = open_claim(session, order, lines)
    if claim is None:
        return None
    values = {"claim_number": claim.claim_number, "resolution": claim.resolution, "status": claim.status}
    return Refusal("claim_already_open", "claim_already_open", nearest="agent", values=values)


def _days_late(session: Session, lines: Sequence[OrderLine], today: date) -> int:
    """Days past the latest promise for what has not arrived."""
    promises = [day for line in lines if delivered_at(session, line) is None for day in _promises(session, line)]
    return max(0, (today - max(promises)).days) if promises else 0


def _promises(session: Session, line: OrderLine) -> list[date]:
    days = [parcel.promised_on for parcel in _parcels(session, line) if parcel.promised_on]
    return days or ([line.order.promised_on] if line.order.promised_on else [])


def _is_lost(session: Session, lines: Sequence[OrderLine]) -> bool:
    """Whether the carrier has given up every parcel of what has not arrived."""
    missing = (_parcels(session, line) for line in lines if delivered_at(session, line) is None)
    return all(parcels and all(parcel.status == "lost" for parcel in parcels) for parcels in missing)


def _parcels(session: Session, line: OrderLine) -> list[Shipment]:
    parts = session.execute(select(FulfilmentLine).where(FulfilmentLine.order_line_id == line.id)).scalars()
    return [parcel for part in parts for parcel in part.fulfilment.shipments]


def _places(session: Session, order: Order, pieces: Sequence[Pieces]) -> Mapping[int, int] | None:
    """The place that can send each variant again; None where one of them cannot be sent."""
    needed: Counter[int] = Counter()
    for each in pieces:
        needed[each.line.variant_id] += each.quantity
    found = {variant: place_for(session, order, variant, quantity) for variant, quantity in needed.items()}
    return None if None in found.values() else {variant: place.id for variant, place in found.items() if place}


def _is_part(pieces: Sequence[Pieces], parameters: Values) -> bool:
    # A claim is kept by line, not by piece: which of the pieces it was, a person has to note.
    quantity = parameters.get("quantity")
    return quantity is not None and quantity < sum(each.quantity for each in pieces)


def _resolution(decision: Decision, parameters: Values, places: object, owed_minor: int) -> str:
    """The shopper's wish where the table offers it and it can be done, else the first that can be done."""
    if decision.needs_human:
        return "agent"
    possible = {"replacement": places is not None, "refund": owed_minor > 0}
    named: Any = decision.values["resolutions"]
    offered = [each for each in (SAME.get(name, name) for name in named) if possible.get(each)]
    wish = parameters.get("resolution")
    return str(wish if wish in offered else next(iter(offered), "agent"))


def _reachable(order: Order, wish: str, policies: Policies, now: datetime) -> Destination:
    """Where the shopper wants the money, or store credit where the policy does not let it go there."""
    wanted = destination(order, wish, policies, now)
    return wanted if wanted.is_allowed else destination(order, "store_credit", policies, now)


def _summary(session: Session, order: Order, parameters: Values, plan: _Plan, now: datetime) -> Values:
    is_refund = plan.resolution == "refund"
    return {
        "order_number": order.number,
        "items": [shown(each) for each in plan.pieces],
        "problem": parameters["problem"],
        "resolution": plan.resolution,
        "agent_reason": plan.decision.reason if plan.decision.needs_human else None,
        "send_back": plan.send_back,
        "send_by": send_by(now).isoformat() if plan.send_back else None,
        "currency": order.currency,
        "refund_minor": plan.refund_minor,
        "refund_to": plan.destination.name if is_refund else None,
        "refund_parts": refund_parts(session, order, plan.refund_minor, plan.destination.name),
        "refund_days_min": plan.destination.days_min if is_refund else None,
        "refund_days_max": plan.destination.days_max if is_refund else None,
        "points_reversed": points_of_goods(session, order, plan.goods_minor) if is_refund else 0,
    }


def _facts(session: Session, order: Order, plan: _Plan) -> Values:
    return {
        "version": order.version,
        "rule": plan.decision.rule,
        "refundable_minor": refundable_minor(session, order),
    }


def _write_claims(session: Session, order: Order, parameters: Values, plan: _Plan, now: datetime) -> list[Claim]:
    """One claim for the whole order, else one for each line."""
    lines: list[OrderLine | None] = [None] if plan.whole_order and parameters["line_id"] is None else []
    return [_write_claim(session, order, line, parameters, plan, now) for line in lines or [p.line for p in plan.pieces]]


def _write_claim(session: Session, order: Order, line: OrderLine | None, parameters: Values, plan: _Plan, now: datetime) -> Claim:
    claim = Claim(
        order=order,
        order_line=line,
        customer_id=order.customer_id,
        problem=parameters["problem"],
        resolution=plan.resolution,
        status=STATUSES[plan.resolution],
        note=(parameters.get("note") or "")[:500],
        evidence=list(parameters.get("evidence") or []),
        policy_rule=plan.decision.rule,
        opened_at=now,
    )
    add_numbered(session, claim, "claim_number", PREFIX, FIRST)
    return claim


def _send_again(session: Session, order: Order, plan: _Plan) -> None:
    """Take the pieces from stock and give them a parcel to be packed, one for each place."""
    for place in sorted(set(plan.places.values())):
        from_here = [each for each in plan.pieces if plan.places[each.line.variant_id] == place]
        for each in from_here:
            reserve(session, each.line.variant_id, place, each.quantity)
        parts = [FulfilmentLine(order_line=each.line, quantity=each.quantity) for each in from_here]
        session.add(Fulfilment(order_id=order.id, location_id=place, status="pending", lines=parts))
    session.flush()
    session.expire(order, ["fulfilments"])


def _approve(
    session: Session,
    order: Order,
    plan: _Plan,
    refunds: Sequence[Refund],
    claim_number: str,
    policies: Policies,
    now: datetime,
) -> None:
    reverse_points(session, order, plan.goods_minor, claim_number, now)
    for refund in refunds:
        approve_refund(session, refund, policies, now)
