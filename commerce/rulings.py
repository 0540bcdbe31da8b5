"""Putting a question to a policy table, and turning its answer into a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from commerce.models import Order
from commerce.policies import Decision, Policies
from commerce.policies.facts import Fact
from commerce.proposals import Refusal


def ask(policies: Policies, table: str, known: Mapping[str, Any], on: date) -> Decision:
    """The table's decision from what is known: it is given the facts that it asks for, and no others.

    So a designer may stop asking for a fact without a change of code. Counts beyond a fact's range are told as its end:
    4,000 days are as late as 3,650. Raises PolicyError as ``Policies.decide``, MissingFact for a fact not in `known`.
    """
    asked = policies.table(table, on).facts
    facts = {fact.name: _within(fact, known[fact.name]) for fact in asked if fact.name in known}
    return policies.decide(table, facts, on)


def _within(fact: Fact, value: Any) -> Any:
    is_count = fact.kind == "int" and isinstance(value, int) and not isinstance(value, bool)
    return min(max(value, fact.low), fact.high) if is_count else value


def refusal_of(decision: Decision, **values: Any) -> Refusal:
    """Why not, with the table's values and those that the caller adds."""
    return Refusal(
        rule=decision.rule,
        reason=decision.reason,
        verdict=decision.verdict,
        nearest=decision.nearest,
        values={**decision.values, **values},
        would_change=tuple(asdict(change) for change in decision.would_change),
    )


def refusal_about(order: Order, decision: Decision, **values: Any) -> Refusal:
    """As `refusal_of`. What waits in a store has left as much as what is on its way, but is told in other words."""
    refusal = refusal_of(decision, order_number=order.number, **values)
    waits = refusal.reason == "already_shipped" and order.status == "ready_for_pickup"
    return replace(refusal, reason="waits_in_store") if waits else refusal
