"""Points given or taken by a person, with a reason: `adjust_points`, and the opposite row that takes it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.loyalty.ledger import adjust, balance, lock
from commerce.loyalty.standing import expires_at
from commerce.models import Customer, Effect, Proposal
from commerce.policies import Policies
from commerce.powers import Powers
from commerce.proposals import Assessment, Refusal, Values

EXCEPTION = "goodwill_points"
GIVEN, CORRECTED = "goodwill", "correction"  # as the ledger has it, and the shopper reads it
ADDED_UP_OVER = timedelta(days=30)  # many small adjustments are one large one
UNDO = "undo_adjust_points"


class AdjustPoints:
    """Parameters: points (signed, not 0), reason (for the books).

    Measured by what the points are worth as a voucher, given or taken alike, with what people have adjusted for this
    customer in ADDED_UP_OVER. Refuses by the table agent_powers, and with no_points, not_enough_points.
    """

    kind = "adjust_points"

    def __init__(self, policies: Policies, powers: Powers) -> None:
        self._policies = policies
        self._powers = powers

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        lock(session, customer_id)  # from here to the end of the transaction the ledger is what was assessed
        points, available = int(parameters["points"]), balance(session, customer_id, now)
        refusal = _impossible(points, available)
        if refusal is not None:
            return refusal
        currency = session.get(Customer, customer_id).currency
        of_late = _adjusted_of_late(session, customer_id, now)
        worth = worth_minor(self._policies, abs(points) + of_late, currency, now)
        refusal = self._powers.refusal(EXCEPTION, worth, currency, now.date())
        if refusal is not None:
            return refusal
        summary = {"points": points, "balance_after": available + points, "reason": parameters["reason"]}
        by_hand = {"currency": currency, "exceptions": [EXCEPTION], "exception_minor": worth}
        return Assessment({**summary, **by_hand}, {"balance": available})

    def perform(
        self,
        session: Session,
        customer_id: int,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        told = assessment.summary
        _write(session, customer_id, told["points"], f"adjust:{proposal_id}", now, self._policies)
        return dict(told)


class TakeBackAdjustment:
    """Parameters: points, as they were adjusted. The opposite row; refuses with points_spent where they are not there any more,
    and by the table agent_powers: what a supervisor took, an agent gives back only as far as they could give it."""

    kind = UNDO

    def __init__(self, policies: Policies, powers: Powers) -> None:
        self._policies = policies
        self._powers = powers

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        lock(session, customer_id)
        points, available = -int(parameters["points"]), balance(session, customer_id, now)
        if available + points < 0:
            return Refusal("points_spent", "points_spent", values={"points": points, "balance": available})
        currency = session.get(Customer, customer_id).currency
        worth = worth_minor(self._policies, abs(points), currency, now)
        refusal = self._powers.refusal(EXCEPTION, worth, currency, now.date())
        return refusal or Assessment({"points": points, "balance_after": available + points}, {"balance": available})

    def perform(
        self,
        session: Session,
        customer_id: int,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        told = assessment.summary
        _write(session, customer_id, told["points"], f"undo:{proposal_id}", now, self._policies, CORRECTED)
        return dict(told)


def worth_minor(policies: Policies, points: int, currency: str, now: datetime) -> int:
    """What points are worth as a voucher, in minor units; rounded up."""
    on = now.date()
    step = policies.number("redemption", "redeem_step", on)
    value = policies.number("redemption", "value_per_step", on, currency=currency)
    return -(-points * value // step)


def _impossible(points: int, available: int) -> Refusal | None:
    if points == 0:
        return Refusal("no_points", "no_points")
    if available + points < 0:
        return Refusal("not_enough_points", "not_enough_points", values={"points": -points, "balance": available})
    return None


def _write(
    session: Session, customer_id: int, points: int, key: str, now: datetime, policies: Policies, reason: str | None = None
) -> None:
    until = expires_at(session, customer_id, now, policies) if points > 0 else None
    why = reason or (GIVEN if points > 0 else CORRECTED)
    adjust(session, customer_id, points, reason=why, key=key, now=now, expires_at=until)


def _adjusted_of_late(session: Session, customer_id: int, now: datetime) -> int:
    """Points that people have given to this customer and taken from them, without what was taken back."""
    undone = select(Effect.undoes).where(Effect.undoes.is_not(None))
    of_late = (
        select(Effect.result)
        .join(Proposal, Effect.proposal_id == Proposal.id)
        .where(Proposal.customer_id == customer_id, Effect.kind == AdjustPoints.kind)
        .where(Effect.done_at > now - ADDED_UP_OVER, Effect.id.not_in(undone))
    )
    results: list[dict[str, Any]] = list(session.execute(of_late).scalars())
    return sum(abs(int(each["points"])) for each in results)
