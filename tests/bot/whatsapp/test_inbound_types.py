"""Every type of message, as it comes over HTTP, and what the inbox has of it."""

from __future__ import annotations

import json
import logging
import os
from base64 import b64decode
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.channels.spoken import NOT_A_COMMAND
from bot.channels.whatsapp.parsing import parse
from bot.channels.whatsapp.payloads import signed
from bot.channels.whatsapp.updates import Unreadable
from messaging.channel_contacts import contact
from messaging.consent import is_withdrawn, may_send
from messaging.models import ReceivedFile
from messaging.turns import outbox
from tests.bot.whatsapp.conftest import KEY
from tests.bot.whatsapp.server import NUMBER, Served
from tests.bot.whatsapp.shapes import ANA, ANA_ID, fixture, fixtures, message, text, value, webhook

SHA = b64decode("n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=").hex()
FILE = {"mime_type": "image/jpeg", "file_name": "", "kind": "image"}

# fixture -> the text that Rasa gets, and details besides `whatsapp`, `language` and `late`
TURNS: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("¿Dónde está mi pedido? 👟", {}),
    "text_command": (f"{NOT_A_COMMAND}/affirm", {}),
    "image": ("/share_picture", {"files": [{**FILE, "provider_id": "700000000000001"}]}),
    "image_caption": ("así llegó", {"files": [{**FILE, "provider_id": "700000000000002"}]}),
    "image_lost": ("/share_unsupported", {"error": 131052}),
    "video": ("/share_video", {"files": [{**FILE, "provider_id": "700000000000003", "kind": "video", "mime_type": "video/mp4"}]}),
    "document": (
        "/share_document",
        {
            "files": [
                {
                    "provider_id": "700000000000004",
                    "kind": "document",
                    "mime_type": "application/pdf",
                    "file_name": "factura.pdf",
                }
            ]
        },
    ),
    "voice": (
        "/share_voice",
        {"files": [{**FILE, "provider_id": "700000000000005", "kind": "voice", "mime_type": "audio/ogg; codecs=opus"}]},
    ),
    "audio": (
        "/share_voice",
        {"files": [{**FILE, "provider_id": "700000000000006", "kind": "audio", "mime_type": "audio/mpeg"}]},
    ),
    "sticker": (
        "/share_sticker",
        {"files": [{**FILE, "provider_id": "700000000000007", "kind": "sticker", "mime_type": "image/webp"}]},
    ),
    "location": ("/share_location", {"location": {"latitude": -23.5505, "longitude": -46.6333}}),
    "location_place": (
        "/share_location",
        {"location": {"latitude": 41.3874, "longitude": 2.1686, "name": "Plaza", "address": "Calle 1, Barcelona"}},
    ),
    "contacts": ("/share_contact", {"contacts": [{"name": "Bruno Exemplo", "phones": ["+55 11 98765-0002"], "origin": ""}]}),
    "order": (
        "/share_cart",
        {"cart": [{"sku": "TS-RED-M", "quantity": 2}, {"sku": "TS-RED-L", "quantity": 1}], "note": "para regalo"},
    ),
    "button_reply": ("Sí, gracias", {"reply_to": "wamid.of-ours"}),
    "list_reply": ("Pedido 1001", {"reply_to": "wamid.of-ours"}),
    "quick_reply": ("Ver ofertas", {}),
    "flow_reply": ("/share_form", {"form": {"size": "M", "flow_token": "t"}, "reply_to": "wamid.of-ours"}),
    "flow_reply_broken": ("/share_form", {"form": {}, "reply_to": "wamid.of-ours"}),
    "interactive_empty": ("/share_unsupported", {"unknown": {}, "reply_to": "wamid.of-ours"}),
    "referral": (
        "Quiero saber más",
        {
            "referral": {
                "source_url": "https://fb.example/1",
                "source_id": "120000000000001",
                "source_type": "ad",
                "headline": "Verano",
                "body": "Todo al 20 %",
                "media_type": "image",
                "ctwa_clid": "clid-1",
            }
        },
    ),
    "product_inquiry": ("¿Queda?", {"product": "TS-RED-M", "reply_to": "wamid.of-ours"}),
    "reply": ("este", {"reply_to": "wamid.of-ours"}),
    "forwarded": ("mira", {"forwarded": True}),
    "unsupported": (
        "/share_unsupported",
        {
            "error": 131051,
            "unknown": {
                "type": "unsupported",
                "unsupported": {"type": "poll"},
                "errors": [{"code": 131051, "title": "Message type unknown"}],
            },
        },
    ),
    "type_of_tomorrow": (
        "/share_unsupported",
        {"unknown": {"type": "hologram", "hologram": {"depth": 3, "title": "hola"}, "aura": "blue"}},
    ),
    "edit": ("¿Dónde está mi pedido 1001?", {"reply_to": "M0"}),  # the original never came
    "user_id_only": ("hei", {}),
}
# fixture -> kind in the details of the note, and its text
NOTES = {
    "reaction": ("reaction", "👍"),
    "reaction_removed": ("reaction", ""),
    "revoke": ("revoke", ""),
    "request_welcome": ("request_welcome", ""),
    "call_permission": ("interactive", ""),
    "group_text": ("text", "hola a todos"),
    "standby": ("text", "hola"),
}
STATUSES = {
    "status_sent": [("wamid.of-ours", "sent", None, "reply-7", None)],
    "status_delivered": [("wamid.of-ours", "delivered", None, None, None)],
    "status_read": [("wamid.of-ours", "read", None, None, None)],
    "status_played": [("wamid.of-ours", "read", None, None, None)],
    "status_deleted": [],
    "status_failed": [("wamid.of-ours", "failed", "More than 24 hours have passed", None, 131047)],
    "status_opted_out": [("wamid.of-ours", "failed", "User has stopped marketing messages", None, 131050)],
}
NOTHING_IN_THE_INBOX = {
    *STATUSES,
    "account_update",
    "call",
    "echo",  # of nobody whom we know
    "error",
    "field_of_tomorrow",
    "handover_away",
    "handover_to_us",
    "identity_change",
    "number_change",  # likewise
    "preference_resume",
    "preference_stop",
    "user_id_change",
}


