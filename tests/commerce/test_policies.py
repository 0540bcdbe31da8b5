"""Every rule of the shop's tables by an example, what the tables promise by properties, and what a designer is told."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from commerce.policies import (
    Change,
    FactOutOfDomain,
    MissingFact,
    NotInForce,
    Policies,
    PolicyFileError,
    UnknownFact,
    UnknownTable,
    load_policies,
    policy_facts,
    to_markdown,
)
from commerce.policies.__main__ import main
from commerce.policies.checking import uncovered
from commerce.policies.facts import Fact, Value, holds
from commerce.policies.tables import Box, Table

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 18)
POLICIES = load_policies(ROOT / "data" / "policies")

# One ordinary case a table; the examples below say only what differs from it.
USUAL: dict[str, dict[str, Value]] = {
    "return_eligibility": {
        "line_status": "delivered",
        "days_since_delivery": 10,
        "tier": "standard",
        "category_kind": "ordinary",
        "package": "sealed",
        "is_gift": False,
        "reason": "too_small",
        "exchanged_before": False,
    },
    "return_shipping": {
        "tier": "standard",
        "reason": "too_small",
        "return_method": "drop_off",
        "pick_up_available": True,
        "currency": "EUR",
    },
    "refund_destination": {"payment_kind": "card", "requested_to": "original", "is_gift": False},
    "exchange_eligibility": {
        "line_status": "delivered",
        "days_since_delivery": 10,
        "tier": "standard",
        "category_kind": "ordinary",
        "package": "sealed",
        "is_gift": False,
        "exchanged_before": False,
        "same_product": True,
        "in_stock": True,
        "difference": "none",
        "method_bears_difference": True,
    },
    "claim_eligibility": {
        "problem": "damaged",
        "carrier_says_delivered": True,
        "carrier_says_lost": False,
        "days_since_delivery": 3,
        "days_late": 0,
        "value_minor": 4000,
        "currency": "EUR",
        "picture": True,
    },
    "cancellation": {"order_status": "paid", "cancellation_reason": "no_longer_needed"},
    "order_change": {
        "order_status": "paid",
        "changed_before": False,
        "same_product": True,
        "in_stock": True,
        "difference": "none",
        "method_bears_difference": True,
    },
    "address_change": {"order_status": "paid", "same_country": True},
    "payment_change": {
        "order_status": "paid",
        "methods_requested": 1,
        "same_method": False,
        "enough_balance": True,
    },
    "shipping_fee": {"currency": "EUR", "delivery": "home", "tier": "standard", "subtotal_minor": 2000},
    "tiers": {"has_account": True, "points_12_months": 0},
    "earning": {"tier": "standard", "currency": "MXN"},
    "redemption": {
        "tier": "standard",
        "points_asked": 500,
        "is_multiple": True,
        "enough_points": True,
        "currency": "MXN",
    },
    "expiry": {"tier": "standard"},
    "goodwill_credit": {
        "tier": "standard",
        "cause": "missing_points",
        "points_asked": 100,
        "days_since_last_credit": 36500,
    },
    "identity": {"level": "asserted", "operation": "track_order"},
    "other_channel": {"hours_since": 0},
    "agent_powers": {"role": "agent", "exception": "late_return", "amount_minor": 4000, "currency": "EUR"},
}

LOST: dict[str, Value] = {"problem": "not_received", "carrier_says_delivered": False, "days_since_delivery": 0}
NOT_HERE: dict[str, Value] = {"problem": "not_received"}
HYGIENE: dict[str, Value] = {"category_kind": "hygiene"}
FINAL: dict[str, Value] = {"category_kind": "final_sale"}
BACK = {"line_status": "already_returned"}
GIFT: dict[str, Value] = {"is_gift": True}

# table, what differs from the usual case, rule, verdict, some of the values
EXAMPLES: list[tuple[str, Mapping[str, Value], str, str, Mapping[str, object]]] = [
    ("return_eligibility", {}, "in_window", "allow", {"return_days": 30, "inspection": False}),
    ("return_eligibility", {"days_since_delivery": 30}, "in_window", "allow", {"return_days": 30}),
    ("return_eligibility", {"days_since_delivery": 31}, "window_closed", "deny", {"return_days": 30}),
    ("return_eligibility", {"days_since_delivery": 31, "tier": "guest"}, "window_closed", "deny", {"return_days": 30}),
    ("return_eligibility", {"days_since_delivery": 45, "tier": "silver"}, "in_window", "allow", {"return_days": 45}),
    ("return_eligibility", {"days_since_delivery": 46, "tier": "silver"}, "window_closed", "deny", {}),
    ("return_eligibility", {"days_since_delivery": 60, "tier": "gold"}, "in_window", "allow", {"return_days": 60}),
    ("return_eligibility", {"days_since_delivery": 61, "tier": "gold"}, "window_closed", "deny", {}),
    ("return_eligibility", {**GIFT, "days_since_delivery": 60}, "gift", "allow", {"refund_to": ["store_credit"]}),
    ("return_eligibility", {**GIFT, "days_since_delivery": 61}, "gift_window_closed", "deny", {"return_days": 60}),
    ("return_eligibility", {"line_status": "already_returned"}, "already_returned", "deny", {}),
    ("return_eligibility", {"exchanged_before": True}, "in_window", "allow", {}),
    ("return_eligibility", {"exchanged_before": True, **BACK}, "exchanged", "needs_human", {}),
    ("return_eligibility", {"line_status": "not_delivered"}, "not_delivered", "deny", {}),
    ("return_eligibility", FINAL, "final_sale", "deny", {}),
    ("return_eligibility", {**FINAL, "reason": "damaged"}, "final_sale_defect", "needs_human", {}),
    ("return_eligibility", {"reason": "defective", "days_since_delivery": 90}, "our_fault", "allow", {}),
    ("return_eligibility", {**HYGIENE, "package": "opened", "reason": "wrong_item"}, "our_fault", "allow", {}),
    ("return_eligibility", {"reason": "defective", "days_since_delivery": 91}, "our_fault_late", "needs_human", {}),
    ("return_eligibility", HYGIENE, "in_window", "allow", {}),
    ("return_eligibility", {**HYGIENE, "package": "opened"}, "hygiene_opened", "deny", {}),
    ("return_eligibility", {**HYGIENE, "package": "unknown"}, "hygiene_package_unknown", "needs_human", {}),
    ("return_eligibility", {"package": "opened"}, "opened", "allow", {"inspection": True}),
    ("return_shipping", {}, "drop_off", "allow", {"shipping_paid_by": "shopper", "fee_minor": 495}),
    ("return_shipping", {"return_method": "pick_up"}, "pick_up", "allow", {"fee_minor": 795}),
    (
        "return_shipping",
        {"return_method": "pick_up", "pick_up_available": False},
        "pick_up_unavailable",
        "deny",
        {},
    ),
    ("return_shipping", {"return_method": "store"}, "in_store", "allow", {"fee_minor": 0}),
    ("return_shipping", {"reason": "damaged"}, "our_fault", "allow", {"shipping_paid_by": "shop", "fee_minor": 0}),
    ("return_shipping", {"tier": "gold"}, "gold", "allow", {"shipping_paid_by": "shop", "fee_minor": 0}),
    ("refund_destination", {}, "original", "allow", {"refund_days_min": 5, "refund_days_max": 7}),
    ("refund_destination", {"requested_to": "gift_card"}, "at_once", "allow", {"refund_days_max": 0}),
    ("refund_destination", {"requested_to": "store_credit", **GIFT}, "at_once", "allow", {}),
    ("refund_destination", {"requested_to": "other_account"}, "other_account", "deny", {}),
    ("refund_destination", GIFT, "gift_to_giver", "deny", {}),
    ("refund_destination", {"payment_kind": "cash"}, "cash", "deny", {}),
    ("refund_destination", {"payment_kind": "gift_card"}, "balance", "allow", {"refund_days_max": 0}),
    ("exchange_eligibility", {}, "even", "allow", {"settle": "none"}),
    ("exchange_eligibility", {"difference": "to_pay"}, "pay_difference", "allow", {"settle": "charge"}),
    ("exchange_eligibility", {"difference": "to_refund"}, "refund_difference", "allow", {"settle": "refund"}),
    (
        "exchange_eligibility",
        {"difference": "to_pay", "method_bears_difference": False},
        "method_cannot_bear_difference",
        "deny",
        {},
    ),
    ("exchange_eligibility", {"line_status": "already_returned"}, "already_returned", "deny", {}),
    ("exchange_eligibility", {"line_status": "not_delivered"}, "not_delivered", "deny", {}),
    ("exchange_eligibility", {"exchanged_before": True}, "exchanged_before", "deny", {}),
    ("exchange_eligibility", {"exchanged_before": True, **BACK}, "all_exchanged", "deny", {}),
    ("exchange_eligibility", FINAL, "final_sale", "deny", {}),
    ("exchange_eligibility", {"days_since_delivery": 31}, "window_closed", "deny", {"return_days": 30}),
    ("exchange_eligibility", {**GIFT, "days_since_delivery": 31}, "even", "allow", {}),
    ("exchange_eligibility", {**GIFT, "days_since_delivery": 61}, "gift_window_closed", "deny", {"return_days": 60}),
    ("exchange_eligibility", {**HYGIENE, "package": "opened"}, "hygiene_opened", "deny", {}),
    ("exchange_eligibility", {**HYGIENE, "package": "unknown"}, "hygiene_package_unknown", "needs_human", {}),
    ("exchange_eligibility", {"same_product": False}, "other_product", "deny", {}),
    ("exchange_eligibility", {"in_stock": False}, "out_of_stock", "deny", {}),
    ("claim_eligibility", {}, "damaged", "allow", {"send_back": False}),
    ("claim_eligibility", {"problem": "wrong_item"}, "wrong_item", "allow", {"send_back": True}),
    ("claim_eligibility", {"problem": "missing_item", "picture": False}, "missing_item", "allow", {}),
    ("claim_eligibility", {"picture": False}, "picture_needed", "deny", {}),
    ("claim_eligibility", {"value_minor": 15000}, "damaged", "allow", {}),
    ("claim_eligibility", {"value_minor": 15001}, "above_limit", "needs_human", {}),
    ("claim_eligibility", {"value_minor": 15001, "currency": "MXN"}, "damaged", "allow", {}),
    ("claim_eligibility", {"days_since_delivery": 91}, "claim_window_closed", "deny", {"claim_days": 90}),
    ("claim_eligibility", {"carrier_says_delivered": False}, "not_delivered", "deny", {}),
    ("claim_eligibility", {**NOT_HERE, "days_since_delivery": 1}, "wait", "deny", {"wait_days": 2}),
    ("claim_eligibility", {**NOT_HERE, "days_since_delivery": 2}, "delivered_not_received", "allow", {}),
    ("claim_eligibility", LOST, "on_its_way", "deny", {}),
    ("claim_eligibility", {**LOST, "days_late": 9}, "late", "deny", {"lost_after_days": 10}),
    ("claim_eligibility", {**LOST, "carrier_says_lost": True}, "lost", "allow", {"send_back": False}),
    ("claim_eligibility", {**LOST, "days_late": 10}, "lost", "allow", {"send_back": False}),
    ("claim_eligibility", {**LOST, "days_late": 10, "value_minor": 20000}, "lost_above_limit", "needs_human", {}),
    ("cancellation", {"order_status": "placed"}, "not_paid_yet", "allow", {"refund": "none"}),
    ("cancellation", {}, "paid", "allow", {"refund": "full", "fee_minor": 0}),
    ("cancellation", {"cancellation_reason": "change_order"}, "change_instead", "allow", {"refund": "full"}),
    ("cancellation", {"cancellation_reason": "other"}, "reason_not_listed", "needs_human", {}),
    ("cancellation", {"order_status": "preparing"}, "being_prepared", "needs_human", {}),
    ("cancellation", {"order_status": "shipped"}, "already_shipped", "deny", {}),
    ("cancellation", {"order_status": "delivered"}, "already_delivered", "deny", {}),
    ("cancellation", {"order_status": "cancelled"}, "already_cancelled", "deny", {}),
    ("order_change", {}, "even", "allow", {"settle": "none"}),
    ("order_change", {"difference": "to_pay"}, "pay_difference", "allow", {"settle": "charge"}),
    ("order_change", {"difference": "to_refund"}, "refund_difference", "allow", {"settle": "refund"}),
    (
        "order_change",
        {"difference": "to_pay", "method_bears_difference": False},
        "method_cannot_bear_difference",
        "deny",
        {},
    ),
    ("order_change", {"changed_before": True}, "changed_before", "deny", {}),
    ("order_change", {"same_product": False}, "other_product", "deny", {}),
    ("order_change", {"in_stock": False}, "out_of_stock", "deny", {}),
    ("order_change", {"order_status": "preparing"}, "being_prepared", "needs_human", {}),
    ("order_change", {"order_status": "shipped"}, "already_shipped", "deny", {}),
    ("order_change", {"order_status": "delivered"}, "already_delivered", "deny", {}),
    ("order_change", {"order_status": "cancelled"}, "already_cancelled", "deny", {}),
    ("address_change", {}, "before_fulfilment", "allow", {}),
    ("address_change", {"same_country": False}, "other_country", "needs_human", {}),
    ("address_change", {"order_status": "preparing"}, "being_prepared", "needs_human", {}),
    ("address_change", {"order_status": "shipped"}, "already_shipped", "deny", {}),
    ("address_change", {"order_status": "delivered"}, "already_delivered", "deny", {}),
    ("address_change", {"order_status": "cancelled"}, "already_cancelled", "deny", {}),
    ("payment_change", {}, "single_other_method", "allow", {}),
    ("payment_change", {"methods_requested": 2}, "several_methods", "deny", {}),
    ("payment_change", {"same_method": True}, "same_method", "deny", {}),
    ("payment_change", {"enough_balance": False}, "not_enough_balance", "deny", {}),
    ("payment_change", {"order_status": "preparing"}, "being_prepared", "needs_human", {}),
    ("payment_change", {"order_status": "shipped"}, "already_shipped", "deny", {}),
    ("payment_change", {"order_status": "delivered"}, "already_delivered", "deny", {}),
    ("payment_change", {"order_status": "cancelled"}, "already_cancelled", "deny", {}),
    ("shipping_fee", {}, "home", "allow", {"fee_minor": 495, "days_min": 3, "days_max": 5}),
    ("shipping_fee", {"subtotal_minor": 5000}, "free", "allow", {"fee_minor": 0}),
    ("shipping_fee", {"subtotal_minor": 4999}, "home", "allow", {"fee_minor": 495}),
    ("shipping_fee", {"tier": "gold"}, "gold", "allow", {"fee_minor": 0}),
    ("shipping_fee", {"delivery": "express"}, "express", "allow", {"fee_minor": 995, "days_max": 2}),
    ("shipping_fee", {"delivery": "store"}, "store", "allow", {"fee_minor": 0}),
    ("tiers", {"has_account": False}, "guest", "allow", {"tier": "guest"}),
    ("tiers", {"points_12_months": 999}, "standard", "allow", {"tier": "standard", "next_from": 1000}),
    ("tiers", {"points_12_months": 1000}, "silver", "allow", {"tier": "silver", "next_from": 3000}),
    ("tiers", {"points_12_months": 2999}, "silver", "allow", {"tier": "silver"}),
    ("tiers", {"points_12_months": 3000}, "gold", "allow", {"tier": "gold", "next_tier": "none"}),
    ("earning", {"tier": "guest"}, "guest", "deny", {}),
    ("earning", {"tier": "silver"}, "member", "allow", {"minor_per_point": 2000, "percent": 125}),
    ("redemption", {}, "redeem", "allow", {"value_per_step_minor": 10000, "redeem_step": 100}),
    ("redemption", {"tier": "guest"}, "no_account", "deny", {}),
    ("redemption", {"points_asked": 499}, "below_minimum", "deny", {"redeem_minimum": 500}),
    ("redemption", {"enough_points": False}, "not_enough_points", "deny", {}),
    ("redemption", {"points_asked": 550, "is_multiple": False}, "not_a_multiple", "deny", {"redeem_step": 100}),
    ("redemption", {"points_asked": 20100}, "above_maximum", "needs_human", {"redeem_maximum": 20000}),
    ("expiry", {"tier": "guest"}, "guest", "deny", {}),
    ("expiry", {}, "member", "allow", {"months": 12}),
    ("expiry", {"tier": "gold"}, "member", "allow", {"months": 18}),
    ("goodwill_credit", {}, "credit", "allow", {"goodwill_limit": 200}),
    ("goodwill_credit", {"points_asked": 201}, "above_limit", "needs_human", {"goodwill_limit": 200}),
    ("goodwill_credit", {"points_asked": 201, "tier": "silver"}, "credit", "allow", {"goodwill_limit": 500}),
    ("goodwill_credit", {"tier": "guest"}, "no_account", "deny", {}),
    ("goodwill_credit", {"points_asked": 0}, "nothing_missing", "deny", {}),
    ("goodwill_credit", {"cause": "other"}, "other_cause", "needs_human", {}),
    ("goodwill_credit", {"days_since_last_credit": 89}, "credited_recently", "needs_human", {"goodwill_pause": 90}),
    ("goodwill_credit", {"days_since_last_credit": 90}, "credit", "allow", {}),
    ("identity", {"level": "anonymous", "operation": "ask_faq"}, "open", "allow", {"needs": "anonymous"}),
    ("identity", {}, "personal", "allow", {"needs": "asserted"}),
    ("identity", {"level": "anonymous"}, "personal_unknown", "deny", {"needs": "asserted"}),
    ("identity", {"level": "proven", "operation": "redeem_points"}, "sensitive", "allow", {"needs": "proven"}),
    ("other_channel", {"hours_since": 23}, "fresh", "allow", {}),
    ("other_channel", {"hours_since": 24}, "old", "deny", {}),
    ("identity", {"operation": "change_address"}, "sensitive_unproven", "deny", {"needs": "proven"}),
    ("agent_powers", {"role": "bot"}, "only_a_person", "needs_human", {}),
    ("agent_powers", {}, "agent", "allow", {"limit_minor": 15000}),
    ("agent_powers", {"amount_minor": 15001}, "above_agent_limit", "needs_human", {"limit_minor": 15000}),
    ("agent_powers", {"exception": "final_sale_return"}, "only_a_supervisor", "needs_human", {}),
    ("agent_powers", {"role": "supervisor", "amount_minor": 150000}, "supervisor", "allow", {}),
    ("agent_powers", {"amount_minor": 150001}, "above_supervisor_limit", "deny", {}),
]


def usual(table: str, **changed: Value) -> dict[str, Value]:
    return {**USUAL[table], **changed}


@pytest.mark.parametrize(
    ("table", "changed", "rule", "verdict", "values"),
    EXAMPLES,
    ids=[f"{number}-{table}-{rule}" for number, (table, _, rule, _, _) in enumerate(EXAMPLES)],
)
def test_example_is_decided_by_its_rule(
    table: str, changed: Mapping[str, Value], rule: str, verdict: str, values: Mapping[str, object]
) -> None:
    decision = POLICIES.decide(table, {**USUAL[table], **changed}, TODAY)
    assert (decision.rule, decision.verdict) == (rule, verdict)
    assert {name: decision.values[name] for name in values} == values


def test_every_rule_of_every_table_has_an_example() -> None:
    shown = {(table, rule) for table, _, rule, _, _ in EXAMPLES}
    assert {(table, rule.id) for table, rule in POLICIES.rules()} - shown == set()


def test_late_return_would_be_allowed_earlier_or_as_silver() -> None:
    decision = POLICIES.decide("return_eligibility", usual("return_eligibility", days_since_delivery=40), TODAY)
    assert decision.would_change == (
        Change("days_since_delivery", 30, "allow", "in_window"),
        Change("tier", "silver", "allow", "in_window"),
    )


def test_shopper_is_never_coached_to_claim_a_defect() -> None:
    facts = usual("return_eligibility", category_kind="hygiene", package="opened")
    changes = POLICIES.decide("return_eligibility", facts, TODAY).would_change
    assert [(change.fact, change.to) for change in changes] == [("package", "sealed")]


def test_unproven_shopper_is_told_the_nearest_level_that_is_enough() -> None:
    facts = usual("identity", level="anonymous")
    decision = POLICIES.decide("identity", facts, TODAY)
    assert (decision.reason, decision.nearest) == ("identify_first", "identify")
    assert decision.would_change == (Change("level", "asserted", "allow", "personal"),)


def test_allowed_request_needs_no_change() -> None:
    assert POLICIES.decide("return_eligibility", usual("return_eligibility"), TODAY).would_change == ()


def test_values_of_a_decision_can_be_changed_without_changing_the_table() -> None:
    first = POLICIES.decide("claim_eligibility", usual("claim_eligibility"), TODAY)
    resolutions = first.values["resolutions"]
    assert isinstance(resolutions, list)
    resolutions.clear()
    second = POLICIES.decide("claim_eligibility", usual("claim_eligibility"), TODAY)
    assert second.values["resolutions"] == ["replacement", "refund"]


# Wrong questions


def test_missing_fact_is_named() -> None:
    with pytest.raises(MissingFact, match="expiry also asks for tier"):
        POLICIES.decide("expiry", {}, TODAY)


def test_unknown_fact_is_named() -> None:
    with pytest.raises(UnknownFact, match="expiry does not ask for moon; it asks for tier"):
        POLICIES.decide("expiry", usual("expiry", moon="full"), TODAY)


@pytest.mark.parametrize(
    ("table", "fact", "value"),
    [
        ("expiry", "tier", "platinum"),
        ("return_eligibility", "days_since_delivery", -1),
        ("return_eligibility", "days_since_delivery", True),
        ("return_eligibility", "days_since_delivery", 3.0),
        ("return_eligibility", "is_gift", 1),
        ("return_eligibility", "is_gift", "false"),
    ],
)
def test_value_outside_the_domain_is_refused(table: str, fact: str, value: Value) -> None:
    with pytest.raises(FactOutOfDomain, match=f"{fact} is {value!r}; it may be "):
        POLICIES.decide(table, {**USUAL[table], fact: value}, TODAY)


def test_unknown_table_is_named() -> None:
    with pytest.raises(UnknownTable, match="no table refunds; there are address_change, "):
        POLICIES.decide("refunds", {}, TODAY)


def test_table_is_not_asked_before_it_is_in_force() -> None:
    with pytest.raises(NotInForce, match="no version of expiry is in force on 2023-12-31"):
        POLICIES.decide("expiry", usual("expiry"), date(2023, 12, 31))


# Figures and the page


def test_figures_for_answers_come_from_the_tables() -> None:
    figures = policy_facts(POLICIES, TODAY)
    assert figures["return_days_silver"] == "45"
    assert (figures["refund_days_min"], figures["refund_days_max"]) == ("5", "7")
    assert (figures["silver_threshold"], figures["gold_threshold"]) == ("1000", "3000")
    assert figures["points_expiry_months"] == "12"
    assert figures["free_shipping_from"].startswith("MXN 999, EUR 50, ")


def test_figure_asks_for_the_fact_it_depends_on() -> None:
    assert POLICIES.number("return_eligibility", "return_days", TODAY, tier="gold") == 60
    with pytest.raises(MissingFact, match="return_days of return_eligibility depends on tier"):
        POLICIES.number("return_eligibility", "return_days", TODAY)
    with pytest.raises(UnknownTable, match='expiry: the number "expiry_months" has no amount for tier = guest'):
        POLICIES.number("expiry", "expiry_months", TODAY, tier="guest")


def test_page_of_the_policies_is_up_to_date() -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    assert page == to_markdown(POLICIES), "run: python -m commerce.policies --markdown docs/policies.md"


def test_refusals_have_reasons_and_something_that_is_possible() -> None:
    assert [f"{table}.{rule.id}" for table, rule in POLICIES.rules() if rule.verdict != "allow" and not rule.nearest] == []
    assert "return_eligibility.window_closed" in POLICIES.reason_keys()
    assert {"agent", "claim", "store_credit"} <= POLICIES.nearest_keys()


# What the tables promise for every case


def values_of(fact: Fact, table: Table, place: int) -> st.SearchStrategy[Value]:
    """Any value, and often one at the edge of a rule, where mistakes are made."""
    edges = {edge for rule in table.rules for box in rule.boxes for span in box[place] for edge in span}
    near = {edge + step for edge in edges for step in (-1, 0, 1)}
    picked = st.sampled_from(sorted(index for index in near if fact.low <= index <= fact.high))
    return (picked | st.integers(fact.low, fact.high)).map(fact.value)


def cases(table: Table) -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries({fact.name: values_of(fact, table, place) for place, fact in enumerate(table.facts)})


@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("name", sorted(POLICIES.tables))
@given(data=st.data())
def test_every_case_gets_one_verdict_and_what_would_change_it_is_true(name: str, data: st.DataObject) -> None:
    table = POLICIES.table(name, TODAY)
    facts = data.draw(cases(table))
    point = tuple(fact.index(facts[fact.name]) for fact in table.facts)
    matching = [rule for rule in table.rules if rule.matches(point)]
    decision = POLICIES.decide(name, facts, TODAY)
    assert decision.rule == matching[0].id
    assert table.hit == "first" or len([rule for rule in matching if not rule.is_otherwise]) == 1
    for change in decision.would_change:
        again = POLICIES.decide(name, {**facts, change.fact: change.to}, TODAY)
        assert (again.verdict, again.rule) == (change.verdict, change.rule) == ("allow", change.rule)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), days=st.integers(0, 150))
def test_day_told_is_the_nearest_that_would_be_allowed(data: st.DataObject, days: int) -> None:
    facts = {**data.draw(cases(POLICIES.table("return_eligibility", TODAY))), "days_since_delivery": days}
    decision = POLICIES.decide("return_eligibility", facts, TODAY)
    told = [change.to for change in decision.would_change if change.fact == "days_since_delivery"]
    others = ({**facts, "days_since_delivery": day} for day in range(days, -1, -1))
    allowed = [case for case in others if POLICIES.decide("return_eligibility", case, TODAY).is_allowed]
    assert decision.is_allowed or told == [case["days_since_delivery"] for case in allowed[:1]]


extents = st.sets(st.integers(0, 4), min_size=1).map(lambda chosen: tuple((n, n) for n in sorted(chosen)))
boxes = st.lists(st.tuples(extents, extents, extents), max_size=12)


@settings(deadline=None)
@given(boxes=boxes)
def test_search_for_gaps_agrees_with_counting_every_case(boxes: list[Box]) -> None:
    def is_covered(point: tuple[int, ...]) -> bool:
        return any(all(map(holds, box, point)) for box in boxes)

    points = list(itertools.product(range(5), repeat=3))
    gap = uncovered((((0, 4),),) * 3, boxes)
    assert (gap is None) == all(map(is_covered, points))
    if gap is not None:
        inside = [point for point in points if all(map(holds, gap, point))]
        assert inside
        assert not any(map(is_covered, inside))


# What a designer is told

HEAD = """
tables:
  - name: returns
    effective_from: 2024-01-01
    facts:
      days: {type: int, min: 0, max: 100, unit: days}
      tier: {type: enum, values: [standard, gold], ordered: true}
