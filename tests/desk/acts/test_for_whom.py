"""For whom, and by whom: nobody else's things, nobody unproven, and only by who has the conversation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from desk.acts import ACTS, offered
from desk.errors import DeskError
from desk.permissions import Me
from messaging import channel_links, codes, handoffs, identities, proofs
from messaging.identities import Identity, Level
from messaging.models import CodeRequest, HandoffEvent, OutgoingMail
from tests.desk.acts.acting import CHAT, RETURN, Acting, person

Kinds = Callable[..., list[str]]


def is_known(acting: Acting, channel: str = "webchat", sender_id: str = CHAT) -> Identity:
    return identities.identity(acting.session, channel, sender_id, acting.now)


# Of another customer


@pytest.mark.parametrize("me", [person("Marta"), person("Sol", "supervisor"), person("Ada", "admin")])
def test_anothers_order_is_not_there_and_nothing_happens_to_it(acting: Acting, me: Me) -> None:
    paid = acting.shop.order(acting.ben, status="paid")
    arrived = acting.shop.order(acting.ben, status="delivered")
    line = arrived.lines[0]
    tries: list[tuple[str, dict[str, Any]]] = [
        ("cancel_order", {"order_number": paid.number, "cancel_reason": "found_cheaper"}),
        ("authorize_return", {**RETURN, "items": f"all:{arrived.number}"}),
        ("authorize_return", {**RETURN, "items": f"{line.id}x1"}),
        ("refund_exception", acting.back(arrived, 100)),
    ]
    for kind, fields in tries:
        error = acting.refused(kind, me, **fields)
        assert (error.status, error.code, error.values) == (404, "not_found", {}), kind
    assert (paid.status, arrived.status) == ("paid", "delivered")


def test_anothers_order_and_none_are_answered_alike(acting: Acting) -> None:
    theirs = acting.shop.order(acting.ben, status="delivered")
    answers = [acting.refused("refund_exception", **acting.back(order, 100)) for order in (theirs, _Unknown())]
    assert vars(answers[0]) == vars(answers[1])


class _Unknown:
    number = "99999"


def test_lines_of_two_orders_make_no_return(acting: Acting) -> None:
    mine, theirs = acting.shop.order(acting.ana, status="delivered"), acting.shop.order(acting.ben, status="delivered")
    error = acting.refused("authorize_return", **RETURN, items=[f"{mine.lines[0].id}x1", f"{theirs.lines[0].id}x1"])
    assert error.status == 400


def test_anothers_return_is_not_withdrawn(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    acting.do("authorize_return", **acting.whole(order))
    authorization = acting.returns()[0]
    authorization.customer_id = acting.ben.id
    acting.session.flush()
    assert acting.refused("withdraw_return", rma_number=authorization.rma_number).status == 404
    assert authorization.status == "authorized"


def test_anothers_effect_is_not_taken_back_from_another_conversation(acting: Acting) -> None:
    done = acting.do("adjust_points", points=100, reason="a late parcel")
    identities.prove_identity(acting.session, "webchat", "web-ben", acting.ben.id, acting.now)
    bens = acting.asks("web-ben", customer_id=acting.ben.id)
    handoffs.take(acting.session, bens, "Marta", acting.now)
    before = acting.ledger()
    assert acting.undo(done["undo"]["effect"], handoff=bens).status == 404
    assert acting.ledger() == before


def test_a_summary_is_confirmed_in_its_own_conversation_only(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="paid")
    offer = acting.propose("cancel_order", order_number=order.number, cancel_reason="found_cheaper")
    identities.prove_identity(acting.session, "webchat", "web-2", acting.ana.id, acting.now)
    other = acting.asks("web-2", customer_id=acting.ana.id)
    handoffs.take(acting.session, other, "Marta", acting.now)
    stale = acting.confirm("cancel_order", offer, handoff=other)
    assert (stale.code, stale.values) == ("stale", {"why": "unknown"})
    assert acting.confirm("adjust_points", offer).values == {"why": "unknown"}  # nor as another kind
    assert order.status == "paid"


def test_who_signs_in_between_gets_nothing_of_it(acting: Acting) -> None:
    offer = acting.propose("adjust_points", points=100, reason="a late parcel")
    identities.prove_identity(acting.session, "webchat", CHAT, acting.ben.id, acting.now)
    assert acting.confirm("adjust_points", offer).values == {"why": "unknown"}
    assert acting.ledger() == []


# By whom


def test_what_one_agent_has_proposed_another_does_not_confirm(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="paid")
    offer = acting.propose("cancel_order", order_number=order.number, cancel_reason="found_cheaper")
    handoffs.transfer(acting.session, acting.handoff_id, acting.now, by="Marta", agent="Luis")
    assert acting.confirm("cancel_order", offer).code == "not_yours"
    for me in (acting.luis, acting.sol):
        stale = acting.confirm("cancel_order", offer, me)
        assert (stale.code, stale.values) == ("stale", {"why": "unknown"})
    assert order.status == "paid"


def test_only_who_has_the_conversation_acts_in_it_or_whoever_may_take_it(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    error = acting.refused("refund_exception", acting.luis, **acting.back(order, 100))
    assert (error.status, error.code) == (409, "not_yours")
    acting.do("refund_exception", acting.sol, **acting.back(order, 100))


def test_nobody_acts_where_nobody_has_taken_the_conversation(acting: Acting) -> None:
    done = acting.do("adjust_points", points=100, reason="a late parcel")
    handoffs.release(acting.session, acting.handoff_id, "Marta", acting.now)
    assert acting.refused("adjust_points", points=100, reason="a late parcel").code == "not_yours"
    assert acting.undo(done["undo"]["effect"]).code == "not_yours"


def test_nothing_is_done_in_a_closed_conversation(acting: Acting) -> None:
    done = acting.do("adjust_points", points=100, reason="a late parcel")
    handoffs.resolve(acting.session, acting.handoff_id, acting.now)
    assert acting.refused("adjust_points", acting.sol, points=100, reason="a late parcel").code == "illegal"
    assert acting.undo(done["undo"]["effect"], acting.sol).code == "illegal"
    assert {each["is_allowed"] for each in offered(acting.session, acting.marta, acting.handoff(), acting.now)} == {False}


def test_what_is_not_theirs_to_see_is_not_there(acting: Acting) -> None:
    elsewhere = Me(**{**vars(person("Nils")), "queues": ("norway",), "languages": ("nb",)})
    assert acting.refused("adjust_points", elsewhere, points=100, reason="a late parcel").status == 404
    assert acting.refused("adjust_points", acting.sol, 10**6, points=100, reason="a late parcel").status == 404


# Of whom nobody knows who it is


def test_all_acts_are_offered_for_a_proven_shopper(acting: Acting, kinds: Kinds) -> None:
    assert kinds() == list(ACTS)


def test_who_is_not_known_is_offered_a_code_and_nothing_else(acting: Acting, kinds: Kinds) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    identities.forget(acting.session, "webchat", CHAT, acting.now)
    assert kinds() == ["send_code"]
    fields: dict[str, dict[str, Any]] = {
        "cancel_order": {"order_number": order.number, "cancel_reason": "found_cheaper"},
        "authorize_return": acting.whole(order),
        "withdraw_return": {"rma_number": "RMA-20001"},
        "refund_exception": acting.back(order, 100),
        "adjust_points": {"points": 100, "reason": "a late parcel"},
        "link_identities": {"conversation": "wa-1"},
    }
    for kind, given in fields.items():
        error = acting.refused(kind, acting.sol, **given)
        assert (error.status, error.values["rule"]) == (422, "prove_first"), kind


def test_whom_the_channel_vouches_for_is_not_linked(acting: Acting, kinds: Kinds) -> None:
    acting.is_on_whatsapp()
    acting.handoff_id = acting.asks("wa-ana", "whatsapp", acting.ana.id)
    handoffs.take(acting.session, acting.handoff_id, "Marta", acting.now)
    assert kinds() == [kind for kind in ACTS if kind != "link_identities"]


def test_a_number_that_is_somebody_elses_now_vouches_for_nobody(acting: Acting, kinds: Kinds) -> None:
    acting.is_on_whatsapp()
    acting.handoff_id = acting.asks("wa-ana", "whatsapp", acting.ana.id)
    handoffs.take(acting.session, acting.handoff_id, "Marta", acting.now)
    acting.ana.phone = None
    acting.session.flush()
    assert kinds() == ["send_code"]


def test_what_was_asked_for_while_it_was_proven_is_done_when_the_proof_has_run_out(acting: Acting, kinds: Kinds) -> None:
    order = acting.shop.order(acting.ana, status="delivered")
    acting.now += timedelta(hours=13)
    assert is_known(acting).level is Level.anonymous
    acting.do("refund_exception", **acting.back(order, 100))


def test_who_writes_after_it_has_run_out_shows_a_code_again(acting: Acting, kinds: Kinds) -> None:
    from messaging.turns.inbox import Inbound, receive

    acting.now += timedelta(hours=13)
    receive(acting.session, Inbound("webchat", "m-1", CHAT, "and now?", {}), acting.now)
    assert kinds() == ["send_code"]


def test_an_erased_customer_is_nobody(acting: Acting, kinds: Kinds) -> None:
    acting.ana.erased_at = acting.now
    acting.session.flush()
    assert kinds() == ["send_code"]


# A code


def _code(acting: Acting) -> str:
    mail = acting.session.execute(select(OutgoingMail)).scalars().one()
    assert mail.recipient == "ana@example.com"
    code: str = codes.find_code(mail.body) or ""
    return code


def _unknown(acting: Acting) -> None:
    acting.handoff_id = acting.asks("web-new")
    handoffs.take(acting.session, acting.handoff_id, "Marta", acting.now)


def test_a_code_that_the_shopper_writes_proves_who_they_are(acting: Acting, kinds: Kinds) -> None:
    _unknown(acting)
    acting.do("send_code", contact="Ana@Example.com")
    code = _code(acting)
    assert not proofs.look_for_code(acting.session, "webchat", "web-new", "one moment", acting.now)
    assert kinds() == ["send_code"]
    assert proofs.look_for_code(acting.session, "webchat", "web-new", f"it says {code}", acting.now)
    assert is_known(acting, "webchat", "web-new") == Identity(acting.ana.id, Level.proven)
    assert acting.handoff().customer_id == acting.ana.id
    assert kinds() == list(ACTS)
    assert acting.session.execute(select(HandoffEvent.kind).where(HandoffEvent.kind == "proven")).scalar_one()


def test_wrong_codes_prove_nothing_and_are_counted(acting: Acting) -> None:
    _unknown(acting)
    acting.do("send_code", contact="ana@example.com")
    code = _code(acting)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(codes.MOST_TRIES):
        assert not proofs.look_for_code(acting.session, "webchat", "web-new", wrong, acting.now)
    assert not proofs.look_for_code(acting.session, "webchat", "web-new", code, acting.now)
    assert is_known(acting, "webchat", "web-new").level is Level.anonymous


def test_a_code_proves_nothing_in_another_conversation(acting: Acting) -> None:
    _unknown(acting)
    acting.do("send_code", contact="ana@example.com")
    acting.asks("web-thief")
    assert not proofs.look_for_code(acting.session, "webchat", "web-thief", _code(acting), acting.now)


def test_an_address_tells_nobody_whose_it_is(acting: Acting) -> None:
    _unknown(acting)
    answers = []
    for contact in ("ana@example.com", "nobody@example.com"):
        offer = acting.propose("send_code", contact=contact)
        done = acting.confirm("send_code", offer)
        name = contact.split("@")[0][0]
        assert f"{name}***@example.com" in str(offer["summary"])
        answers.append(str({**done, "done": {**done["done"], "effect": 0}}).replace(f"{name}***", "***"))
    assert answers[0] == answers[1]
    assert len(list(acting.session.execute(select(CodeRequest.id)))) == 2
    assert [each.recipient for each in acting.session.execute(select(OutgoingMail)).scalars()] == ["ana@example.com"]


def test_the_address_is_kept_nowhere(acting: Acting) -> None:
    _unknown(acting)
    acting.do("send_code", contact="nobody@example.com")
    (effect,) = acting.effects()
    assert "nobody@" not in str((effect.result, effect.proposal.parameters, effect.proposal.summary, acting.audited()))


def test_too_many_codes_are_not_sent(acting: Acting) -> None:
    _unknown(acting)
    outcomes = [acting.do("send_code", contact="ana@example.com")["done"]["summary"][-1]["value"] for _ in range(4)]
    assert outcomes == ["sent, if somebody has this address"] * 3 + ["not sent: too many for now"]
    assert acting.counts()["outgoing_mail"] == 3


@pytest.mark.parametrize("contact", ["", "hello", None, 7])
def test_what_is_no_address_gets_no_code(acting: Acting, contact: Any) -> None:
    _unknown(acting)
    assert acting.refused("send_code", contact=contact).values == {"field": "contact"}


def test_whom_the_channel_vouches_for_gets_it_at_the_address_on_file(acting: Acting) -> None:
    acting.is_on_whatsapp()
    acting.handoff_id = acting.asks("wa-ana", "whatsapp", acting.ana.id)
    handoffs.take(acting.session, acting.handoff_id, "Marta", acting.now)
    acting.do("send_code")
    assert proofs.look_for_code(acting.session, "whatsapp", "wa-ana", _code(acting), acting.now)
    assert is_known(acting, "whatsapp", "wa-ana").level is Level.proven


# Two conversations


def test_two_proven_conversations_are_linked_and_unlinked(acting: Acting) -> None:
    acting.is_on_whatsapp(is_proven=True)
    found = {each["kind"]: each for each in offered(acting.session, acting.marta, acting.handoff(), acting.now)}
    assert found["link_identities"]["parameters"][0]["choices"] == [{"value": "wa-ana", "title": "WhatsApp"}]
    done = acting.do("link_identities", conversation="wa-ana")
    assert channel_links.linked(acting.session, CHAT) == "wa-ana"
    assert acting.refused("link_identities", conversation="wa-ana").values["rule"] == "already_linked"
    acting.undo(done["undo"]["effect"])
    assert channel_links.linked(acting.session, CHAT) is None
    assert isinstance(acting.undo(done["undo"]["effect"]), dict)


def test_linked_from_the_other_side_it_is_the_same(acting: Acting) -> None:
    acting.is_on_whatsapp(is_proven=True)
    acting.handoff_id = acting.asks("wa-ana", "whatsapp", acting.ana.id)
    handoffs.take(acting.session, acting.handoff_id, "Marta", acting.now)
    acting.do("link_identities", conversation=CHAT)
    assert channel_links.brought_from(acting.session, "wa-ana") == (CHAT, acting.now)


def test_an_asserted_or_another_customers_conversation_is_not_there(acting: Acting) -> None:
    acting.is_on_whatsapp()
    assert acting.refused("link_identities", conversation="wa-ana").status == 404
    identities.prove_identity(acting.session, "whatsapp", "wa-ana", acting.ben.id, acting.now)
    assert acting.refused("link_identities", conversation="wa-ana").status == 404
    assert acting.refused("link_identities", conversation="wa-nobody").status == 404
    assert acting.refused("link_identities", conversation=CHAT).status == 404
    assert channel_links.linked(acting.session, CHAT) is None


def test_a_proof_that_has_run_out_links_nothing(acting: Acting) -> None:
    acting.is_on_whatsapp(is_proven=True)
    offer = acting.propose("link_identities", conversation="wa-ana")
    identities.forget(acting.session, "whatsapp", "wa-ana", acting.now)
    outcome = acting.confirm("link_identities", offer)
    assert isinstance(outcome, DeskError)
    assert channel_links.linked(acting.session, CHAT) is None