def test_every_fixture_is_expected_somewhere() -> None:
    assert {*TURNS, *NOTES, *NOTHING_IN_THE_INBOX} == set(fixtures())


@pytest.mark.parametrize("name", TURNS)
def test_message_waits_for_a_turn_with_its_text_and_details(server: Served, name: str) -> None:
    assert server.post(fixture(name)).status_code == 200
    (row,) = server.rows()
    told = {key: what for key, what in row.details.items() if key not in ("whatsapp", "language", "late")}
    assert (row.state, row.kind, row.text, told) == ("waiting", "message", *TURNS[name])
    assert row.provider_id == f"{NUMBER}/wamid.fixture-{name}"
    assert row.details["whatsapp"]["phone_number_id"] == NUMBER
    assert row.sender_id.startswith("wa-")
    assert ANA not in row.sender_id


@pytest.mark.parametrize("name", NOTES)
def test_what_needs_no_answer_is_kept_as_a_note(server: Served, name: str) -> None:
    assert server.post(fixture(name)).status_code == 200
    (row,) = server.rows()
    assert (row.state, row.kind, row.details["whatsapp"]["type"], row.text) == ("done", "note", *NOTES[name])


@pytest.mark.parametrize("name", sorted(NOTHING_IN_THE_INBOX))
def test_what_is_no_message_leaves_the_inbox_empty(server: Served, name: str) -> None:
    assert server.post(fixture(name)).status_code == 200
    assert server.rows() == []


@pytest.mark.parametrize("name", STATUSES)
def test_status_is_told_to_the_engine(server: Served, name: str) -> None:
    server.post(fixture(name))
    assert server.engine.statuses == STATUSES[name]


