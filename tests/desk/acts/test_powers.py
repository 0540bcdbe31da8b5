"""Who may make which exception, and up to which amount: `agent_powers`, met by acts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from commerce.models import Order
from commerce.powers import Powers
from commerce.proposals import Refusal
from desk.errors import DeskError
from desk.permissions import Me
from desk.shop_policies import kept_policies
from tests.commerce.shop import NOW
from tests.desk.acts.acting import Acting, person

AGENT, SUPERVISOR = 15000, 150000  # limits in EUR of data/policies/agents.yml
SNEAKERS = {"SHO-CIT-WHI-40": 1}  # 80 euros
ADMIN = person("Ada", "admin")
WITHOUT = person("Nora", permissions=frozenset({"take_over", "see_all"}))  # and without exceptions


def late(acting: Acting, items: dict[str, int] | None = None, **more: Any) -> Order:
    return acting.shop.order(acting.ana, items or SNEAKERS, status="delivered", delivered_days_ago=40, **more)


def test_a_late_return_is_an_agents_to_allow(acting: Acting) -> None:
    order = late(acting)
    offer = acting.propose("authorize_return", **acting.whole(order))
    assert offer["warning"] == "This is an exception: Late return."
    acting.confirm("authorize_return", offer)
    (authorization,) = acting.returns()
    assert (authorization.status, authorization.policy_rule) == ("authorized", "in_window")
    assert acting.effects()[0].result["exceptions"] == ["late_return"]
    assert acting.audited()[-1][2]["exceptions"] == ["late_return"]


def test_the_assistant_does_not_allow_it(acting: Acting) -> None:
    from commerce.returns import AuthorizeReturn
    from database import home_folder

    order = late(acting)
    parameters = {"order_number": order.number, "lines": [{"line_id": order.lines[0].id, "quantity": 1}], "waive_shipping": True}
    parameters |= {"reason": "changed_mind", "package": "sealed", "method": "store", "refund_to": "original"}
    outcome = AuthorizeReturn(kept_policies(), home_folder()).assess(acting.session, acting.ana.id, parameters, NOW)
    assert isinstance(outcome, Refusal)
    assert outcome.reason == "window_closed"


def test_above_the_agents_limit_it_says_the_limit_and_who_may(acting: Acting) -> None:
    order = late(acting, {"SHO-CIT-WHI-40": 2})  # 160 euros
    refusal = acting.refused("authorize_return", **acting.whole(order))
    assert (refusal.status, refusal.code) == (422, "refused")
    assert refusal.values == {
        "rule": "above_agent_limit",
        "title": "More than an agent may allow",
        "values": {
            "verdict": "needs_human",
            "limit": {"minor": AGENT, "currency": "EUR"},
            "amount": {"minor": 16000, "currency": "EUR"},
            "exception": "Late return",
            "nearest": "supervisor",
            "who_may": "A supervisor may.",
        },
    }
    facts = {"kind": "authorize_return", "amount_minor": 16000, "currency": "EUR", "rule": "above_agent_limit"}
    assert acting.audited()[-1] == ("Marta", "refused_act", {**facts, "exception": "late_return"})
    acting.do("authorize_return", acting.sol, **acting.whole(order))
    assert acting.effects()[0].agent == "Sol"


@pytest.mark.parametrize(
    ("me", "allowed"), [(person("Marta"), False), (person("Sol", "supervisor"), True), (ADMIN, True), (WITHOUT, False)]
)
def test_a_final_sale_comes_back_by_a_supervisor_only(acting: Acting, me: Me, allowed: bool) -> None:
    order = acting.shop.order(acting.ana, {"BAG-OUT-BLA": 1}, status="delivered")
    if allowed:
        acting.do("authorize_return", me, **acting.whole(order))
        assert acting.returns()[0].status == "authorized"
    else:
        rule = "only_a_person" if me is WITHOUT else "only_a_supervisor"
        assert acting.refused("authorize_return", me, **acting.whole(order)).values["rule"] == rule


def test_a_late_final_sale_takes_both_exceptions(acting: Acting) -> None:
    order = late(acting, {"BAG-OUT-BLA": 1})
    assert acting.refused("authorize_return", **acting.whole(order)).values["rule"] == "only_a_supervisor"
    acting.do("authorize_return", acting.sol, **acting.whole(order))
    assert acting.effects()[0].result["exceptions"] == ["final_sale_return", "late_return"]


@pytest.mark.parametrize("days", [3, 40])
def test_opened_hygiene_comes_back_by_nobody(acting: Acting, days: int) -> None:
    order = acting.shop.order(acting.ana, {"UND-COT-BLA-M": 1}, status="delivered", delivered_days_ago=days)
    for me in (acting.marta, acting.sol):
        refusal = acting.refused("authorize_return", me, **acting.whole(order, package="opened"))
        assert refusal.values["rule"] == "hygiene_opened"


def test_only_what_is_late_counts(acting: Acting) -> None:
    """One of two lines is a final sale: the exception costs what that line does."""
    order = acting.shop.order(acting.ana, {"BAG-OUT-BLA": 1, "SHO-CIT-WHI-40": 1}, status="delivered")
    acting.do("authorize_return", acting.sol, **acting.whole(order))
    assert acting.effects()[0].result["exception_minor"] == 6000


def test_the_way_back_is_given_by_a_person(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, SNEAKERS, status="delivered")
    paid = acting.propose("authorize_return", **acting.whole(order, method="drop_off"))
    waived = acting.propose("authorize_return", **acting.whole(order, method="drop_off", waive_shipping=True))
    amounts = [next(e["value"]["minor"] for e in each["summary"] if e["label"] == "Money back") for each in (paid, waived)]
    assert amounts == [8000 - 495, 8000]
    assert acting.refused("authorize_return", WITHOUT, **acting.whole(order, method="drop_off", waive_shipping=True)).values[
        "rule"
    ]


def test_an_order_that_is_being_packed_is_stopped_by_a_person(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, SNEAKERS, status="preparing")
    done = acting.do("cancel_order", order_number=order.number, cancel_reason="no_longer_needed")
    assert order.status == "cancelled"
    assert acting.effects()[0].result["exceptions"] == ["stop_preparing_order"]
    assert done["undo"] is None


def test_a_dear_order_that_is_being_packed_is_a_supervisors(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, {"SHO-CIT-WHI-40": 2}, status="preparing")
    asked = {"order_number": order.number, "cancel_reason": "no_longer_needed"}
    assert acting.refused("cancel_order", **asked).values["rule"] == "above_agent_limit"
    acting.do("cancel_order", acting.sol, **asked)
    assert order.status == "cancelled"


@pytest.mark.parametrize("status", ["paid", "preparing"])
def test_any_reason_is_good_enough_for_a_person(acting: Acting, status: str) -> None:
    order = acting.shop.order(acting.ana, status=status)
    acting.do("cancel_order", order_number=order.number, cancel_reason="other")
    assert order.status == "cancelled"
    assert order.cancellation.reason == "other"


@pytest.mark.parametrize("status", ["shipped", "delivered", "cancelled"])
def test_what_has_left_is_cancelled_by_nobody(acting: Acting, status: str) -> None:
    order = acting.shop.order(acting.ana, status=status)
    asked = {"order_number": order.number, "cancel_reason": "found_cheaper"}
    assert acting.refused("cancel_order", acting.sol, **asked).values["rule"] == f"already_{status}"


# Many small ones are one large one


def test_refunds_by_hand_of_one_order_add_up(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, {"SHO-CIT-WHI-40": 4}, status="delivered")
    acting.do("refund_exception", **acting.back(order, 10000))
    refusal = acting.refused("refund_exception", **acting.back(order, 5001))
    assert (refusal.values["rule"], refusal.values["values"]["amount"]["minor"]) == ("above_agent_limit", 15001)
    done = acting.do("refund_exception", **acting.back(order, 5000))
    acting.undo(done["undo"]["effect"])  # what was taken back does not count
    acting.do("refund_exception", **acting.back(order, 5000))


def test_points_by_hand_for_one_customer_add_up(acting: Acting) -> None:
    worth_100 = 500  # 100 points are worth 5 euros: an agent may give 3,000
    most = AGENT * 100 // worth_100
    acting.do("adjust_points", points=2000, reason="a late parcel")
    assert acting.refused("adjust_points", points=most - 2000 + 1, reason="another").values["rule"] == "above_agent_limit"
    done = acting.do("adjust_points", points=most - 2000, reason="another")
    assert acting.refused("adjust_points", points=-1, reason="a mistake").values["rule"] == "above_agent_limit"
    acting.undo(done["undo"]["effect"])
    acting.do("adjust_points", points=most - 2000, reason="once more")


def test_an_agent_gives_back_no_more_than_they_could_give(acting: Acting) -> None:
    acting.points(50000)
    taken = acting.do("adjust_points", acting.sol, points=-10000, reason="given by mistake")
    rows = acting.ledger()
    assert acting.undo(taken["undo"]["effect"]).values["rule"] == "above_agent_limit"
    assert acting.ledger() == rows
    assert isinstance(acting.undo(taken["undo"]["effect"], acting.sol), dict)


# Against the table's limits, whatever the amount

MINOR = st.one_of(st.integers(1, 200_000), st.sampled_from([1, AGENT, AGENT + 1, SUPERVISOR]))


@pytest.mark.parametrize("currency", ["MXN", "EUR", "USD", "BRL", "NOK"])
@pytest.mark.parametrize("role", ["bot", "agent", "supervisor"])
def test_each_limit_is_met_to_the_cent(role: str, currency: str) -> None:
    policies, on = kept_policies(), NOW.date()
    limit = 0 if role == "bot" else policies.number("agent_powers", f"{role}_limit", on, currency=currency)
    powers = Powers(policies, role)
    assert (powers.refusal("late_return", limit, currency, on) is None) is (role != "bot")
    assert powers.refusal("late_return", limit + 1, currency, on) is not None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(
        st.one_of(st.integers(1, 200_000), st.sampled_from([1, AGENT, AGENT + 1, SUPERVISOR])), min_size=1, max_size=4
    )
)
@pytest.mark.parametrize(("role", "limit"), [("agent", AGENT), ("supervisor", SUPERVISOR)])
def test_no_sequence_of_refunds_gives_more_than_the_role_may(session: Session, role: str, limit: int, amounts: list[int]) -> None:
    attempt = session.begin_nested()
    try:
        acting = Acting(session)
        acting.shop.set_stock("SHO-CIT-WHI-40", 100)
        order = acting.shop.order(acting.ana, {"SHO-CIT-WHI-40": 50}, status="delivered")  # 4,000 euros
        me = person("Marta", role)
        given_minor = 0
        for minor in amounts:
            outcome = acting.propose("refund_exception", me, **acting.back(order, minor))
            is_within = given_minor + minor <= limit
            assert isinstance(outcome, dict) is is_within, (given_minor, minor)
            if is_within:
                acting.confirm("refund_exception", outcome, me)
                given_minor += minor
            else:
                assert isinstance(outcome, DeskError)
            assert sum(each.amount_minor for each in acting.refunds()) == given_minor <= limit
    finally:
        attempt.rollback()
        session.expunge_all()  # what was rolled back is no row any more


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=st.integers(-4000, 4000).filter(bool))
def test_points_are_within_the_limit_or_nothing_is_written(session: Session, points: int) -> None:
    attempt = session.begin_nested()
    try:
        acting = Acting(session)
        acting.points(3500)
        rows = acting.ledger()
        outcome = acting.propose("adjust_points", points=points, reason="a late parcel")
        is_allowed = abs(points) * 5 <= AGENT and points >= -3500
        assert isinstance(outcome, dict) is is_allowed
        assert acting.ledger() == rows
        if is_allowed:
            acting.confirm("adjust_points", outcome)
            assert acting.ledger()[: len(rows)] == rows
            assert sum(each[2] for each in acting.ledger()[len(rows) :]) == points
    finally:
        attempt.rollback()
        session.expunge_all()  # what was rolled back is no row any more


# The table and the acts belong together

AT_NO_DESK = {"refund_other_account", "high_value_claim"}  # the shop has no such account, and decides claims elsewhere


def test_every_exception_of_the_table_is_one_that_an_act_makes() -> None:
    from commerce import cancellations, goodwill
    from commerce.loyalty import adjustments
    from commerce.returns import eligibility

    made = {each.exception for each in eligibility.EXCUSES} | {cancellations.BEING_PACKED.exception, "waive_shipping"}
    made |= {goodwill.EXCEPTION, adjustments.EXCEPTION}
    (exception,) = (fact for fact in kept_policies().table("agent_powers", NOW.date()).facts if fact.name == "exception")
    assert made == set(exception.values) - AT_NO_DESK


def test_every_rule_of_the_table_is_met_by_an_act(acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    """No shopper's message reaches this table: the coverage of conversations leaves it out, and it is looked at here."""
    met: set[str] = set()
    decide = Powers.decide

    def noted(self: Powers, *asked: Any) -> Any:
        decision = decide(self, *asked)
        met.add(decision.rule)
        return decision

    monkeypatch.setattr(Powers, "decide", noted)
    acting.shop.set_stock("SHO-CIT-WHI-40", 100)
    order = acting.shop.order(acting.ana, {"SHO-CIT-WHI-40": 50}, status="delivered")
    final = acting.shop.order(acting.ana, {"BAG-OUT-BLA": 1}, status="delivered")
    for me in (WITHOUT, acting.marta, acting.sol):
        for minor in (1000, AGENT + 1, SUPERVISOR + 1):
            acting.propose("refund_exception", me, **acting.back(order, minor))
    acting.propose("authorize_return", **acting.whole(final))
    assert met == {rule.id for rule in kept_policies().table("agent_powers", NOW.date()).rules}


def test_what_is_overlooked_are_rules_that_the_tables_have() -> None:
    from commerce import cancellations
    from commerce.returns import eligibility

    of_returns = {rule.id for rule in kept_policies().table(eligibility.TABLE, NOW.date()).rules if rule.verdict != "allow"}
    assert {rule for excuse in eligibility.EXCUSES for rule in excuse.rules} <= of_returns
    of_cancelling = {rule.id for rule in kept_policies().table(cancellations.TABLE, NOW.date()).rules if rule.verdict != "allow"}
    assert cancellations.BEING_PACKED.rules | cancellations.NOT_LISTED <= of_cancelling
