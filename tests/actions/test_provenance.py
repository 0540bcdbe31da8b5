"""Where what was collected came from, read from the events of a conversation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.handoff import ActionHandoff, _told
from actions.provenance import sources
from database import Base, default_url, engine_for, transaction
from messaging.models import Handoff

AT = 1_795_014_000.0  # 2026-11-18 15:00 UTC
Event = dict[str, Any]


def user(text: str, at: float = AT, metadata: Event | None = None, **entities: str) -> Event:
    found = [{"entity": name, "value": value} for name, value in entities.items()]
    parsed = {"intent": {"name": "inform"}, "entities": found}
    return {"event": "user", "text": text, "timestamp": at, "parse_data": parsed, "metadata": metadata or {}}


def bot(*buttons: tuple[str, str]) -> Event:
    shown = [{"payload": payload, "title": title} for payload, title in buttons]
    return {"event": "bot", "text": "?", "timestamp": AT, "data": {"buttons": shown}}


def slot(name: str, value: Any, at: float = AT) -> Event:
    return {"event": "slot", "name": name, "value": value, "timestamp": at}


def of(*events: Event, slots: str) -> dict[str, Any]:
    tracker = Tracker("s", {}, {}, list(events), False, None, {}, "action_listen")
    said = (each for each in _told(tracker) if each.event["event"] == "user")
    return sources(slots.split(), list(events), said)


def test_what_a_message_names_was_said() -> None:
    found = of(user("my order 10234", order_number="10234"), slot("order_number", "10234"), slots="order_number")
    assert found == {"order_number": {"from": "said", "text": "my order 10234", "at": "2026-11-18T15:00:00+00:00"}}


def test_what_answers_the_question_was_said() -> None:
    found = of(
        slot("requested_slot", "return_reason"), user("they pinch"), slot("return_reason", "too_small"), slots="return_reason"
    )
    assert (found["return_reason"]["from"], found["return_reason"]["text"]) == ("said", "they pinch")


def test_a_tapped_button_was_chosen_by_its_title() -> None:
    payload = '/inform{"choice": "refund_to:store_credit"}'
    found = of(
        bot((payload, "Store credit")),
        slot("requested_slot", "refund_to"),
        user(payload, choice="refund_to:store_credit"),
        slot("refund_to", "store_credit"),
        slots="refund_to",
    )
    assert found["refund_to"] == {"from": "chosen", "text": "Store credit", "at": "2026-11-18T15:00:00+00:00"}


def test_what_nobody_said_is_from_the_shops_records() -> None:
    found = of(user("I want to send the shirt back", product="shirt"), slot("order_number", "10234"), slots="order_number")
    assert found["order_number"] == {"from": "account", "text": "", "at": "2026-11-18T15:00:00+00:00"}


def test_what_only_one_way_is_left_for_is_from_the_rules() -> None:
    found = of(user("too small", reason="too_small"), slot("return_method", "store"), slots="return_method")
    assert (found["return_method"]["from"], found["return_method"]["text"]) == ("policy", "")


def test_one_message_can_give_several_in_different_ways() -> None:
    found = of(
        user("the blue shirt is too small", color="blue", reason="too_small"),
        slot("order_number", "10234"),
        slot("return_items", [{"line_id": 7, "quantity": 1}]),
        slot("return_reason", "too_small"),
        slot("refund_to", "original"),
        slots="order_number return_items return_reason refund_to",
    )
    assert {name: each["from"] for name, each in found.items()} == {
        "order_number": "account",
        "return_items": "said",
        "return_reason": "said",
        "refund_to": "policy",
    }


def test_a_correction_is_the_source_of_what_holds_now() -> None:
    found = of(
        user("order 10234", order_number="10234"),
        slot("order_number", "10234"),
        user("no, 10235", at=AT + 60, order_number="10235"),
        slot("order_number", "10235"),
        slots="order_number",
    )
    assert (found["order_number"]["text"], found["order_number"]["at"]) == ("no, 10235", "2026-11-18T15:01:00+00:00")


def test_what_was_put_aside_and_taken_up_again_is_as_old_as_the_first_time() -> None:
    found = of(
        user("order 10234", order_number="10234"),
        slot("order_number", "10234"),
        user("how long is shipping?", at=AT + 60),
        slot("order_number", None),
        slot("order_number", "10234", at=AT + 61),
        slots="order_number",
    )
    assert found["order_number"]["text"] == "order 10234"


def test_the_last_order_is_where_the_orders_number_came_from() -> None:
    found = of(
        user("order 10234", order_number="10234"),
        slot("order_number", "10234"),
        slot("last_order", "10234"),
        slot("order_number", None),
        slots="last_order",
    )
    assert (found["last_order"]["from"], found["last_order"]["text"]) == ("said", "order 10234")


def test_a_code_is_no_part_of_a_source() -> None:
    found = of(
        slot("requested_slot", "code"),
        user("123456, and it is 10234", code="123456", order_number="10234"),
        slot("order_number", "10234"),
        slots="order_number",
    )
    assert found["order_number"]["text"] == "[code], and it is 10234"


def test_what_no_event_tells_has_no_source() -> None:
    assert of(user("hello"), slots="order_number") == {}


def test_a_handoff_keeps_where_each_value_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_DATABASE_URL", f"sqlite:///{tmp_path / 'shop.db'}")
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    Base.metadata.create_all(engine_for(default_url()))
    events = [user("my order 10234", order_number="10234"), slot("order_number", "10234"), user("a person please")]
    slots = {"order_number": "10234", "language": "en", "return_reason": "too_small"}
    latest = {"text": "a person please", "intent": {"name": "human_agent", "confidence": 1.0}, "entities": []}
    tracker = Tracker("web-1", slots, latest, events, False, None, {}, "action_listen")
    ActionHandoff().run(CollectingDispatcher(), tracker, {})
    with transaction() as session:
        kept = session.query(Handoff).one()
        assert kept.collected == {"order_number": "10234", "return_reason": "too_small"}
        assert kept.sources == {"order_number": {"from": "said", "text": "my order 10234", "at": "2026-11-18T15:00:00+00:00"}}