@pytest.mark.parametrize("name", ["image", "image_caption", "video", "document", "voice", "audio", "sticker"])
def test_file_waits_to_be_downloaded(server: Served, name: str) -> None:
    server.post(fixture(name))
    (row,) = server.rows()
    told = row.details["files"][0]
    with server.session() as session:
        (file,) = session.execute(select(ReceivedFile)).scalars()
        assert (file.state, file.provider_id, file.kind) == ("waiting", told["provider_id"], told["kind"])
        assert (file.message_id, file.sender_id, file.promised_hash) == (row.provider_id, row.sender_id, SHA)


def test_hash_of_a_file_is_read_in_hexadecimal_digits_too(server: Served) -> None:
    server.post(webhook(value(message("image", {"id": "1", "mime_type": "image/png", "sha256": SHA.upper()}))))
    with server.session() as session:
        assert session.execute(select(ReceivedFile.promised_hash)).scalar_one() == SHA


@pytest.mark.parametrize("typed", ["/affirm", "  /affirm", "\n/deny{}", "/", "\u3000/stop"])
def test_typed_command_is_text_for_rasa(server: Served, typed: str) -> None:
    from rasa.nlu.classifiers.regex_message_handler import RegexMessageHandler
    from rasa.shared.nlu.constants import INTENT, TEXT
    from rasa.shared.nlu.training_data.message import Message

    server.post(webhook(value(text(typed))))
    said, tapped = RegexMessageHandler().process([Message({TEXT: each}) for each in (server.rows()[0].text, "/affirm")])
    assert (said.get(INTENT), tapped.get(INTENT)["name"]) == (None, "affirm")
    assert typed.strip() in server.rows()[0].text


@pytest.mark.parametrize("kind", ["button_reply", "list_reply", "button"])
def test_signed_reply_is_its_payload(server: Served, kind: str) -> None:
    tapped = {"id": signed('/inform{"order_number": "1001"}', KEY.encode()), "title": "Pedido 1001"}
    if kind == "button":
        sent = message("button", {"payload": tapped["id"], "text": tapped["title"]})
    else:
        sent = message("interactive", {"type": kind, kind: tapped})
    server.post(webhook(value(sent)))
    (row,) = server.rows()
    assert (row.text, row.details["tapped"]) == ('/inform{"order_number": "1001"}', "Pedido 1001")


def test_reply_that_somebody_else_signed_is_its_title(server: Served) -> None:
    forged = signed("/affirm", b"the key of somebody else")
    server.post(webhook(value(message("interactive", {"type": "button_reply", "button_reply": {"id": forged, "title": "/yes"}}))))
    assert server.rows()[0].text == f"{NOT_A_COMMAND}/yes"


def test_language_is_guessed_by_the_country_of_number_or_user_id(server: Served) -> None:
    people = [("5215512345678", None), ("4791234567", None), ("16505551234", None), ("4915112345678", None), (None, "BR.1")]
    server.post(webhook(*[value(text("hi"), phone=phone, user_id=user_id) for phone, user_id in people]))
    assert [row.details.get("language") for row in server.rows()] == ["es", "nb", "en", None, "pt"]


def test_card_number_is_masked_before_it_is_kept(server: Served) -> None:
    server.post(webhook(value(text("mi tarjeta es 4111 1111 1111 1111"))))
    assert server.rows()[0].text == "mi tarjeta es [card]"


def test_late_message_says_so(serve: Any) -> None:
    import time

    server = serve(late_after_hours="2")
    hours_ago = [time.time() - hours * 3600 for hours in (3, 1)]
    server.post(webhook(value(*[text("hola", at=at) for at in hours_ago])))
    assert [row.details.get("late") for row in server.rows()] == [True, None]


def test_sender_without_a_phone_number_has_a_conversation_and_a_window(server: Served) -> None:
    server.post(fixture("user_id_only"))
    with server.session() as session:
        person = contact(session, server.rows()[0].sender_id)
        assert person is not None
        assert (person.user_id, person.phone, person.name, person.username) == (
            "NO.20000000000000002",
            None,
            "Kari",
            "kari.eksempel",
        )
        assert person.last_inbound_at.timestamp() == 1795000000


