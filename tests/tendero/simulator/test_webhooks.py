"""What the simulator sends to the shop over HTTP: shapes, signatures, batches, retries."""

from __future__ import annotations

import json
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.tendero.simulator.receiver import Receiver
from tests.whatsapp_simulator import PHONE_NUMBER_ID, Person, Simulator

SAMPLES = os.environ.get("TENDERO_WHATSAPP_SAMPLES")
MENU = {
    "to": "+12025550101",
    "type": "interactive",
    "interactive": {
        "type": "list",
        "body": {"text": "Which?"},
        "action": {"button": "Orders", "sections": [{"rows": [{"id": "o1", "title": "10234", "description": "Shoes"}]}]},
    },
}
CHOICE = {
    "to": "+12025550101",
    "type": "interactive",
    "interactive": {
        "type": "button",
        "body": {"text": "Sure?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]},
    },
}


def newest(shop: Receiver, kind: str = "messages", count: int = 1) -> dict[str, Any]:
    return dict(shop.wait(lambda: shop.items(kind) if len(shop.items(kind)) >= count else None)[-1])


def test_text_has_metas_shape_and_both_ids(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    said = emma.say("¿dónde está mi pedido? 🧣")
    message = newest(shop)
    user_id = emma.state["user_id"]
    assert message == {
        "from": "12025550101",
        "from_user_id": user_id,
        "id": said["id"],
        "timestamp": message["timestamp"],
        "type": "text",
        "text": {"body": "¿dónde está mi pedido? 🧣"},
    }
    assert abs(int(message["timestamp"]) - time.time()) < 10
    assert shop.payloads == [
        {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": "102290129340398",
                    "changes": [
                        {
                            "value": {
                                "messaging_product": "whatsapp",
                                "metadata": {"display_phone_number": "15550001234", "phone_number_id": PHONE_NUMBER_ID},
                                "contacts": [{"profile": {"name": "Emma Johnson"}, "wa_id": "12025550101", "user_id": user_id}],
                                "messages": [message],
                            },
                            "field": "messages",
                        }
                    ],
                }
            ],
        }
    ]


def test_body_is_signed_as_it_is_escaped(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    emma.say("é 🧣 a/b @me")
    newest(shop)
    body = shop.bodies[0]
    assert body.isascii()
    assert rb'"\u00e9 \ud83e\udde3 a\/b \u0040me"' in body
    assert body != json.dumps(json.loads(body)).encode()
    assert shop.unsigned == 0


def test_sender_with_a_user_name_has_no_number_until_both_have_met(whatsapp: Simulator, shop: Receiver) -> None:
    sol = whatsapp.person("+34600000098", "Sol", username="sol.y.mar", shows_phone=False)
    sol.say("hola")
    message, user_id = newest(shop), sol.state["user_id"]
    assert "from" not in message
    assert message["from_user_id"] == user_id
    assert shop.values[0]["contacts"] == [{"profile": {"name": "Sol", "username": "sol.y.mar"}, "user_id": user_id}]
    answer = whatsapp.send({"recipient": user_id, "type": "text", "text": {"body": "¡Hola!"}})
    assert answer.json()["contacts"] == [{"input": user_id, "user_id": user_id}]
    told = newest(shop, "statuses")
    assert (told.get("recipient_id"), told["recipient_user_id"]) == (None, user_id)
    sol.wait_for(answer.json()["messages"][0]["id"], "delivered")
    whatsapp.send({"to": "+34600000098", "type": "text", "text": {"body": "¿Eres tú?"}})
    sol.say("sí")
    assert newest(shop, count=2)["from"] == "34600000098"


def test_copy_code_cannot_go_to_a_user_id(whatsapp: Simulator, emma: Person) -> None:
    parameters = [{"type": "text", "text": "123456"}]
    components = [
        {"type": "body", "parameters": parameters},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": parameters},
    ]
    body = {"type": "template", "template": {"name": "login_code", "language": {"code": "en"}, "components": components}}
    assert whatsapp.send({"to": "+12025550101", **body}).status_code == 200
    refused = whatsapp.send({"recipient": emma.state["user_id"], **body})
    assert refused.json()["error"]["code"] == 131062


def test_taps_are_replies_to_the_message_shown(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    emma.say("hello")
    whatsapp.send(CHOICE)
    choice = emma.reply()
    emma.tap(choice, "Yes")
    message = newest(shop, count=2)
    assert message["interactive"] == {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}}
    assert message["context"] == {"from": "15550001234", "id": choice["id"]}
    whatsapp.send(MENU)
    emma.tap(emma.reply(), "10234")
    reply = {"id": "o1", "title": "10234", "description": "Shoes"}
    assert newest(shop, count=3)["interactive"] == {"type": "list_reply", "list_reply": reply}
    refused = whatsapp.client.post(
        f"{whatsapp.url}/_simulator/shoppers/{emma.key}/messages", json={"type": "tap", "message_id": choice["id"], "title": "No"}
    )
    assert refused.json() == {"error": "That message has no such button or row."}


def test_quick_reply_of_a_template_comes_as_a_button(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    texts = [{"type": "text", "text": value} for value in ("10234", "Friday")]
    payload = {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "/fine"}]}
    components = [{"type": "body", "parameters": texts}, payload]
    content = {"name": "order_shipped", "language": {"code": "en"}, "components": components}
    whatsapp.send({"to": "+12025550101", "type": "template", "template": content})
    emma.tap(emma.reply(), "OK")
    assert newest(shop)["button"] == {"payload": "/fine", "text": "OK"}


