"""What each act does: once, in the agent's own name, noted, and with a way back where there is one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from commerce.loyalty import balance
from commerce.models import Effect
from commerce.proposals import PROPOSAL_LIFETIME
from commerce.refunds import send_refund
from commerce.returns import receive_goods
from desk.acts import ACTS
from desk.errors import DeskError
from desk.shop_policies import kept_policies
from messaging.models import HandoffEvent, OutgoingMail
from tests.desk.acts.acting import Acting


def told(summary: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["label"]: each["value"] for each in summary}


def euros(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


def test_an_order_is_cancelled_in_the_agents_name(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="paid")
    offer = acting.propose("cancel_order", order_number=order.number, cancel_reason="found_cheaper")
    assert told(offer["summary"]) == {
        "Order": order.number,
        "Items": "Oxford Shirt (M, blue)",
        "Reason": "Found it cheaper",
        "Money back": euros(4000),
        "By": "40,00\xa0€ (Visa ···· 4242)",
    }
    assert order.status == "paid"
    done = acting.confirm("cancel_order", offer)
    assert (order.status, done["undo"]) == ("cancelled", None)
    assert done["done"]["suggested"]["text"] == f"El pedido {order.number} está cancelado y 40,00\xa0€ van de vuelta a tu cuenta."
    (effect,) = acting.effects()
    assert (effect.agent, effect.kind, effect.undoes) == ("Marta", "cancel_order", None)
    facts = {"kind": "cancel_order", "amount_minor": 4000, "currency": "EUR", "order_number": order.number}
    assert acting.audited() == [("Marta", "proposed_act", facts), ("Marta", "did_act", {**facts, "effect": effect.id})]


def test_the_shopper_is_told_nothing_and_colleagues_see_it(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="paid")
    done = acting.do("cancel_order", order_number=order.number, cancel_reason="found_cheaper")
    (event,) = acting.session.execute(select(HandoffEvent).where(HandoffEvent.kind == "acted")).scalars()
    assert (event.by, event.details) == ("Marta", {"act": "cancel_order", "effect": done["done"]["effect"]})
    assert acting.counts()["outgoing_mail"] == 0


def test_a_return_is_allowed_by_the_table_and_its_label_is_mailed(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, {"SHI-OXF-BLU-M": 2}, status="delivered")
    done = acting.do("authorize_return", **acting.whole(order))
    (authorization,) = acting.returns()
    assert (authorization.status, authorization.policy_rule) == ("authorized", "in_window")
    assert [(each.amount_minor, each.status) for each in acting.refunds()] == [(8000, "waiting_for_goods")]
    (mail,) = acting.session.execute(select(OutgoingMail)).scalars()
    assert (mail.recipient, mail.attachments) == ("ana@example.com", [authorization.label_path])
    assert "Exception" not in told(done["done"]["summary"])


def test_some_pieces_of_a_line_come_back(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, {"SHI-OXF-BLU-M": 2, "SHO-CIT-WHI-40": 1}, status="delivered")
    shirts = order.lines[0]
    acting.do("authorize_return", **{**acting.whole(order), "items": [f"{shirts.id}x1"]})
    assert [(each.order_line_id, each.quantity) for each in acting.returns()[0].lines] == [(shirts.id, 1)]


def test_an_allowed_return_is_withdrawn_while_nothing_was_sent(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    done = acting.do("authorize_return", **acting.whole(order))
    assert done["undo"]["effect"] == done["done"]["effect"]
    assert told(done["undo"]["summary"])["Money back"] == euros(4000)
    undone = acting.undo(done["undo"]["effect"])
    assert acting.returns()[0].status == "cancelled"
    assert [each.status for each in acting.refunds()] == ["failed"]
    assert undone["done"]["title"] == "Return withdrawn"
    first, second = acting.effects()
    assert (second.undoes, second.agent, second.kind) == (first.id, "Marta", "undo_authorize_return")
    assert acting.audited()[-1][1] == "undid_act"


@pytest.mark.parametrize("is_received", [True, False])
def test_a_return_on_its_way_is_not_withdrawn(acting: Acting, is_received: bool) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    done = acting.do("authorize_return", **acting.whole(order))
    authorization = acting.returns()[0]
    if is_received:
        receive_goods(acting.session, authorization.rma_number, acting.now, kept_policies())
    else:
        authorization.status = "in_transit"
        acting.session.flush()
    before = (authorization.status, acting.counts())
    refusal = acting.undo(done["done"]["effect"])
    assert (refusal.status, refusal.values["rule"]) == (422, "goods_under_way")
    assert (authorization.status, acting.counts()) == before
    assert acting.confirm("authorize_return", {"proposal": acting.effects()[0].proposal_id})["undo"] is None


def test_a_return_that_the_assistant_allowed_is_withdrawn_by_its_number(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    acting.do("authorize_return", **acting.whole(order))
    rma_number = acting.returns()[0].rma_number
    acting.do("withdraw_return", rma_number=rma_number)
    assert acting.returns()[0].status == "cancelled"
    acting.do("authorize_return", **acting.whole(order))  # nothing stands in the way of another
    assert [each.status for each in acting.returns()] == ["cancelled", "authorized"]


def test_money_goes_back_without_goods_and_can_be_taken_back_until_it_has_left(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    done = acting.do("refund_exception", **acting.back(order, 1500))
    (refund,) = acting.refunds()
    assert (refund.amount_minor, refund.currency, refund.reason, refund.status) == (1500, "EUR", "goodwill", "approved")
    acting.undo(done["undo"]["effect"])
    assert refund.status == "failed"

    again = acting.do("refund_exception", **acting.back(order, 1500))
    send_refund(acting.session, acting.refunds()[1].id)
    refusal = acting.undo(again["undo"]["effect"])
    assert (refusal.status, refusal.values["rule"]) == (422, "money_has_left")
    assert acting.refunds()[1].status == "sent"


def test_store_credit_is_there_at_once_and_stays(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    done = acting.do("refund_exception", **acting.back(order, 1500, refund_to="store_credit"))
    assert (acting.refunds()[0].status, done["undo"]) == ("settled", None)
    assert acting.undo(done["done"]["effect"]).values["rule"] == "money_has_left"


@pytest.mark.parametrize(("points", "after"), [(300, 1300), (-300, 700)])
def test_points_are_adjusted_by_a_row_and_back_by_the_opposite_row(acting: Acting, points: int, after: int) -> None:
    acting.points(1000)
    before = acting.ledger()
    done = acting.do("adjust_points", points=points, reason="lost in the move")
    assert balance(acting.session, acting.ana.id, acting.now) == after
    row = acting.ledger()[-1]
    assert row[1:3] == ("adjust", points)
    acting.undo(done["undo"]["effect"])
    assert balance(acting.session, acting.ana.id, acting.now) == 1000
    rows = acting.ledger()
    assert rows[: len(before) + 1] == [*before, row]
    assert [each[1:3] for each in rows[len(before) + 1 :]] == [("adjust", -points)]


def test_points_that_are_spent_are_not_taken_back(acting: Acting) -> None:
    done = acting.do("adjust_points", points=300, reason="a late parcel")
    acting.do("adjust_points", points=-200, reason="redeemed by hand")
    rows = acting.ledger()
    refusal = acting.undo(done["done"]["effect"])
    assert (refusal.status, refusal.values["rule"]) == (422, "points_spent")
    assert acting.ledger() == rows


def test_more_points_than_there_are_cannot_be_taken(acting: Acting) -> None:
    acting.points(100)
    assert acting.refused("adjust_points", points=-101, reason="a mistake").values["rule"] == "not_enough_points"


def test_a_cancelled_order_stays_cancelled(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="paid")
    done = acting.do("cancel_order", order_number=order.number, cancel_reason="found_cheaper")
    refusal = acting.undo(done["done"]["effect"])
    assert (refusal.status, refusal.values["rule"]) == (422, "no_way_back")
    assert order.status == "cancelled"


def test_each_act_suggests_a_reply_without_a_gap(acting: Acting) -> None:
    unpaid, paid = acting.shop.order(acting.ana, status="placed"), acting.shop.order(acting.ana, status="paid")
    arrived, other = (acting.shop.order(acting.ana, status="delivered") for _ in range(2))
    acting.is_on_whatsapp(is_proven=True)
    done = [
        acting.do("cancel_order", order_number=unpaid.number, cancel_reason="found_cheaper"),
        acting.do("cancel_order", order_number=paid.number, cancel_reason="found_cheaper"),
        acting.do("authorize_return", **acting.whole(arrived)),
        acting.do("withdraw_return", rma_number="RMA-20001"),
        acting.do("refund_exception", **acting.back(other, 1500)),
        acting.do("adjust_points", points=100, reason="a late parcel"),
        acting.do("link_identities", conversation="wa-ana"),
        acting.do("send_code", contact="ben@example.com"),
    ]
    suggested = [each["done"]["suggested"] for each in done]
    assert [each["missing"] for each in suggested] == [[]] * 8
    assert {each["key"] for each in suggested} == {*(f"act_{kind}" for kind in ACTS), "act_cancel_order_unpaid"}
    assert "15,00" in suggested[4]["text"]
    assert other.number in suggested[4]["text"]


# Once


def test_confirmed_twice_is_done_once(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    offer = acting.propose("refund_exception", **acting.back(order, 1500))
    first, second = (acting.confirm("refund_exception", offer) for _ in range(2))
    assert first["done"] == second["done"]
    assert len(acting.refunds()) == len(acting.effects()) == 1
    assert [action for _, action, _ in acting.audited()] == ["proposed_act", "did_act"]


def test_taken_back_twice_is_taken_back_once(acting: Acting) -> None:
    acting.points(1000)
    done = acting.do("adjust_points", points=300, reason="a late parcel")
    first, second = (acting.undo(done["undo"]["effect"]) for _ in range(2))
    assert first == second
    assert balance(acting.session, acting.ana.id, acting.now) == 1000
    assert len(acting.effects()) == 2
    repeated = acting.confirm("adjust_points", {"proposal": acting.effects()[0].proposal_id})
    assert repeated["undo"] is None
    assert balance(acting.session, acting.ana.id, acting.now) == 1000


def test_what_was_taken_back_is_not_taken_back_again_by_its_own_effect(acting: Acting) -> None:
    acting.points(1000)
    done = acting.do("adjust_points", points=300, reason="a late parcel")
    undone = acting.undo(done["undo"]["effect"])
    assert acting.undo(undone["done"]["effect"]).status == 404
    assert balance(acting.session, acting.ana.id, acting.now) == 1000


def test_a_summary_that_is_not_true_any_more_does_nothing(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    offer = acting.propose("refund_exception", **acting.back(order, 1500))
    acting.do("refund_exception", acting.sol, **acting.back(order, 1000))
    stale = acting.confirm("refund_exception", offer)
    assert (stale.status, stale.code, stale.values["why"]) == (409, "stale", "facts_changed")
    assert [each.amount_minor for each in acting.refunds()] == [1000]
    assert told(stale.values["summary"])["Counts towards the limit"] == euros(2500)
    acting.confirm("refund_exception", stale.values)
    assert [each.amount_minor for each in acting.refunds()] == [1000, 1500]


def test_a_summary_that_cannot_be_any_more_says_why(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="paid")
    offer = acting.propose("cancel_order", order_number=order.number, cancel_reason="found_cheaper")
    order.status = order.fulfilments[0].status = "shipped"
    order.version += 1
    acting.session.flush()
    stale = acting.confirm("cancel_order", offer)
    assert (stale.code, stale.values["rule"], stale.values["title"]) == ("stale", "already_shipped", "The order has left")
    assert "proposal" not in stale.values
    assert acting.effects() == []


def test_a_summary_is_good_for_half_an_hour(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="paid")
    offer = acting.propose("cancel_order", order_number=order.number, cancel_reason="found_cheaper")
    acting.now += PROPOSAL_LIFETIME
    stale = acting.confirm("cancel_order", offer)
    assert (stale.values["why"], order.status) == ("expired", "paid")
    acting.confirm("cancel_order", stale.values)
    assert order.status == "cancelled"


def test_a_newer_summary_takes_the_place_of_the_agents_older_one_and_of_nobody_elses(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    older = acting.propose("refund_exception", **acting.back(order, 1500))
    of_sol = acting.propose("refund_exception", acting.sol, **acting.back(order, 700))
    acting.propose("refund_exception", **acting.back(order, 900))
    assert acting.confirm("refund_exception", older).values["why"] == "withdrawn"
    assert isinstance(acting.confirm("refund_exception", of_sol, acting.sol), dict)


# What is asked


@pytest.mark.parametrize(
    ("kind", "wrong", "field"),
    [
        ("refund_exception", {"amount": {"minor": 0, "currency": "EUR"}}, "amount"),
        ("refund_exception", {"amount": {"minor": -100, "currency": "EUR"}}, "amount"),
        ("refund_exception", {"amount": {"minor": 10.5, "currency": "EUR"}}, "amount"),
        ("refund_exception", {"amount": {"minor": True, "currency": "EUR"}}, "amount"),
        ("refund_exception", {"amount": {"minor": 10**12, "currency": "EUR"}}, "amount"),
        ("refund_exception", {"amount": {"minor": 100}}, "amount"),
        ("refund_exception", {"amount": {"minor": 100, "currency": "euros"}}, "amount"),
        ("refund_exception", {"amount": 100}, "amount"),
        ("refund_exception", {"refund_to": "my own account"}, "refund_to"),
        ("refund_exception", {"reason": "  "}, "reason"),
        ("refund_exception", {"reason": "ok"}, "reason"),
        ("refund_exception", {"reason": "x" * 201}, "reason"),
        ("adjust_points", {"points": 0}, "points"),
        ("adjust_points", {"points": 1.5}, "points"),
        ("adjust_points", {"points": "100"}, "points"),
        ("adjust_points", {"points": 10**9}, "points"),
        ("adjust_points", {"reason": None}, "reason"),
        ("authorize_return", {"items": []}, "items"),
        ("authorize_return", {"items": "1x0"}, "items"),
        ("authorize_return", {"items": "-1x1"}, "items"),
        ("authorize_return", {"items": ["1x1", "1x1"]}, "items"),
        ("authorize_return", {"items": ["1x1", "1x2"]}, "items"),
        ("authorize_return", {"items": [{"line_id": 1}]}, "items"),
        ("authorize_return", {"method": "catapult"}, "method"),
        ("authorize_return", {"waive_shipping": "yes"}, "waive_shipping"),
        ("cancel_order", {"cancel_reason": "because"}, "cancel_reason"),
    ],
)
def test_what_makes_no_sense_is_told_by_its_field(acting: Acting, kind: str, wrong: dict[str, Any], field: str) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    right: dict[str, dict[str, Any]] = {
        "refund_exception": acting.back(order, 1500),
        "adjust_points": {"points": 100, "reason": "a late parcel"},
        "authorize_return": acting.whole(order),
        "cancel_order": {"order_number": order.number, "cancel_reason": "found_cheaper"},
    }
    error = acting.refused(kind, **{**right[kind], **wrong})
    assert (error.status, error.code, error.values) == (400, "bad_request", {"field": field})


def test_an_amount_in_another_currency_is_none_of_the_orders(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    assert acting.refused("refund_exception", **acting.back(order, 1500, "USD")).values["rule"] == "other_currency"


def test_an_order_gives_back_no_more_than_was_paid(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    refusal = acting.refused("refund_exception", **acting.back(order, 4001))
    assert refusal.values["rule"] == "more_than_paid"
    assert refusal.values["values"]["refundable"] == {"minor": 4000, "currency": "EUR"}


def test_a_card_number_among_the_reasons_is_kept_nowhere(acting: Acting) -> None:
    acting.do("adjust_points", points=100, reason="paid with 4242 4242 4242 4242")
    assert acting.effects()[0].result["reason"] == "paid with [card]"


def test_an_act_that_there_is_not_is_not_found(acting: Acting) -> None:
    assert acting.refused("open_the_till").status == 404


def test_an_effect_of_the_shoppers_own_is_not_taken_back_here(acting: Acting) -> None:
    done = acting.do("adjust_points", points=100, reason="a late parcel")
    effect = acting.session.get(Effect, done["done"]["effect"])
    effect.agent = None
    acting.session.flush()
    assert acting.undo(effect.id).status == 404


def test_a_failure_in_the_middle_leaves_nothing_done(acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    offer = acting.propose("refund_exception", **acting.back(order, 1500))
    before = acting.counts()
    with monkeypatch.context() as broken:
        broken.setattr("desk.audit.note", _crash)
        with pytest.raises(RuntimeError), acting.session.begin_nested():
            acting.confirm("refund_exception", offer)
    assert acting.counts() == before
    acting.now += timedelta(minutes=1)
    assert isinstance(acting.confirm("refund_exception", offer), dict)
    assert [each.amount_minor for each in acting.refunds()] == [1500]


def _crash(*_arguments: Any, **_named: Any) -> None:
    raise RuntimeError("the process dies here")


def test_errors_are_ordinary_ones(acting: Acting) -> None:
    assert isinstance(acting.undo(10**6), DeskError)
