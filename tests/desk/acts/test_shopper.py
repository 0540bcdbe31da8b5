"""What the desk shows of a shopper: their own things, as far as they are known; and of who is not known nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from desk import shopper
from messaging import channel_links, consent, handoffs, identities
from messaging.conversations import conversation
from tests.desk.acts.acting import CHAT, Acting


def shown(acting: Acting, language: str = "en") -> dict[str, Any]:
    return shopper.shown(acting.session, acting.handoff(), acting.now, language)


def test_a_known_shopper_has_a_name_a_level_and_their_own_things(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, {"SHI-OXF-BLU-M": 2}, status="delivered")
    acting.shop.order(acting.ben, status="paid")
    acting.points(1200)
    acting.do("authorize_return", **acting.whole(order))
    consent.grant(acting.session, purpose="marketing", channel="email", source="web", now=acting.now, customer_id=acting.ana.id)
    told = shown(acting)
    assert (told["customer"]["number"], told["customer"]["email"], told["level"]) == ("C-10001", "ana@example.com", "proven")
    assert (told["points"]["balance"], told["points"]["tier"]) == (1200, "silver")
    assert [each["points"] for each in told["points"]["expiring"]] == [1200]
    (only,) = told["orders"]
    assert (only["number"], only["status"], only["total"]) == (order.number, "delivered", {"minor": 8000, "currency": "EUR"})
    assert only["items"] == [{"name": "Oxford Shirt (M, blue)", "quantity": 2, "picture": None}]
    assert only["tracking"][0]["number"] == f"PQ{order.number}ES"
    (back,) = told["returns"]
    assert (back["status"], back["items"]) == ("authorized", ["2 × Oxford Shirt (M, blue)"])
    assert back["refund"]["amount"] == {"minor": 8000, "currency": "EUR"}
    assert [(each["channel"], each["granted"]) for each in told["consents"]] == [("email", True)]


def test_a_consent_counts_by_its_last_word(acting: Acting) -> None:
    word: dict[str, Any] = {"purpose": "marketing", "channel": "email", "source": "web"}
    consent.grant(acting.session, now=acting.now, customer_id=acting.ana.id, **word)
    consent.withdraw(acting.session, now=acting.now + timedelta(hours=1), contact="Ana@Example.com", **word)
    consent.grant(acting.session, now=acting.now, customer_id=acting.ben.id, **word)
    assert [each["granted"] for each in shown(acting)["consents"]] == [False]


def test_titles_are_in_the_agents_language(acting: Acting) -> None:
    acting.shop.order(acting.ana, status="delivered")
    assert shown(acting, "es")["orders"][0]["title"] == "entregado"
    assert shown(acting, "es")["orders"][0]["items"][0]["name"].startswith("Camisa Oxford")


def test_of_who_is_not_known_nothing_is_told(acting: Acting) -> None:
    acting.shop.order(acting.ana, status="delivered")
    acting.points(500)
    acting.handoff_id = acting.asks("web-new", collected={"contact": "ana@example.com"})
    told = shown(acting)
    assert told == {
        "customer": None,
        "level": "unknown",
        "channels": [{"channel": "webchat", "sender": "web-new", "is_this": True}],
        "consents": [],
        "points": None,
        "orders": [],
        "returns": [],
        "earlier": [],
    }


def test_who_has_signed_out_is_not_known(acting: Acting) -> None:
    """Though the handoff was opened as theirs."""
    identities.forget(acting.session, "webchat", CHAT, acting.now)
    assert (shown(acting)["customer"], shown(acting)["level"]) == (None, "unknown")


def test_who_signs_in_as_somebody_else_sees_that_ones_things_only(acting: Acting) -> None:
    acting.shop.order(acting.ana, status="delivered")
    bens = acting.shop.order(acting.ben, status="paid")
    identities.prove_identity(acting.session, "webchat", CHAT, acting.ben.id, acting.now)
    told = shown(acting)
    assert told["customer"]["number"] == acting.ben.number
    assert [each["number"] for each in told["orders"]] == [bens.number]


def test_whom_the_channel_vouches_for_is_asserted(acting: Acting) -> None:
    acting.is_on_whatsapp()
    acting.handoff_id = acting.asks("wa-ana", "whatsapp", acting.ana.id)
    assert (shown(acting)["level"], shown(acting)["customer"]["number"]) == ("asserted", "C-10001")


def test_only_conversations_that_are_proven_to_be_theirs_are_named(acting: Acting) -> None:
    acting.is_on_whatsapp(is_proven=True)
    identities.assert_identity(acting.session, "webchat", "web-maybe", acting.ana.id, acting.now)
    identities.prove_identity(acting.session, "webchat", "web-ben", acting.ben.id, acting.now)
    assert [(each["sender"], each["is_this"]) for each in shown(acting)["channels"]] == [(CHAT, True), ("wa-ana", False)]


def test_a_conversation_joined_by_a_code_is_named_unless_it_is_anothers(acting: Acting) -> None:
    conversation(acting.session, "wa-new", "whatsapp", acting.now)
    channel_links.join(acting.session, CHAT, "wa-new", acting.now)
    assert [each["sender"] for each in shown(acting)["channels"]] == [CHAT, "wa-new"]
    identities.prove_identity(acting.session, "whatsapp", "wa-new", acting.ben.id, acting.now)
    assert [each["sender"] for each in shown(acting)["channels"]] == [CHAT]


def test_earlier_matters_are_the_customers_own_on_any_channel(acting: Acting) -> None:
    identities.prove_identity(acting.session, "webchat", "web-ben", acting.ben.id, acting.now)
    for sender, whose, topic in (("web-old", acting.ana.id, "return"), ("web-ben", acting.ben.id, "order")):
        earlier = acting.asks(sender, customer_id=whose)
        handoffs.resolve(acting.session, earlier, acting.now, by="Marta", reason="done", topic=topic)
    assert [(each["topic"], each["resolution"]) for each in shown(acting)["earlier"]] == [("return", "done")]