"""


def written(folder: Path, *texts: str) -> Path:
    for number, text in enumerate(texts):
        (folder / f"table{number}.yml").write_text(text, encoding="utf-8")
    return folder


def told(folder: Path) -> list[str]:
    with pytest.raises(PolicyFileError) as error:
        load_policies(folder)
    return [str(problem) for problem in error.value.problems]


def rules(*lines: str) -> str:
    return HEAD + "    rules:\n" + "".join(f"      - {{{line}}}\n" for line in lines)


def test_gap_is_told_with_the_facts_that_show_it(tmp_path: Path) -> None:
    text = rules(
        'id: early, when: {days: "<= 30"}, verdict: allow',
        'id: late, when: {days: "> 45"}, verdict: deny',
        "id: gold, when: {days: 31..45, tier: gold}, verdict: allow",
    )
    assert told(written(tmp_path, text)) == [
        "table0.yml:3: returns: no rule for days = 31..45, tier = standard",
    ]


def test_every_gap_of_a_table_is_told(tmp_path: Path) -> None:
    text = rules('id: early, when: {days: "<= 30"}, verdict: allow', "id: gold, when: {days: 40..50, tier: gold}, verdict: deny")
    assert told(written(tmp_path, text)) == [
        "table0.yml:3: returns: no rule for days = 31..39 or days >= 51, tier = gold",
        "table0.yml:3: returns: no rule for days >= 31, tier = standard",
    ]


def test_overlap_is_told_with_both_rules_and_the_facts(tmp_path: Path) -> None:
    text = rules(
        'id: early, when: {days: "<= 30"}, verdict: allow',
        'id: late, when: {days: ">= 30"}, verdict: deny',
    )
    assert told(written(tmp_path, text.replace("values: [standard, gold], ordered: true", "values: [a, b]"))) == [
        "table0.yml:3: returns: the fact tier is asked, but no rule looks at it",
        "table0.yml:10: returns: rules early and late both match days = 30",
    ]


def test_otherwise_does_not_hide_an_overlap(tmp_path: Path) -> None:
    text = rules(
        'id: early, when: {days: "<= 30"}, verdict: allow',
        "id: gold, when: {tier: gold}, verdict: allow",
        "id: rest, when: otherwise, verdict: deny",
    )
    assert told(written(tmp_path, text)) == ["table0.yml:10: returns: rules early and gold both match days <= 30, tier = gold"]


def test_otherwise_that_nothing_is_left_for_is_told(tmp_path: Path) -> None:
    text = rules(
        'id: low, when: {tier: "< gold"}, verdict: deny',
        "id: gold, when: {tier: gold, days: 0..100}, verdict: allow",
        "id: rest, when: otherwise, verdict: deny",
    )
    assert "table0.yml:11: returns: rule rest is never reached: the rules before it match first" in told(written(tmp_path, text))


def test_rule_that_an_earlier_one_hides_is_told_in_a_first_hit_table(tmp_path: Path) -> None:
    text = rules(
        'id: early, when: {days: "<= 30"}, verdict: allow',
        "id: gold, when: {days: 10..20, tier: gold}, verdict: deny",
        "id: rest, when: otherwise, verdict: deny",
    ).replace("    facts:", "    hit: first\n    facts:")
    assert told(written(tmp_path, text)) == [
        "table0.yml:11: returns: rule gold is never reached: the rules before it match first"
    ]


def test_overlap_is_fine_in_a_first_hit_table(tmp_path: Path) -> None:
    text = rules(
        'id: early, when: {days: "<= 30"}, verdict: allow',
        "id: gold, when: {tier: gold}, verdict: allow",
        "id: rest, when: otherwise, verdict: deny",
    ).replace("    facts:", "    hit: first\n    facts:")
    policies = load_policies(written(tmp_path, text))
    assert policies.decide("returns", {"days": 3, "tier": "gold"}, TODAY).rule == "early"


ALL = "id: all, when: always, verdict: allow"


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("id: r, when: {day: 3}, verdict: allow", "rule r: the table does not ask for day; it asks for days, tier"),
        ("id: r, when: {tier: silver}, verdict: allow", 'rule r: tier is "silver"; it may be standard < gold'),
        ("id: r, when: {days: 101}, verdict: allow", "rule r: days is 101; it may be 0..100 days"),
        ("id: r, when: {days: '> 100'}, verdict: allow", "rule r can never match: its conditions leave no value"),
        ("id: r, when: {days: 9..3}, verdict: allow", "rule r can never match: its conditions leave no value"),
        ("id: r, when: {days: '<= window'}, verdict: allow", 'rule r: "window" is not one of the numbers: there are none'),
        ("id: r, when: {days: '<= 3 4'}, verdict: allow", 'rule r: cannot read the formula "3 4"'),
        ("id: r, when: {days: []}, verdict: allow", "rule r: days: the list is empty"),
        ("id: r, when: {days: {or: 3}}, verdict: allow", "rule r: days: a condition with a colon can only be {not: ...}"),
        ("id: r, verdict: allow", "rule r: when needs conditions, or the word always or otherwise"),
        ("id: r, when: always, verdict: maybe", "the verdict of rule r is 'maybe'; it may be allow, deny, needs_human"),
        ("id: r, when: always, verdict: allow, note: x", "a rule has note; it may have id, when, verdict, reason"),
        ("id: r, when: always, verdict: deny, reason: Too late", "rule r needs reason: a word of a-z, 0-9 and _"),
        ("when: always, verdict: allow", "a rule needs id: a word of a-z, 0-9 and _"),
        ("id: r, when: always, verdict: allow, values: {n: '= window'}", 'rule r: "window" is not one of the numbers'),
        (f"{ALL}}}\n      - {{{ALL}", "two rules have the id all"),
        (f"id: r, when: otherwise, verdict: deny}}\n      - {{{ALL}", "rule r is the otherwise of the table: put it last"),
    ],
)
def test_broken_rule_is_told_with_its_place(tmp_path: Path, rule: str, problem: str) -> None:
    found = told(written(tmp_path, rules(rule)))
    assert [line for line in found if line.startswith(("table0.yml:9: returns: ", "table0.yml:10: returns: "))]
    assert [line for line in found if problem in line]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tables: [", "table0.yml:1: this is not YAML"),
        ("table: []", "table0.yml:1: the file has table; it may have about, facts, numbers, tables"),
        ("a: 1\na: 2", 'table0.yml:2: this is not YAML: found duplicate key "a"'),
        (rules(ALL).replace("2024-01-01", "soon"), "effective_from must be a date like 2026-01-31"),
        (rules(ALL).replace("type: int, min: 0", "type: int"), "the fact days needs min and max"),
        (rules(ALL).replace("[standard, gold]", "[gold]"), "the fact tier needs two or more different words"),
        (rules(ALL).replace("ordered: true", "groups: {all: [gold, tin]}"), "the group all of the fact tier needs"),
        (rules(ALL).replace("type: enum", "type: list"), "the type of the fact tier is 'list'; it may be enum, int"),
        ("numbers: {idle: 3}" + rules(ALL), "no table uses the number idle"),
        ("numbers: {n: {by: moon, amounts: {}}}" + rules(ALL), "the number n is by moon, which is no enum fact"),
    ],
)
def test_broken_file_is_told_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert [line for line in told(written(tmp_path, text)) if problem in line]


def test_number_without_an_amount_that_a_rule_needs_is_told(tmp_path: Path) -> None:
    text = rules('id: r, when: {days: "<= window"}, verdict: allow', "id: rest, when: otherwise, verdict: deny").replace(
        "    rules:", "    numbers: {window: {by: tier, amounts: {gold: 60}}}\n    rules:"
    )
    assert told(written(tmp_path, text)) == [
        'table0.yml:10: returns: rule r: the number "window" has no amount for tier = standard'
    ]


def test_empty_folder_is_a_problem(tmp_path: Path) -> None:
    assert told(tmp_path) == [f"{tmp_path}: there is no *.yml file here"]


def test_one_number_edited_moves_the_rule_and_its_values(tmp_path: Path) -> None:
    original = (ROOT / "data" / "policies" / "returns.yml").read_text(encoding="utf-8")
    edited = original.replace("standard: 30, silver: 45", "standard: 14, silver: 45")
    assert edited != original
    policies = load_policies(written(tmp_path, edited))
    decision = policies.decide("return_eligibility", usual("return_eligibility", days_since_delivery=15), TODAY)
    assert (decision.rule, decision.values["return_days"]) == ("window_closed", 14)


# Versions

VERSION = """
tables:
  - name: expiry
    effective_from: {start}
    {end}
    facts:
      tier: {{type: enum, values: [standard, gold]}}
    numbers: {{months: {{by: tier, amounts: {{standard: {months}, gold: 18}}}}}}
    rules:
      - {{id: all, when: always, verdict: allow, values: {{months: "= months"}}}}