@pytest.mark.parametrize(
    ("sent", "come"),
    [
        (
            {"type": "location", "latitude": 1.5, "longitude": 2, "name": "Here"},
            {"latitude": 1.5, "longitude": 2.0, "name": "Here"},
        ),
        (
            {"type": "order", "items": [{"product_retailer_id": "SKU", "quantity": 2, "item_price": 30, "currency": "USD"}]},
            {
                "catalog_id": "194836987003835",
                "text": "",
                "product_items": [{"product_retailer_id": "SKU", "quantity": 2, "item_price": 30, "currency": "USD"}],
            },
        ),
        ({"type": "button", "button": {"text": "Stop"}}, {"text": "Stop"}),
        ({"type": "unsupported", "kind": "poll_update"}, {"type": "poll_update"}),
        ({"type": "raw", "message": {"type": "hologram", "hologram": {"id": 1}}}, {"id": 1}),
    ],
)
def test_kind_comes_as_it_was_sent(whatsapp: Simulator, shop: Receiver, emma: Person, sent: dict[str, Any], come: Any) -> None:
    emma.send(**sent)
    message = newest(shop)
    assert message[message["type"]] == come


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_file_of_a_shopper_can_be_downloaded_for_seven_days(whatsapp: Simulator, shop: Receiver, emma: Person, kind: str) -> None:
    emma.send(kind, caption="Look")
    told = newest(shop)[kind]
    assert ("caption" in told) == (kind in ("image", "video", "document"))
    descriptor = whatsapp.graph("GET", told["id"]).json()
    assert descriptor["mime_type"] == told["mime_type"]
    whatsapp.advance(hours=7 * 24)
    assert whatsapp.graph("GET", told["id"]).status_code == 400


