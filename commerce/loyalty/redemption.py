"""Points become a voucher, by the table `redemption`."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from commerce.loyalty.ledger import Cause, balance, lock, take
from commerce.loyalty.standing import tier
from commerce.models import Customer, Voucher
from commerce.policies import Decision, Policies
from commerce.proposals import Assessment, Refusal, Values
from commerce.rulings import ask, refusal_of

# Nothing that is misread aloud or on paper: no 0 and O, no 1, I and L, no U and V.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTWXYZ"
CODE_GROUPS, CODE_GROUP_LENGTH = 4, 4  # 16 characters: some 77 bits, beyond guessing


class RedeemPoints:
    """Operation `redeem_points`. Parameters: {points: int}. The points that expire first are spent first.

    Summary: points, amount_minor, currency, balance_after, voucher_valid_days, max_share_percent.
    Result: code, points, amount_minor, currency, expires_on (ISO date), balance.
    Refusals are the table's; those have `balance` among their values.
    """

    kind = "redeem_points"

    def __init__(self, policies: Policies) -> None:
        self.policies = policies

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        lock(session, customer_id)  # from here to the end of the transaction the balance is what was assessed
        points, available = int(parameters["points"]), balance(session, customer_id, now)
        currency = session.get(Customer, customer_id).currency
        decision = self._decide(session, customer_id, points, available, currency, now)
        if not decision.is_allowed:
            return refusal_of(decision, balance=available, points=points)
        return Assessment(_summary(decision, points, available, currency), {"rule": decision.rule})

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
        take(session, customer_id, told["points"], Cause("redeem", "redemption", f"redeem:{proposal_id}", now))
        voucher = Voucher(
            code=new_code(),
            customer_id=customer_id,
            amount_minor=told["amount_minor"],
            currency=told["currency"],
            status="active",
            issued_at=now,
            expires_at=now + timedelta(days=told["voucher_valid_days"]),
            proposal_id=proposal_id,
        )
        session.add(voucher)
        session.flush()
        return {
            "code": voucher.code,
            "points": told["points"],
            "amount_minor": told["amount_minor"],
            "currency": told["currency"],
            "expires_on": voucher.expires_at.date().isoformat(),
            "balance": told["balance_after"],
        }

    def _decide(self, session: Session, customer_id: int, points: int, available: int, currency: str, now: datetime) -> Decision:
        step = self.policies.number("redemption", "redeem_step", now.date())
        facts = {
            "tier": tier(session, customer_id, now, self.policies),
            "points_asked": points,
            "is_multiple": points % step == 0,
            "enough_points": points <= available,
            "currency": currency,
        }
        return ask(self.policies, "redemption", facts, now.date())


def new_code() -> str:
    """A voucher code that nobody guesses: "7KQM-W3ZT-..."."""
    groups = ("".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_GROUP_LENGTH)) for _ in range(CODE_GROUPS))
    return "-".join(groups)


def _summary(decision: Decision, points: int, available: int, currency: str) -> Values:
    step, value = (int(str(decision.values[name])) for name in ("redeem_step", "value_per_step_minor"))
    return {
        "points": points,
        "amount_minor": points // step * value,
        "currency": currency,
        "balance_after": available - points,
        "voucher_valid_days": decision.values["voucher_valid_days"],
        "max_share_percent": decision.values["max_share_percent"],
    }