"""


def versions(folder: Path, end: str, start: str) -> Path:
    old = VERSION.format(start="2024-01-01", end=end, months=12)
    return written(folder, old, VERSION.format(start=start, end="", months=24))


def months_on(policies: Policies, day: date) -> object:
    return policies.decide("expiry", {"tier": "standard"}, day).values["months"]


def test_version_in_force_on_the_day_decides(tmp_path: Path) -> None:
    policies = load_policies(versions(tmp_path, "effective_until: 2026-11-30", "2026-12-01"))
    assert months_on(policies, date(2026, 11, 30)) == 12
    assert months_on(policies, date(2026, 12, 1)) == 24


def test_two_versions_on_one_day_are_told(tmp_path: Path) -> None:
    assert told(versions(tmp_path, "effective_until: 2026-12-01", "2026-12-01")) == [
        "table1.yml:3: expiry: two versions are in force on 2026-12-01; end the earlier one before"
    ]


def test_days_without_a_version_are_told(tmp_path: Path) -> None:
    assert told(versions(tmp_path, "effective_until: 2026-11-30", "2026-12-02")) == [
        "table1.yml:3: expiry: no version is in force between 2026-11-30 and 2026-12-02"
    ]


def test_versions_that_ask_other_facts_are_told(tmp_path: Path) -> None:
    versions(tmp_path, "effective_until: 2026-11-30", "2026-12-01")
    newer = tmp_path / "table1.yml"
    newer.write_text(newer.read_text(encoding="utf-8").replace("tier", "level"), encoding="utf-8")
    assert told(tmp_path) == ["table1.yml:3: expiry: the version from 2026-12-01 asks other facts than the one before"]


# The command


def test_command_counts_what_is_sound_and_writes_the_page(tmp_path: Path) -> None:
    page = tmp_path / "policies.md"
    result = CliRunner().invoke(main, [str(ROOT / "data" / "policies"), "--markdown", str(page)])
    assert result.exit_code == 0
    count = sum(1 for _ in POLICIES.rules())
    assert result.output.startswith(f"{len(POLICIES.tables)} tables, {count} rules: no gaps, no overlaps\n")
    assert page.read_text(encoding="utf-8") == to_markdown(POLICIES)


def test_command_fails_and_names_every_problem(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(written(tmp_path, "tables: [", rules("id: r, verdict: allow")))])
    assert result.exit_code == 1
    assert "table0.yml:1: this is not YAML" in result.output
    assert "table1.yml:9: returns: rule r: when needs conditions" in result.output
