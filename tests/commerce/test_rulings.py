"""Asking a table: with what it asks for, within its range; and its no as a refusal."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from commerce.policies import MissingFact, load_policies
from commerce.rulings import ask, refusal_of

POLICIES = load_policies(Path(__file__).parents[2] / "data" / "policies")
TODAY = date(2026, 11, 18)
LATE: dict[str, Any] = {
    "line_status": "delivered",
    "days_since_delivery": 40,
    "tier": "standard",
    "exchanged_before": False,
    "category_kind": "ordinary",
    "package": "sealed",
    "is_gift": False,
    "reason": "other",
}


def test_a_table_is_given_only_the_facts_that_it_asks_for() -> None:
    assert ask(POLICIES, "return_eligibility", {**LATE, "shoe_size": 41}, TODAY).rule == "window_closed"


def test_a_count_beyond_the_range_is_told_as_its_end() -> None:
    decisions = [ask(POLICIES, "return_eligibility", {**LATE, "days_since_delivery": days}, TODAY) for days in (-3, 10**9)]
    assert [each.rule for each in decisions] == ["in_window", "window_closed"]


def test_a_fact_that_is_not_known_is_an_error() -> None:
    with pytest.raises(MissingFact):
        ask(POLICIES, "return_eligibility", {"tier": "gold"}, TODAY)


def test_a_refusal_has_the_tables_words_and_values_and_what_would_change_it() -> None:
    refusal = refusal_of(ask(POLICIES, "return_eligibility", LATE, TODAY), sku="A")
    assert (refusal.rule, refusal.reason, refusal.verdict, refusal.nearest) == ("window_closed", "window_closed", "deny", "agent")
    assert refusal.values == {"return_days": 30, "sku": "A"}
    assert {"fact": "tier", "to": "silver", "verdict": "allow", "rule": "in_window"} in refusal.would_change