def test_edit_revoke_and_reaction_name_the_message(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    said = emma.say("10324")
    emma.send("edit", message_id=said["id"], text="10234")
    edit = newest(shop, count=2)["edit"]
    assert (edit["original_message_id"], edit["message"]["text"]) == (said["id"], {"body": "10234"})
    emma.send("reaction", message_id=said["id"], emoji="🙏")
    emma.send("reaction", message_id=said["id"])
    assert newest(shop, count=4)["reaction"] == {"message_id": said["id"]}
    emma.send("revoke", message_id=said["id"])
    assert newest(shop, count=5)["revoke"] == {"original_message_id": said["id"]}
    assert emma.entry(said["id"])["is_revoked"] is True


def test_what_stands_beside_a_message(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    said = emma.say("one")
    emma.say("two", reply_to=said["id"], forwarded="often", referral={"source_id": "ad-1"}, at=1700000000, id="wamid.again")
    message = newest(shop, count=2)
    assert message["context"] == {"from": "15550001234", "id": said["id"], "frequently_forwarded": True}
    assert (message["referral"], message["timestamp"], message["id"]) == ({"source_id": "ad-1"}, "1700000000", "wamid.again")
    emma.say("three", phone_number_id="777")
    newest(shop, count=3)
    assert shop.values[-1]["metadata"]["phone_number_id"] == "777"


def test_new_number_and_new_user_id_are_told_from_the_old_one(whatsapp: Simulator, shop: Receiver) -> None:
    sam = whatsapp.person("+12025550140", "Sam")
    old = sam.state
    whatsapp.control(f"shoppers/{sam.key}/move", {"phone": "+12025550141"})
    message, new = newest(shop), sam.state
    assert (message["from"], message["from_user_id"]) == ("12025550140", old["user_id"])
    assert message["system"]["type"] == "user_changed_number"
    assert message["system"]["wa_id"] == "12025550141"
    assert (message["system"]["previous_user_id"], message["system"]["user_id"]) == (old["user_id"], new["user_id"])
    assert "contacts" not in shop.values[0]
    assert new["user_id"] != old["user_id"]
    whatsapp.control(f"shoppers/{sam.key}/move", {})
    assert newest(shop, count=2)["system"]["type"] == "user_changed_user_id"


def test_stop_and_resume_are_preferences(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    whatsapp.control(f"shoppers/{emma.key}/preferences", {"value": "stop"})
    told = newest(shop, "user_preferences")
    assert (told["value"], told["category"], told["wa_id"]) == ("stop", "marketing_messages", "12025550101")
    assert shop.payloads[0]["entry"][0]["changes"][0]["field"] == "user_preferences"


def test_shop_is_verified_as_meta_does(whatsapp: Simulator) -> None:
    assert whatsapp.control("verify", {}) == {"is_verified": True}


@pytest.mark.parametrize("answer", [500, 204, 302, 201])
def test_anything_but_200_is_tried_again_with_growing_pauses(
    whatsapp: Simulator, shop: Receiver, emma: Person, answer: int
) -> None:
    shop.answers = [answer] * 4
    whatsapp.run_at(20)  # pauses of 2, 4, 8 and 16 seconds
    said = emma.say("hello")
    shop.wait(lambda: len(shop.bodies) == 5)
    assert len(set(shop.bodies)) == 1
    pauses = [later - earlier for earlier, later in pairwise(shop.times)]
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8], abs=0.09)
    emma.wait_for(said["id"], "delivered")
    assert whatsapp.control("webhooks")["webhooks"][0]["tries"] == [answer] * 4 + [200]


def test_it_is_given_up_after_seven_days(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    shop.answers = [500] * 1000
    emma.say("hello")
    for _ in range(8):
        whatsapp.advance(hours=24)
        time.sleep(0.1)
    shop.wait(lambda: whatsapp.state()["delivery"]["given_up"] == 1)
    tries = len(shop.bodies)
    whatsapp.advance(hours=24)
    time.sleep(0.2)
    assert len(shop.bodies) == tries


def test_failed_message_does_not_hold_up_the_next(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    shop.answers = [500]
    emma.say("one")
    emma.say("two")
    shop.wait(lambda: [item["text"]["body"] for item in shop.items()] == ["one", "two"])
    whatsapp.advance(seconds=2)
    shop.wait(lambda: [item["text"]["body"] for item in shop.items()] == ["one", "two", "one"])


def test_messages_of_one_shopper_come_in_order(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    said = [emma.say(str(number))["id"] for number in range(30)]
    shop.wait(lambda: [item["id"] for item in shop.items()] == said)


def test_held_updates_come_as_one_batch_of_messages_and_statuses(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    emma.say("hello")
    newest(shop)
    whatsapp.control("delivery", {"is_held": True, "batch": 1000})
    for number in range(300):
        emma.say(str(number))
    whatsapp.advance(seconds=1)  # those count in the number's messages a second
    whatsapp.send(CHOICE)
    emma.wait_for(emma.reply()["id"], "delivered")
    whatsapp.control("delivery/flush", {})
    shop.wait(lambda: len(shop.bodies) == 2)
    batch = shop.payloads[1]
    values = [change["value"] for entry in batch["entry"] for change in entry["changes"]]
    assert sum(len(value.get("messages", [])) for value in values) == 300
    assert sum(len(value.get("statuses", [])) for value in values) == 2
    assert len(batch["entry"]) > 10
    assert any(len(entry["changes"]) > 1 for entry in batch["entry"])
    assert any(len(value.get("messages", [])) > 1 for value in values)


def test_webhooks_are_repeated_and_shuffled_and_late(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    whatsapp.control("delivery", {"is_held": True, "shuffle": True, "repeat": 2, "delay": 3600})
    said = [emma.say(str(number))["id"] for number in range(20)]
    whatsapp.control("delivery/flush", {})
    time.sleep(0.2)
    assert shop.bodies == []
    whatsapp.advance(hours=1)
    shop.wait(lambda: len(shop.bodies) == 40)
    ids = [item["id"] for item in shop.items()]
    assert sorted(ids) == sorted(said * 2)
    assert list(dict.fromkeys(ids)) != said


def test_small_batches_go_out_when_they_are_full(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    whatsapp.control("delivery", {"batch": 3, "batch_seconds": 0.3})
    for number in range(4):
        emma.say(str(number))
    shop.wait(lambda: [payload_size(payload) for payload in shop.payloads] == [3, 1])


def payload_size(payload: dict[str, Any]) -> int:
    return sum(len(change["value"]["messages"]) for entry in payload["entry"] for change in entry["changes"])


@pytest.mark.parametrize("signature", ["wrong", "missing", "sha256=", "nonsense"])
def test_webhook_with_a_bad_signature_can_be_sent(whatsapp: Simulator, shop: Receiver, signature: str) -> None:
    assert whatsapp.control("webhooks", {"text": "{}", "signature": signature}) == {"status": 403}
    assert shop.unsigned == 1


def test_any_body_can_be_sent(whatsapp: Simulator, shop: Receiver) -> None:
    assert whatsapp.control("webhooks", {"text": "no json"}) == {"status": 200}
    assert shop.bodies == [b"no json"]


def test_same_seed_makes_the_same_ids() -> None:
    from tendero.simulator.names import Names

    first, second, other = Names("1"), Names("1"), Names("2")
    ids = [first.message("12025550101") for _ in range(3)]
    assert ids == [second.message("12025550101") for _ in range(3)]
    assert len(set(ids)) == 3
    assert ids[0] != other.message("12025550101")
    assert all(each.startswith("wamid.HBg") for each in ids)


@pytest.mark.skipif(SAMPLES is None, reason="TENDERO_WHATSAPP_SAMPLES is not set")
@pytest.mark.parametrize(
    ("sample", "sent"),
    [
        ("meta-openapi/webhook/text_message", {"type": "text", "text": "a"}),
        ("meta-openapi/webhook/image_message", {"type": "image", "caption": "a"}),
        ("meta-openapi/webhook/location_message",
         {"type": "location", "latitude": 1, "longitude": 1, "name": "a", "address": "a", "url": "a"}),
        ("meta-openapi/webhook/order_message", {"type": "order", "items": [
            {"product_retailer_id": "a", "quantity": 1, "item_price": 1, "currency": "USD"}]}),
        ("meta-openapi/webhook/button_message",
         {"type": "button", "button": {"payload": "a", "text": "a"}, "reply_to": "wamid.1"}),
        ("meta-openapi/webhook/interactive_button_reply_message",
         {"type": "button_reply", "reply": {"id": "a", "title": "a"}, "reply_to": "wamid.1"}),
        ("meta-openapi/webhook/interactive_list_reply_message",
         {"type": "list_reply", "reply": {"id": "a", "title": "a", "description": "a"}, "reply_to": "wamid.1"}),
        ("meta-openapi/webhook/unsupported_message", {"type": "unsupported"}),
        ("meta-openapi/webhook/text_message_with_context_product_inquiry",
         {"type": "text", "text": "a", "referred_product": {"catalog_id": "a", "product_retailer_id": "a"}}),
        ("pywa/message_voice", {"type": "audio"}),
        ("pywa/message_static_sticker", {"type": "sticker"}),
        ("pywa/message_document", {"type": "document", "caption": "a", "forwarded": True}),
        ("pywa/message_video", {"type": "video", "caption": "a", "forwarded": True}),
    ],
    ids=lambda value: value.rpartition("/")[2] if isinstance(value, str) else "",
)  # fmt: skip
def test_webhook_has_every_field_of_the_sample(
    whatsapp: Simulator, shop: Receiver, emma: Person, sample: str, sent: dict[str, Any]
) -> None:
    emma.send(**sent)
    newest(shop)
    known = json.loads((Path(str(SAMPLES)) / "webhooks" / f"{sample}.json").read_text())
    lacking = _lacking(known, shop.payloads[0])
    assert [
        each for each in lacking if "parent_user_id" not in each and "product_inquiry" not in each and "context.id" not in each
    ] == []


def _lacking(known: Any, ours: Any, place: str = "") -> list[str]:
    """Paths of the sample that ours has not, or has as another type."""
    if isinstance(known, dict) and isinstance(ours, dict):
        return [
            found
            for name, each in known.items()
            for found in (_lacking(each, ours[name], f"{place}.{name}") if name in ours else [f"{place}.{name}"])
        ]
    if isinstance(known, list) and isinstance(ours, list):
        return _lacking(known[0], ours[0], place) if known and ours else []
    is_alike = isinstance(known, (int, float)) == isinstance(ours, (int, float)) and isinstance(known, str) == isinstance(
        ours, str
    )
    return [] if is_alike else [place]
