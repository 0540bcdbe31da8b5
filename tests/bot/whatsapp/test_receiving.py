"""What messages do to each other: edits, revokes, stops, moves, and who answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.channels.whatsapp.payloads import signed
from messaging import conversations
from messaging.channel_contacts import contact
from messaging.consent import grant, is_withdrawn, may_send
from messaging.models import Consent, Conversation, InboundMessage, ReceivedFile
from messaging.turns import inbox
from tests.bot.whatsapp.conftest import KEY
from tests.bot.whatsapp.server import NUMBER, Served
from tests.bot.whatsapp.shapes import ANA, ANA_ID, fixture, message, text, value, webhook
from tests.conftest import NOW

MARKETING = {"purpose": "marketing", "channel": "whatsapp"}
YESTERDAY = NOW - timedelta(days=1)


def _states(server: Served) -> list[tuple[str, str]]:
    return [(row.text, row.state) for row in server.rows()]


def _take(server: Served) -> None:
    """A turn is begun on everything that waits."""
    with server.session() as session:
        for sender_id in inbox.senders_waiting(session):
            inbox.claim(session, sender_id, NOW)


# Edits and revokes


def test_edit_of_a_waiting_message_replaces_its_text(server: Served) -> None:
    server.post(fixture("text"))
    for _ in range(2):
        server.post(fixture("edit"))
    assert _states(server) == [("¿Dónde está mi pedido 1001?", "waiting"), ("¿Dónde está mi pedido 1001?", "done")]


def test_edit_of_an_answered_message_is_a_new_one_once(server: Served) -> None:
    server.post(fixture("text"))
    _take(server)
    for _ in range(2):
        server.post(fixture("edit"))
    assert _states(server) == [("¿Dónde está mi pedido? 👟", "taken"), ("¿Dónde está mi pedido 1001?", "waiting")]


def test_edit_told_again_after_the_turn_is_no_new_message(server: Served) -> None:
    server.post(fixture("text"))
    server.post(fixture("edit"))
    _take(server)
    server.post(fixture("edit"))
    assert [state for _, state in _states(server)] == ["taken", "done"]


def test_revoke_of_a_waiting_message_empties_it(server: Served) -> None:
    server.post(fixture("text"))
    server.post(fixture("revoke"))
    assert _states(server) == [("", "done"), ("", "done")]
    assert server.rows()[0].details == {inbox.REVOKED: True}


def test_revoke_of_a_message_that_is_being_answered_comes_too_late(server: Served) -> None:
    server.post(fixture("text"))
    _take(server)
    server.post(fixture("revoke"))
    assert _states(server) == [("¿Dónde está mi pedido? 👟", "taken"), ("", "done")]


@pytest.mark.parametrize("kind", ["edit", "revoke"])
def test_nobody_changes_the_message_of_another(server: Served, kind: str) -> None:
    server.post(fixture("text"))
    content = {"original_message_id": "wamid.fixture-text", "message": {"type": "text", "text": {"body": "changed"}}}
    server.post(webhook(value(message(kind, content), phone="5511987650002", user_id="BR.2")))
    assert _states(server)[0] == ("¿Dónde está mi pedido? 👟", "waiting")


# Consent


@pytest.mark.parametrize("word", ["STOP", "Baja", "parar", "stopp"])
def test_stop_is_kept_at_once_and_confirmed(server: Served, word: str) -> None:
    with server.session() as session:
        grant(session, contact=f"+{ANA}", source="test", now=YESTERDAY, **MARKETING)
    for _ in range(2):
        server.post(webhook(value(text(word, id="wamid.stop", at=1_795_000_000))))
    (row,) = server.rows()
    assert (row.state, row.details[inbox.ANSWER]) == ("waiting", "utter_marketing_stopped")
    with server.session() as session:
        assert [may_send(session, contact=each, **MARKETING) for each in (f"+{ANA}", ANA_ID)] == [False, False]
        assert len(session.execute(select(Consent).where(Consent.granted.is_(False))).all()) == 2  # by number and by user id


def test_stop_in_a_sentence_stops_nothing(server: Served) -> None:
    server.post(webhook(value(text("please stop my order"))))
    assert inbox.ANSWER not in server.rows()[0].details
    with server.session() as session:
        assert not is_withdrawn(session, contact=f"+{ANA}", **MARKETING)


def test_start_takes_a_stop_back(server: Served) -> None:
    server.post(webhook(value(text("STOP", at=1_795_000_000))))
    server.post(webhook(value(text("START", at=1_795_000_060))))
    assert server.rows()[1].details[inbox.ANSWER] == "utter_marketing_resumed"
    with server.session() as session:
        assert may_send(session, contact=f"+{ANA}", **MARKETING)


def test_start_of_somebody_who_never_stopped_is_a_word_like_any_other(server: Served) -> None:
    server.post(webhook(value(text("start"))))
    assert inbox.ANSWER not in server.rows()[0].details
    with server.session() as session:
        assert not may_send(session, contact=f"+{ANA}", **MARKETING)


def test_button_that_stops_promotions_stops_them(server: Served) -> None:
    server.post(webhook(value(message("button", {"payload": "Stop promotions", "text": "Stop promotions"}))))
    with server.session() as session:
        assert is_withdrawn(session, contact=f"+{ANA}", **MARKETING)


def test_preference_told_again_does_not_undo_a_later_word(server: Served) -> None:
    server.post(fixture("preference_stop"))
    server.post(webhook(value(text("START", at=1_795_000_500))))
    server.post(fixture("preference_stop"))
    with server.session() as session:
        assert may_send(session, contact=f"+{ANA}", **MARKETING)


def test_stop_of_a_known_customer_counts_for_the_customer(server: Served) -> None:
    from messaging.identities import assert_identity

    server.post(webhook(value(text("hola"))))
    sender_id = server.rows()[0].sender_id
    with server.session() as session:
        assert_identity(session, "whatsapp", sender_id, 7, NOW)
        grant(session, customer_id=7, source="test", now=YESTERDAY, **MARKETING)
    server.post(webhook(value(text("STOP", at=1_795_000_000))))
    with server.session() as session:
        assert not may_send(session, customer_id=7, **MARKETING)


# Persons


def test_number_change_keeps_the_conversation(server: Served) -> None:
    server.post(webhook(value(text("hola"))))
    for _ in range(2):
        server.post(fixture("number_change"))
    server.post(webhook(value(text("soy yo"), phone="5521987650009", user_id="BR.99")))
    rows = [row for row in server.rows() if row.kind == "message"]
    assert rows[0].sender_id == rows[1].sender_id


def test_number_change_told_again_moves_nobody_who_has_the_number_by_now(server: Served) -> None:
    server.post(webhook(value(text("hola"))))
    server.post(fixture("number_change"))
    server.post(webhook(value(text("nuevo"), user_id="BR.77")))
    server.post(fixture("number_change"))
    stranger = server.rows()[-1].sender_id
    with server.session() as session:
        person = contact(session, stranger)
        assert person is not None
        assert (person.user_id, person.phone) == ("BR.77", f"+{ANA}")


def test_user_id_change_keeps_the_conversation(server: Served) -> None:
    server.post(webhook(value(text("hola"))))
    server.post(fixture("user_id_change"))
    server.post(webhook(value(text("soy yo"), phone=None, user_id="BR.10000000000000099")))
    rows = [row for row in server.rows() if row.kind == "message"]
    assert rows[0].sender_id == rows[1].sender_id


def test_contact_of_another_number_is_not_the_sender(server: Served) -> None:
    """A message and a contact that do not belong together: the sender is whom the message names."""
    mixed = value(text("hola"), user_id=None)
    mixed["contacts"] = [{"wa_id": "5511987650002", "user_id": "BR.2", "profile": {"name": "Bia"}}]
    server.post(webhook(mixed))
    with server.session() as session:
        person = contact(session, server.rows()[0].sender_id)
        assert person is not None
        assert (person.user_id, person.phone, person.name) == (None, f"+{ANA}", "")


# Who answers


def _owner(server: Served) -> tuple[str, str | None]:
    with server.session() as session:
        row = session.execute(select(Conversation)).scalar_one()
        return row.owner, row.assignee


def test_bot_is_silent_while_another_app_has_the_conversation(server: Served) -> None:
    server.post(fixture("standby"))
    assert _owner(server) == ("agent", conversations.ELSEWHERE)
    assert server.waiting() == []
    server.post(fixture("handover_to_us"))
    assert _owner(server) == ("bot", None)
    server.post(fixture("handover_away"))
    assert _owner(server) == ("agent", conversations.ELSEWHERE)
    server.post(fixture("text"))  # what comes as a message is ours to answer
    assert _owner(server) == ("bot", None)


def test_conversation_of_our_own_agent_stays_theirs(server: Served) -> None:
    server.post(fixture("text"))
    sender_id = server.rows()[0].sender_id
    with server.session() as session:
        conversations.conversation(session, sender_id, "whatsapp", NOW)
        conversations.set_owner(session, sender_id, "agent", assignee="marta")
    for name in ("standby", "handover_to_us", "handover_away", "reply"):
        server.post(fixture(name))
        assert _owner(server) == ("agent", "marta")


# Bursts


def _claim(server: Served) -> inbox.Claim:
    with server.session() as session:
        claim = inbox.claim(session, server.rows()[0].sender_id, NOW, ["whatsapp"])
        assert claim is not None
        return claim


def _picture(number: int, caption: str = "") -> dict[str, Any]:
    return message("image", {"id": f"70{number}", "mime_type": "image/jpeg", **({"caption": caption} if caption else {})})


def test_pictures_and_words_sent_together_are_one_turn(server: Served) -> None:
    server.post(webhook(value(_picture(1), _picture(2, "llegó así"), _picture(3), text("¿qué hago?"))))
    claim = _claim(server)
    assert claim.text == "llegó así\n¿qué hago?"
    assert [file["provider_id"] for file in claim.details["files"]] == ["701", "702", "703"]


def test_album_is_one_picture_command(server: Served) -> None:
    server.post(webhook(value(_picture(1), _picture(2))))
    claim = _claim(server)
    assert (claim.text, len(claim.details["files"]), len(claim.message_ids)) == ("/share_picture", 2, 2)


def test_tapped_button_is_a_turn_of_its_own(server: Served) -> None:
    button = {"type": "button_reply", "button_reply": {"id": signed("/affirm", KEY.encode()), "title": "Sí"}}
    server.post(webhook(value(text("vale"), message("interactive", button), text("gracias"), text("STOP"))))
    texts = []
    for _ in range(4):
        claim = _claim(server)
        texts.append(claim.text)
        with server.session() as session:
            inbox.finish(session, claim, NOW)
    assert texts == ["vale", "/affirm", "gracias", "STOP"]


def test_file_of_a_message_that_comes_again_waits_once(server: Served) -> None:
    for _ in range(2):
        server.post(fixture("image"))
    with server.session() as session:
        assert session.execute(select(ReceivedFile.message_id)).scalars().all() == [f"{NUMBER}/wamid.fixture-image"]
        assert len(session.execute(select(InboundMessage)).all()) == 1


# What a webhook may not undo


def test_stop_counts_while_another_app_has_the_conversation(server: Served) -> None:
    stop = value(text("STOP", at=1_795_000_000))
    server.post(webhook(stop, field="standby"))
    with server.session() as session:
        assert is_withdrawn(session, contact=f"+{ANA}", **MARKETING)


def test_standby_told_again_takes_no_conversation_away(server: Served) -> None:
    standby = webhook(value(text("hola", id="wamid.before")), field="standby")
    server.post(standby)
    assert _owner(server)[0] == "agent"
    server.post(webhook(value(text("¿y mi pedido?", id="wamid.after"))))
    assert _owner(server)[0] == "bot"
    server.post(standby)
    assert _owner(server)[0] == "bot"


def test_message_edited_to_stop_stops(server: Served) -> None:
    server.post(fixture("text"))
    edited = {"original_message_id": "wamid.fixture-text", "message": {"type": "text", "text": {"body": "STOP"}}}
    server.post(webhook(value(message("edit", edited))))
    with server.session() as session:
        assert is_withdrawn(session, contact=f"+{ANA}", **MARKETING)


def test_stop_counts_for_every_address_that_we_know(server: Served) -> None:
    server.post(fixture("text"))
    named_by_user_id_only = value(text("STOP", at=1_795_000_000), phone=None)
    server.post(webhook(named_by_user_id_only))
    with server.session() as session:
        assert is_withdrawn(session, contact=f"+{ANA}", **MARKETING)


def test_picture_that_its_sender_deletes_is_evidence_of_nothing(server: Served) -> None:
    server.post(webhook(value(_picture(1))))
    content = {"original_message_id": server.rows()[0].details["whatsapp"]["id"]}
    server.post(webhook(value(message("revoke", content, id="wamid.gone"))))
    with server.session() as session:
        assert [(file.state, file.error) for file in session.execute(select(ReceivedFile)).scalars()] == [
            ("failed", "deleted by its sender")
        ]


def test_ad_is_known_of_a_burst_whichever_message_brought_it(server: Served) -> None:
    server.post(fixture("referral"))
    server.post(webhook(value(text("¿hola?", id="wamid.second"))))
    assert "referral" in _claim(server).details
