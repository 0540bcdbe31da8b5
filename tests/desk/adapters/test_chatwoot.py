"""Chatwoot's agent-bot protocol through the real server, inbox, engine and outbox, against payloads in its documented shapes."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database import transaction
from desk.adapters.chatwoot import ChatwootInput, sending
from desk.adapters.chatwoot.parsing import parse
from desk.adapters.chatwoot.settings import ChatwootSettings, sender_of
from desk.adapters.chatwoot.signature import HEADER, TIMESTAMP
from desk.signature import signature
from messaging import handoffs
from tests.desk.adapters.chatwoot_stand_in import ACCOUNT, TOKEN, Chatwoot
from tests.desk.adapters.server import NEVER, Running, until

SECRET = "a-long-secret-of-the-webhook"
TALK = 10
SENDER = sender_of(ACCOUNT, TALK)


@pytest.fixture
def shop(serve: Callable[[Any], Running], chatwoot: Chatwoot) -> Running:
    told = {"url": chatwoot.url, "bot_token": TOKEN, "webhook_secret": SECRET, "language": "es"}
    chatwoot.begin(TALK)
    return serve(ChatwootInput.from_credentials(told))


def send(shop: Running, content: Any, secret: str = SECRET, at: float | None = None) -> Any:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    timestamp = str(int(at if at is not None else time.time()))
    return shop.post("/webhook", body, {HEADER: signature(body, timestamp, secret), TIMESTAMP: timestamp})


# Who may tell us


def test_an_unsigned_webhook_is_refused_and_keeps_nothing(shop: Running, chatwoot: Chatwoot) -> None:
    event = chatwoot.shopper_writes(TALK, "hola")
    assert shop.post("/webhook", event).status_code == 401
    assert send(shop, event, secret="another secret").status_code == 401
    assert send(shop, event, at=time.time() - 400).status_code == 401
    assert shop.post("/webhook/not-the-word", event).status_code == 401
    assert shop.rows() == []


def test_a_chatwoot_that_does_not_sign_calls_the_secret_address(shop: Running, chatwoot: Chatwoot) -> None:
    assert shop.post(f"/webhook/{SECRET}", chatwoot.shopper_writes(TALK, "hola")).status_code == 200
    assert until(lambda: chatwoot.said(TALK)) == ["echo hola"]


def test_without_a_secret_the_webhook_is_closed(serve: Callable[[Any], Running]) -> None:
    shop = serve(ChatwootInput.from_credentials({"url": "http://127.0.0.1:1"}))
    assert send(shop, {"event": "message_created"}, secret="").status_code == 503


def test_another_account_is_ignored(serve: Callable[[Any], Running], chatwoot: Chatwoot) -> None:
    chatwoot.begin(TALK)
    told = {"url": chatwoot.url, "bot_token": TOKEN, "webhook_secret": SECRET, "account": "77"}
    shop = serve(ChatwootInput.from_credentials(told))
    assert send(shop, chatwoot.shopper_writes(TALK, "hola")).json() == {"status": "ignored"}
    assert shop.rows() == []


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"webhook_secret": "short"}, "16 signs"),
        ({"url": "ftp://x"}, "https://"),
        ({"tokn": "x"}, "unknown tokn"),
    ],
)
def test_wrong_settings_are_said_in_words(told: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ChatwootSettings.of(told, {})


# Messages


def test_a_message_is_answered_once_though_it_is_told_twice(shop: Running, chatwoot: Chatwoot) -> None:
    event = chatwoot.shopper_writes(TALK, "hola")
    assert [send(shop, event).status_code for _ in range(3)] == [200, 200, 200]
    until(lambda: chatwoot.said(TALK))
    time.sleep(0.5)
    assert chatwoot.said(TALK) == ["echo hola"]


def test_our_own_messages_and_private_notes_are_no_messages(shop: Running, chatwoot: Chatwoot) -> None:
    own = {"id": 3, "name": "Tendero", "type": "agent_bot"}
    event = chatwoot.shopper_writes(TALK, "x")
    for change in ({"message_type": "outgoing", "sender": own}, {"private": True}, {"message_type": "activity", "sender": None}):
        assert send(shop, {**event, **change}).json() == {"status": "ignored"}
    assert shop.rows() == []
    assert shop.rows("agent") == []


def test_a_typed_command_is_only_text(shop: Running, chatwoot: Chatwoot) -> None:
    send(shop, chatwoot.shopper_writes(TALK, "/restart"))
    assert not until(lambda: shop.rows())[0].text.startswith("/")


def test_a_picture_without_words_says_what_it_is(shop: Running, chatwoot: Chatwoot) -> None:
    attachments = [{"id": 1, "file_type": "image", "data_url": "https://chatwoot.example/x.png"}]
    send(shop, chatwoot.shopper_writes(TALK, None, attachments=attachments))  # type: ignore[arg-type]
    assert until(lambda: shop.rows())[0].text == "/share_picture"


def test_choices_are_an_input_select_and_what_is_picked_is_what_we_meant(shop: Running, chatwoot: Chatwoot) -> None:
    send(shop, chatwoot.shopper_writes(TALK, "choices"))
    message = until(lambda: chatwoot.by_the_bot(TALK))[0]
    items = message["content_attributes"]["items"]
    assert (message["content_type"], [item["title"] for item in items]) == ("input_select", ["Camisa azul", "Pantalón"])
    send(shop, chatwoot.picked(TALK, message, items[1]))
    send(shop, chatwoot.picked(TALK, message, items[1]))
    until(lambda: len(shop.rows()) == 2)
    assert [(row.text, row.details.get("tapped")) for row in shop.rows()[1:]] == [('/inform{"line": "2"}', "Pantalón")]


def test_a_made_up_choice_is_nothing(shop: Running, chatwoot: Chatwoot) -> None:
    send(shop, chatwoot.shopper_writes(TALK, "choices"))
    message = until(lambda: chatwoot.by_the_bot(TALK))[0]
    until(lambda: shop.has_sent_all())
    made_up = {"title": "x", "value": '/inform{"line": "3"}|AAAAAAAAAAAAAAAA'}
    assert send(shop, chatwoot.picked(TALK, message, made_up)).status_code == 200
    elsewhere = {**message, "id": 4000}
    assert send(shop, chatwoot.picked(TALK, elsewhere, message["content_attributes"]["items"][0])).status_code == 200
    assert [row.text for row in shop.rows()] == ["choices"]


def test_a_title_that_is_written_back_counts_as_tapped(shop: Running, chatwoot: Chatwoot) -> None:
    send(shop, chatwoot.shopper_writes(TALK, "choices"))
    until(lambda: chatwoot.said(TALK))
    send(shop, chatwoot.shopper_writes(TALK, "camisa AZUL "))
    until(lambda: len(shop.rows()) == 2)
    assert shop.rows()[1].text == '/inform{"line": "1"}'


# Chatwoot is away, or slow


def test_a_reply_waits_while_chatwoot_is_busy_and_is_sent_once(shop: Running, chatwoot: Chatwoot) -> None:
    chatwoot.faults = [503, 429]
    send(shop, chatwoot.shopper_writes(TALK, "hola"))
    until(lambda: chatwoot.said(TALK), 60)
    time.sleep(0.5)
    assert chatwoot.said(TALK) == ["echo hola"]


def test_a_reply_that_arrived_though_no_answer_came_is_not_sent_again(shop: Running, chatwoot: Chatwoot) -> None:
    chatwoot.faults = ["lost"]
    send(shop, chatwoot.shopper_writes(TALK, "hola"))
    until(lambda: chatwoot.said(TALK))
    send(shop, chatwoot.shopper_writes(TALK, "sigues?"))
    until(lambda: len(chatwoot.said(TALK)) == 2, 60)
    assert chatwoot.said(TALK) == ["echo hola", "echo sigues?"]


def test_the_same_words_twice_are_two_replies_though_one_answer_was_lost(shop: Running, chatwoot: Chatwoot) -> None:
    send(shop, chatwoot.shopper_writes(TALK, "hola"))
    until(lambda: chatwoot.said(TALK))
    chatwoot.faults = [503]
    send(shop, chatwoot.shopper_writes(TALK, "hola"))
    until(lambda: len(chatwoot.said(TALK)) == 2, 60)
    assert chatwoot.said(TALK) == ["echo hola", "echo hola"]


# Whose it is


def test_a_reply_is_withheld_where_a_person_over_there_takes_over_just_before_it_goes(
    shop: Running, chatwoot: Chatwoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "BUSY", 0.1)
    chatwoot.faults = [503]  # the second try looks first whether it has arrived
    chatwoot.meanwhile = [lambda: send(shop, chatwoot.status_becomes(TALK, "open", "conversation_opened"))]
    send(shop, chatwoot.shopper_writes(TALK, "hola"))
    until(lambda: shop.states() == ["withheld"])
    assert (shop.owner(SENDER), chatwoot.meanwhile, chatwoot.said(TALK)) == ("agent", [], [])


def test_a_handoff_opens_the_conversation_with_a_note_and_the_assistant_is_silent(shop: Running, chatwoot: Chatwoot) -> None:
    id_ = shop.open_handoff(SENDER, "chatwoot")
    until(lambda: shop.handoff(id_).status == "assigned")
    assert chatwoot.statuses[TALK] == "open"
    (note,) = chatwoot.notes(TALK)
    assert "10234" in note
    assert "window closed" in note or "window_closed" in note
    assert shop.owner(SENDER) == "agent"
    send(shop, chatwoot.shopper_writes(TALK, "hay alguien?"))
    until(lambda: shop.rows())
    time.sleep(0.5)
    assert chatwoot.said(TALK) == []
    assert shop.rows("timer") == []  # nobody "has joined": Chatwoot shows who is there


def test_out_of_hours_it_stays_pending(shop: Running, chatwoot: Chatwoot) -> None:
    id_ = shop.open_handoff(SENDER, "chatwoot", NEVER)
    time.sleep(1.5)
    assert (chatwoot.statuses[TALK], shop.handoff(id_).status, chatwoot.notes(TALK)) == ("pending", "callback", [])
    send(shop, chatwoot.shopper_writes(TALK, "otra cosa"))
    assert until(lambda: chatwoot.said(TALK)) == ["echo otra cosa"]


def test_a_desk_that_is_away_gets_the_handoff_when_it_is_back(shop: Running, chatwoot: Chatwoot) -> None:
    chatwoot.faults = [500, 500]
    id_ = shop.open_handoff(SENDER, "chatwoot")
    until(lambda: shop.handoff(id_).status == "assigned", 60)
    assert chatwoot.statuses[TALK] == "open"


def test_a_person_who_takes_it_there_has_it_here_and_what_they_write_is_kept(shop: Running, chatwoot: Chatwoot) -> None:
    chatwoot.shopper_writes(TALK, "hola")
    chatwoot.assignees[TALK] = "John"
    send(shop, chatwoot.status_becomes(TALK, "open", "conversation_opened"))
    assert shop.owner(SENDER) == "agent"
    send(shop, chatwoot.agent_writes(TALK, "Hola, soy John"))
    send(shop, chatwoot.agent_writes(TALK, "solo entre nosotros", private=True))
    assert [(row.text, row.details["agent"]) for row in shop.rows("agent")] == [("Hola, soy John", "John · Chatwoot")]


def test_given_back_there_the_assistant_goes_on(shop: Running, chatwoot: Chatwoot) -> None:
    id_ = shop.open_handoff(SENDER, "chatwoot")
    until(lambda: shop.handoff(id_).status == "assigned")
    send(shop, chatwoot.status_becomes(TALK, "pending"))
    assert (shop.handoff(id_).status, shop.owner(SENDER)) == ("given_back", "bot")
    send(shop, chatwoot.shopper_writes(TALK, "gracias"))
    assert until(lambda: chatwoot.said(TALK)) == ["echo gracias"]
    assert chatwoot.statuses[TALK] == "pending"


def test_a_message_that_says_pending_gives_it_back_where_no_status_was_told(shop: Running, chatwoot: Chatwoot) -> None:
    id_ = shop.open_handoff(SENDER, "chatwoot")
    until(lambda: shop.handoff(id_).status == "assigned")
    chatwoot.statuses[TALK] = "pending"
    later = (datetime.now(timezone.utc) + timedelta(minutes=1)).isoformat()
    send(shop, chatwoot.shopper_writes(TALK, "sigo aquí", created_at=later))
    assert shop.handoff(id_).status == "given_back"


def test_a_message_from_before_it_was_opened_does_not_take_it_away(shop: Running, chatwoot: Chatwoot) -> None:
    late = chatwoot.shopper_writes(TALK, "quiero hablar con alguien")  # pending, and delivered late
    id_ = shop.open_handoff(SENDER, "chatwoot")
    until(lambda: shop.handoff(id_).status == "assigned")
    send(shop, late)
    assert shop.handoff(id_).status == "assigned"


def test_resolved_there_is_resolved_here(shop: Running, chatwoot: Chatwoot) -> None:
    id_ = shop.open_handoff(SENDER, "chatwoot")
    until(lambda: shop.handoff(id_).status == "assigned")
    send(shop, chatwoot.agent_writes(TALK, "ya quedó"))
    for _ in range(2):
        assert send(shop, chatwoot.status_becomes(TALK, "resolved", "conversation_resolved")).status_code == 200
    handoff = shop.handoff(id_)
    assert (handoff.status, shop.owner(SENDER)) == ("resolved", "bot")
    assert handoff.first_reply_at is not None


def test_never_mind_gives_the_conversation_back_there(shop: Running, chatwoot: Chatwoot) -> None:
    chatwoot.faults = [503]
    id_ = shop.open_handoff(SENDER, "chatwoot")
    with transaction(shop.database) as session:
        handoffs.cancel(session, id_, datetime.now(timezone.utc))
    time.sleep(2)
    assert chatwoot.statuses[TALK] == "pending"
    assert shop.owner(SENDER) == "bot"


# Odd things

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    "event id content message_type conversation account sender private content_attributes status meta attachments".split()
)
EVENTS = st.sampled_from(["message_created", "message_updated", "conversation_opened", "conversation_status_changed", "x"])


@given(st.dictionaries(KEYS, ODD, max_size=9), EVENTS)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_nothing_that_comes_breaks_the_parser(content: dict[str, Any], event: str) -> None:
    parse({**content, "event": event})


def test_an_event_with_something_odd_in_it_is_answered_all_the_same(shop: Running, chatwoot: Chatwoot) -> None:
    event = chatwoot.shopper_writes(TALK, "hola")
    keys = ("id", "content", "message_type", "conversation", "account", "sender", "content_attributes")
    for key, value in itertools.product(keys, (None, [], {}, "x", -1, True, 2**70)):
        assert send(shop, {**event, key: value}).status_code == 200, (key, value)


def test_what_is_no_json_object_is_refused(shop: Running) -> None:
    for body in (b"", b"[]", b"{", b"\xff", b"[" * 100_000):
        assert send(shop, body).status_code == 400, body[:9]
    assert send(shop, b"x" * 1_000_001).status_code == 413
