"""What a person of ours may allow that the other tables do not: which exception, up to which amount (table `agent_powers`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from commerce.policies import Decision, Policies
from commerce.proposals import Refusal
from commerce.rulings import ask, refusal_of

TABLE = "agent_powers"


@dataclass(frozen=True)
class Excuse:
    """An exception for what these rules refuse: it is decided as if the facts were others.

    exception: of the table `agent_powers`; None: any person may look at it and say yes, at whatever amount.
    """

    exception: str | None
    rules: frozenset[str]
    as_if: Mapping[str, Any]


@dataclass(frozen=True)
class Powers:
    """Somebody of a role (bot, agent, supervisor) who would make an exception."""

    policies: Policies
    role: str

    def decide(self, exception: str, amount_minor: int, currency: str, on: date) -> Decision:
        """amount_minor: what it costs the shop, with what was given for the same thing before."""
        facts = {"role": self.role, "exception": exception, "amount_minor": amount_minor, "currency": currency}
        return ask(self.policies, TABLE, facts, on)

    def refusal(self, exception: str, amount_minor: int, currency: str, on: date) -> Refusal | None:
        """Why they may not; its values have the exception, the amount, and where there is one the limit."""
        decision = self.decide(exception, amount_minor, currency, on)
        if decision.is_allowed:
            return None
        return refusal_of(decision, exception=exception, amount_minor=amount_minor, currency=currency)

    def excused(self, table: str, facts: Mapping[str, Any], on: date, excuses: tuple[Excuse, ...]) -> tuple[Decision, list[str]]:
        """The table's decision once all that these excuses cover is overlooked, and the exceptions that this takes.

        Where something else stands in the way, that is the decision: an excuse for one thing excuses nothing else.
        """
        told, exceptions = dict(facts), []
        decision = ask(self.policies, table, told, on)
        for _ in excuses:  # each at most once
            excuse = next((each for each in excuses if decision.rule in each.rules), None)
            if excuse is None:
                break
            exceptions += [excuse.exception] if excuse.exception else []
            told |= excuse.as_if
            decision = ask(self.policies, table, told, on)
        return decision, exceptions
