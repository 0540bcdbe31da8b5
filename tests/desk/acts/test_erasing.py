"""What acts leave behind of a customer who is erased: rows, and nothing that tells of whom."""

from __future__ import annotations

from commerce.privacy import erase_customer
from desk import privacy
from tests.desk.acts.acting import CHAT, Acting


def test_an_erased_customers_acts_keep_nothing_of_them(acting: Acting) -> None:
    acting.do("adjust_points", points=100, reason="Ana's parcel was late")
    acting.asks("web-other")
    erase_customer(acting.session, acting.ana.id, acting.now)
    privacy.forget(acting.session, acting.ana.id, [CHAT])
    (effect,) = acting.effects()
    assert (effect.agent, effect.result, effect.proposal.parameters, effect.proposal.summary) == ("Marta", {}, {}, {})
    assert CHAT not in effect.proposal.conversation


def test_a_code_that_was_sent_for_nobody_known_leaves_nothing_either(acting: Acting) -> None:
    """Its proposal is of no customer: the desk erases it by the conversation."""
    acting.do("adjust_points", points=100, reason="a late parcel")
    from messaging import identities

    identities.forget(acting.session, "webchat", CHAT, acting.now)
    acting.do("send_code", contact="ana@example.com")
    code = acting.effects()[-1]
    assert code.proposal.customer_id is None
    privacy.forget(acting.session, acting.ana.id, [CHAT])
    acting.session.expire_all()
    assert (code.result, code.proposal.parameters, code.proposal.summary) == ({}, {}, {})
    assert CHAT not in code.proposal.conversation