@pytest.mark.parametrize(("name", "may"), [("preference_stop", False), ("preference_resume", True)])
def test_preference_goes_to_the_consent_record(server: Served, name: str, may: bool) -> None:
    server.post(fixture(name))
    with server.session() as session:
        what = {"purpose": "marketing", "channel": "whatsapp"}
        assert [may_send(session, contact=each, **what) for each in (f"+{ANA}", ANA_ID)] == [may, may]
        assert is_withdrawn(session, contact=f"+{ANA}", **what) is not may


def test_opt_out_error_goes_to_the_consent_record(server: Served) -> None:
    server.post(fixture("status_opted_out"))
    with server.session() as session:
        assert is_withdrawn(session, purpose="marketing", channel="whatsapp", contact=f"+{ANA}")


def test_call_opens_the_window(server: Served) -> None:
    server.post(webhook(value(text("hola", at=1_700_000_000))))
    server.post(fixture("call"))
    with server.session() as session:
        person = contact(session, server.rows()[0].sender_id)
        assert person is not None
        assert person.last_inbound_at.timestamp() == 1795000000


def test_call_lets_go_of_what_was_held_until_the_window_opens(server: Served) -> None:
    server.post(fixture("text"))
    sender_id = server.rows()[0].sender_id
    about: dict[str, Any] = {"turn_id": 1, "channel": "whatsapp", "contents": [{"text": "late"}], "trace_id": "0" * 32}
    with server.session() as session:
        outbox.put(session, sender_id=sender_id, now=datetime.now(timezone.utc), state="held", **about)
    server.post(fixture("call"))
    with server.session() as session:
        assert outbox.due(session, ["whatsapp"], datetime.now(timezone.utc)) == [f"whatsapp:{sender_id}"]


def test_words_of_the_shop_are_a_note_in_the_shoppers_conversation(server: Served) -> None:
    server.post(fixture("text"))
    server.post(fixture("echo"))
    first, second = server.rows()
    assert (second.sender_id, second.state, second.text) == (first.sender_id, "done", "Te llamo ahora")


def test_news_and_errors_of_the_account_are_logged(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for name in ("account_update", "error", "field_of_tomorrow"):
            server.post(fixture(name))
    assert "ACCOUNT_RESTRICTION" in caplog.text
    assert "131000" in caplog.text


# Meta's and pywa's own samples, where they are at hand

SAMPLES = os.environ.get("TENDERO_WHATSAPP_SAMPLES")
FOLDERS = ("webhooks/meta-openapi/webhook", "webhooks/pywa")


def _samples() -> list[Path]:
    return sorted(file for folder in FOLDERS for file in (Path(SAMPLES or "/") / folder).glob("*.json"))


@pytest.mark.skipif(not SAMPLES, reason="TENDERO_WHATSAPP_SAMPLES names no folder")
def test_every_sample_is_read_whole() -> None:
    assert len(_samples()) > 80
    for file in _samples():
        updates = parse(json.loads(file.read_text(encoding="utf-8")))
        unread = [each for each in updates if isinstance(each, Unreadable)]
        assert (bool(updates) or "call" in file.name, unread) == (True, []), file.name


@pytest.mark.skipif(not SAMPLES, reason="TENDERO_WHATSAPP_SAMPLES names no folder")
def test_every_message_of_the_samples_is_kept_once(server: Served) -> None:
    """Whatever it is: to be answered, or as a note."""
    sent: set[str] = set()
    for place, file in enumerate(_samples()):
        written = file.read_text(encoding="utf-8").replace("wamid.", f"wamid.{place}-").replace("<WHATSAPP_M", f"<{place}")
        content = json.loads(written)
        for values in _values(content):
            values.setdefault("metadata", {})["phone_number_id"] = NUMBER
            sent |= {each["id"] for each in values.get("messages", []) if each.get("type") != "system"}
        assert server.post(content).status_code == 200, file.name
    assert {row.provider_id.split("/", 1)[1] for row in server.rows() if row.details["whatsapp"]["type"] != "system"} == sent


def _values(content: Any) -> list[dict[str, Any]]:
    values = [change["value"] for entry in content["entry"] for change in entry["changes"]]
    return [each for each in values if isinstance(each, dict)]
