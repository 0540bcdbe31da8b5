"""What the shop sends to the simulator over HTTP: answers, windows, limits, files, templates, faults."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.tendero.simulator.receiver import Receiver
from tests.whatsapp_simulator import BUSINESS_ACCOUNT_ID, PHONE_NUMBER_ID, Person, Simulator

EMMA = "+12025550101"
PNG = bytes.fromhex("89504e470d0a1a0a") + b"a small picture"


def text(words: str = "hi", **more: Any) -> dict[str, Any]:
    return {"to": EMMA, "type": "text", "text": {"body": words}, **more}


def template(name: str, *values: str, language: str = "en", **more: Any) -> dict[str, Any]:
    components = [{"type": "body", "parameters": [{"type": "text", "text": value} for value in values]}] if values else []
    return {
        "to": EMMA,
        "type": "template",
        "template": {"name": name, "language": {"code": language}, "components": components},
        **more,
    }


def sent_id(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["messages"][0]["id"])


def code(answer: httpx.Response) -> int:
    return int(answer.json()["error"]["code"])


def failure(shop: Receiver, message_id: str) -> dict[str, Any]:
    found = shop.wait(
        lambda: [each for each in shop.items("statuses") if each["id"] == message_id and each["status"] == "failed"]
    )
    return dict(found[0])


def test_message_is_taken_shown_and_told_of(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    emma.say("hello")
    answer = whatsapp.send(text("Hi *Emma*", biz_opaque_callback_data="out-7"))
    message_id = sent_id(answer)
    assert answer.json()["contacts"] == [{"input": EMMA, "wa_id": "12025550101"}]
    assert emma.reply()["shown"] == {"text": "Hi *Emma*"}
    shop.wait(lambda: shop.statuses(message_id) == ["sent", "delivered"])
    emma.read()
    shop.wait(lambda: shop.statuses(message_id) == ["sent", "delivered", "read"])
    first = next(each for each in shop.items("statuses") if each["id"] == message_id)
    assert first["biz_opaque_callback_data"] == "out-7"
    assert (first["recipient_id"], first["recipient_user_id"]) == ("12025550101", emma.state["user_id"])
    assert first["pricing"]["type"] == "free_customer_service"


def test_free_text_after_24_hours_is_taken_and_then_fails(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    emma.say("hello")
    whatsapp.advance(hours=23.9)
    assert "delivered" in emma.wait_for(sent_id(whatsapp.send(text())), "delivered")["statuses"]
    whatsapp.advance(hours=0.2)
    assert emma.state["is_open"] is False
    failed = failure(shop, sent_id(whatsapp.send(text())))
    assert failed["errors"][0]["code"] == 131047
    assert "recipient_user_id" not in failed  # sent to a phone
    emma.wait_for(sent_id(whatsapp.send(template("order_shipped", "10234", "Friday"))), "delivered")


def test_message_to_nobody_is_taken_and_then_fails(whatsapp: Simulator, shop: Receiver) -> None:
    failed = failure(shop, sent_id(whatsapp.send({**text(), "to": "+12025550177"})))
    assert failed["errors"][0]["code"] == 131026
    assert failed["recipient_id"] == "12025550177"


def test_pair_limit_is_45_at_once_and_then_one_in_six_seconds(whatsapp: Simulator, emma: Person) -> None:
    emma.say("hello")
    assert [whatsapp.send(text()).status_code for _ in range(45)] == [200] * 45
    refused = whatsapp.send(text())
    assert (refused.status_code, code(refused)) == (400, 131056)
    whatsapp.advance(seconds=6)
    assert whatsapp.send(text()).status_code == 200
    assert code(whatsapp.send(text())) == 131056
    assert whatsapp.send({**text(), "to": "+34600000001"}).status_code == 200


def test_number_takes_so_many_a_second(whatsapp: Simulator, emma: Person) -> None:
    whatsapp.control("limits", {"number": {"a_second": 3}})
    whatsapp.run_at(0.01)
    emma.say("this one counts, too")
    assert [code(each) if each.status_code != 200 else 200 for each in (whatsapp.send(text()) for _ in range(3))] == [
        200,
        200,
        130429,
    ]
    whatsapp.advance(seconds=1)
    assert whatsapp.send(text()).status_code == 200


def test_refusals_are_kept_with_their_body(whatsapp: Simulator, emma: Person) -> None:
    wrong = {"to": EMMA, "type": "text", "text": {"body": "a" * 4097}}
    assert code(whatsapp.send(wrong)) == 131009
    assert whatsapp.state()["counts"]["refused"] == 1
    refused = whatsapp.refused[0]
    assert refused["body"]["text"] == wrong["text"]
    assert (refused["shopper"], refused["error"]["code"]) == (emma.key, 131009)


@pytest.mark.parametrize(
    ("sent", "refused_with"),
    [
        (template("hello_world", language="en_US"), 200),
        (template("order_shipped", "10234", "Friday"), 200),
        (template("order_shipped", "10234"), 132000),
        (template("no_such_template"), 132001),
        (template("order_shipped", "10234", "fredag", language="nb"), 132001),
        (template("free_money", "a", "b"), 132001),
        (template("new_offer"), 132001),
        (template("winter_offer"), 132015),
        (template("old_offer"), 132016),
        (template("autumn_offer", "Aurora", "20%"), 100),  # its parameters have names
    ],
)
def test_template_has_to_be_approved_and_filled_in(whatsapp: Simulator, sent: dict[str, Any], refused_with: int) -> None:
    answer = whatsapp.send(sent)
    assert (answer.status_code if answer.status_code == 200 else code(answer)) == refused_with


def test_template_with_named_parameters_is_shown_filled_in(whatsapp: Simulator, emma: Person) -> None:
    given = [{"type": "text", "parameter_name": name, "text": value} for name, value in (("percent", "20%"), ("shop", "Aurora"))]
    body = template("autumn_offer")
    body["template"]["components"] = [{"type": "body", "parameters": given}]
    sent_id(whatsapp.send(body))
    assert emma.reply()["shown"]["text"] == "Autumn at Aurora: 20% off until Sunday."


def test_marketing_fails_once_it_was_stopped(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    whatsapp.control(f"shoppers/{emma.key}/preferences", {"value": "stop"})
    whatsapp.control(
        "templates", {"name": "sale", "language": "en", "category": "MARKETING", "components": [{"type": "BODY", "text": "Sale"}]}
    )
    assert failure(shop, sent_id(whatsapp.send(template("sale"))))["errors"][0]["code"] == 131050


def test_templates_are_listed_page_by_page(whatsapp: Simulator) -> None:
    names: list[str] = []
    answer = whatsapp.graph("GET", f"{BUSINESS_ACCOUNT_ID}/message_templates", params={"limit": "4", "fields": "name,status"})
    while True:
        names += [each["name"] for each in answer.json()["data"]]
        follow = answer.json().get("paging", {}).get("next")
        if follow is None:
            break
        answer = whatsapp.client.get(follow, headers={"Authorization": "Bearer access-token-of-tests"})
        assert set(answer.json()["data"][0]) == {"name", "status", "id"}
    assert len(names) == len(whatsapp.graph("GET", f"{BUSINESS_ACCOUNT_ID}/message_templates").json()["data"])
    assert names.count("order_shipped") == 2
    only = whatsapp.graph("GET", f"{BUSINESS_ACCOUNT_ID}/message_templates", params={"status": "PAUSED"}).json()["data"]
    assert [each["name"] for each in only] == ["winter_offer"]


def test_file_is_uploaded_described_and_downloaded_with_the_token(whatsapp: Simulator, emma: Person) -> None:
    media_id = upload(whatsapp, PNG, "image/png").json()["id"]
    told = whatsapp.graph("GET", media_id).json()
    assert (told["mime_type"], told["file_size"], len(told["sha256"])) == ("image/png", len(PNG), 64)
    assert whatsapp.client.get(told["url"]).status_code == 401
    opened = {"Authorization": "Bearer access-token-of-tests"}
    assert whatsapp.client.get(told["url"], headers=opened).content == PNG
    whatsapp.advance(seconds=301)
    assert whatsapp.client.get(told["url"], headers=opened).status_code == 404
    emma.say("hello")
    sent_id(whatsapp.send({"to": EMMA, "type": "image", "image": {"id": media_id, "caption": "Look"}}))
    assert emma.reply()["shown"] == {
        "media": {"kind": "image", "url": f"/_simulator/files/{media_id}", "name": ""},
        "text": "Look",
    }
    whatsapp.advance(hours=30 * 24)
    gone = whatsapp.graph("GET", media_id)
    assert (gone.status_code, code(gone), gone.json()["error"]["error_subcode"]) == (400, 100, 33)
    refused = whatsapp.send({"to": EMMA, "type": "image", "image": {"id": media_id}})
    assert "image['id']" in refused.json()["error"]["error_data"]["details"]


def upload(whatsapp: Simulator, content: bytes, declared: str) -> httpx.Response:
    form = {"messaging_product": "whatsapp", "type": declared}
    return whatsapp.graph("POST", f"{PHONE_NUMBER_ID}/media", data=form, files={"file": ("a", content, declared)})


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (PNG, "image/jpeg"),
        (b"<html>", "text/html"),
        (PNG + bytes(5 * 1024 * 1024), "image/png"),
        (b"RIFF0000WEBP" + bytes(500 * 1024), "image/webp"),
        (b"no pdf", "application/pdf"),
        (b"", "text/plain"),
    ],
    ids=["another type", "unknown type", "large picture", "large sticker", "no pdf", "empty"],
)
def test_file_of_the_wrong_type_or_size_is_refused(whatsapp: Simulator, content: bytes, declared: str) -> None:
    refused = upload(whatsapp, content, declared)
    assert (refused.status_code, code(refused)) == (400, 131053)


def test_deleted_file_is_gone(whatsapp: Simulator) -> None:
    media_id = upload(whatsapp, b"%PDF-1.4", "application/pdf").json()["id"]
    assert whatsapp.graph("DELETE", media_id).json() == {"success": True}
    assert whatsapp.graph("GET", media_id).status_code == 400


def test_picture_that_cannot_be_fetched_fails_later(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    emma.say("hello")
    gone = sent_id(whatsapp.send({"to": EMMA, "type": "image", "image": {"link": f"{whatsapp.url}/nothing.png"}}))
    assert failure(shop, gone)["errors"][0]["code"] == 131053
    elsewhere = sent_id(whatsapp.send({"to": EMMA, "type": "image", "image": {"link": "https://shop.example/a.png"}}))
    assert emma.wait_for(elsewhere, "delivered")["remarks"] == [
        "Not fetched, since it is not on this machine: https://shop.example/a.png"
    ]


def test_read_receipt_marks_earlier_messages_and_shows_typing(whatsapp: Simulator, emma: Person) -> None:
    first, second = emma.say("one"), emma.say("two")
    mark = {"status": "read", "message_id": second["id"], "typing_indicator": {"type": "text"}}
    assert whatsapp.send(mark).json() == {"success": True}
    assert all("read" in emma.entry(each["id"])["statuses"] for each in (first, second))
    assert emma.state["shop_types"] is True
    whatsapp.advance(seconds=25)
    assert emma.state["shop_types"] is False
    assert code(whatsapp.send({**mark, "message_id": "wamid.unknown"})) == 131009


def test_typing_ends_with_the_reply(whatsapp: Simulator, emma: Person) -> None:
    said = emma.say("one")
    whatsapp.send({"status": "read", "message_id": said["id"], "typing_indicator": {"type": "text"}})
    whatsapp.send(text())
    assert emma.state["shop_types"] is False


def test_token_is_needed_and_can_expire(whatsapp: Simulator) -> None:
    wrong = whatsapp.graph(
        "POST", f"{PHONE_NUMBER_ID}/messages", token="another", json={"messaging_product": "whatsapp", **text()}
    )
    assert (wrong.status_code, code(wrong)) == (401, 190)
    whatsapp.control("token", {"has_expired": True})
    expired = whatsapp.send(text())
    assert (expired.status_code, code(expired), expired.json()["error"]["error_subcode"]) == (401, 190, 463)
    whatsapp.control("token", {"has_expired": False})
    assert whatsapp.send(text()).status_code == 200
    told = whatsapp.graph("GET", "debug_token", params={"input_token": "another"}).json()
    assert told == {"data": {"is_valid": False}}


def test_number_and_account_can_be_asked_for(whatsapp: Simulator) -> None:
    assert whatsapp.graph("GET", PHONE_NUMBER_ID, params={"fields": "display_phone_number,quality_rating"}).json() == {
        "display_phone_number": "15550001234",
        "quality_rating": "GREEN",
        "id": PHONE_NUMBER_ID,
    }
    assert whatsapp.graph("GET", f"{BUSINESS_ACCOUNT_ID}/phone_numbers").json()["data"][0]["id"] == PHONE_NUMBER_ID
    other = whatsapp.graph("POST", "999/messages", json={"messaging_product": "whatsapp", **text()})
    assert (code(other), other.json()["error"]["error_subcode"]) == (100, 33)
    ended = whatsapp.client.get(
        f"{whatsapp.url}/v20.0/{PHONE_NUMBER_ID}", headers={"Authorization": "Bearer access-token-of-tests"}
    )
    assert ended.status_code == 400


def test_next_sends_fail_as_asked(whatsapp: Simulator, emma: Person) -> None:
    emma.say("hello")
    whatsapp.fault("send", code=130429, http_status=429, times=2, retry_after=3)
    for _ in range(2):
        refused = whatsapp.send(text())
        assert (refused.status_code, code(refused), refused.headers["retry-after"]) == (429, 130429, "3")
    assert whatsapp.send(text()).status_code == 200
    whatsapp.fault("send", effect="page")
    page = whatsapp.send(text())
    assert (page.status_code, page.headers["content-type"][:9]) == (502, "text/html")
    assert whatsapp.state()["counts"] == {"accepted": 1, "refused": 0, "faults": 3, "received": 1, "marked": 0}


def test_fault_can_be_for_one_shopper(whatsapp: Simulator) -> None:
    whatsapp.fault("send", code=131056, to="34600000001")
    assert whatsapp.send(text()).status_code == 200
    assert code(whatsapp.send({**text(), "to": "+34600000001"})) == 131056


HANGS = 1.5  # seconds: on a busy machine another end of the connection takes a while, too


@pytest.mark.parametrize("accepts", [False, True])
@pytest.mark.parametrize("effect", ["hang", "disconnect"])
def test_answer_is_lost_before_or_after_the_message_was_taken(
    whatsapp: Simulator, shop: Receiver, emma: Person, effect: str, accepts: bool
) -> None:
    emma.say("hello")
    whatsapp.fault("send", effect=effect, accepts=accepts, seconds=HANGS)
    begun = time.monotonic()
    with pytest.raises(httpx.TransportError):
        whatsapp.send(text(biz_opaque_callback_data="out-1"))
    assert (time.monotonic() - begun >= HANGS) == (effect == "hang")
    if accepts:
        message_id = emma.reply()["id"]
        shop.wait(lambda: shop.statuses(message_id) == ["sent", "delivered"])
        assert shop.items("statuses")[0]["biz_opaque_callback_data"] == "out-1"
    assert whatsapp.state()["counts"]["accepted"] == int(accepts)


def test_message_can_fail_later_with_any_code(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    emma.say("hello")
    whatsapp.fault("later", code=130472)
    assert failure(shop, sent_id(whatsapp.send(text())))["errors"][0]["code"] == 130472
    emma.wait_for(sent_id(whatsapp.send(text())), "delivered")


def test_file_can_be_missing_for_a_while(whatsapp: Simulator) -> None:
    media_id = upload(whatsapp, PNG, "image/png").json()["id"]
    whatsapp.fault("media", hop="descriptor", http_status=404)
    assert [whatsapp.graph("GET", media_id).status_code for _ in range(2)] == [404, 200]


def test_wrong_fault_is_told(whatsapp: Simulator) -> None:
    for asked in ({"kind": "rain"}, {"kind": "send", "colour": "red"}, {"kind": "send", "effect": "explode"}):
        answer = whatsapp.client.post(f"{whatsapp.url}/_simulator/faults", json=asked)
        assert answer.status_code == 400
        assert answer.json()["error"]


def test_statuses_are_lost_doubled_and_shuffled(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    emma.say("hello")
    whatsapp.control("statuses", {"lost": ["sent"], "is_doubled": True})
    message_id = sent_id(whatsapp.send(text()))
    shop.wait(lambda: shop.statuses(message_id) == ["delivered", "delivered"])
    whatsapp.control("statuses", {"lost": [], "is_doubled": False, "is_shuffled": True, "read": "at_once"})
    shuffled = sent_id(whatsapp.send(text()))
    shop.wait(lambda: len(shop.statuses(shuffled)) == 3)
    assert shop.statuses(shuffled) != ["sent", "delivered", "read"]
    assert sorted(shop.statuses(shuffled)) == ["delivered", "read", "sent"]


def test_delivered_may_be_left_out_and_come_late(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    emma.say("hello")
    whatsapp.control("statuses", {"read": "at_once", "skip_delivered": True})
    message_id = sent_id(whatsapp.send(text()))
    shop.wait(lambda: shop.statuses(message_id) == ["sent", "read"])
    whatsapp.control("statuses", {"late": 3600, "read": "when_seen"})
    late = sent_id(whatsapp.send(text()))
    emma.wait_for(late, "delivered")
    assert shop.statuses(late) == []
    whatsapp.advance(hours=1)
    shop.wait(lambda: shop.statuses(late) == ["sent", "delivered"])


def test_phone_that_is_off_gets_its_messages_when_it_is_on(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    emma.say("hello")
    emma.change(is_online=False)
    message_id = sent_id(whatsapp.send(text()))
    shop.wait(lambda: shop.statuses(message_id) == ["sent"])
    time.sleep(0.3)
    assert shop.statuses(message_id) == ["sent"]
    emma.change(is_online=True)
    shop.wait(lambda: shop.statuses(message_id) == ["sent", "delivered"])


def test_reaction_stands_at_its_message_and_is_only_sent(whatsapp: Simulator, shop: Receiver, emma: Person) -> None:
    said = emma.say("thanks")
    message_id = sent_id(whatsapp.send({"to": EMMA, "type": "reaction", "reaction": {"message_id": said["id"], "emoji": "👍"}}))
    assert emma.entry(said["id"])["reactions"] == {"shop": "👍"}
    emma.read()
    time.sleep(0.4)
    assert shop.statuses(message_id) == ["sent"]


def test_number_is_one_person_however_it_is_written(whatsapp: Simulator) -> None:
    for to in ("+525555010001", "+5215555010001", "5215555010001"):
        answer = whatsapp.send({**text(), "to": to})
        assert answer.json()["contacts"] == [{"input": to, "wa_id": "5215555010001"}]
    ana = whatsapp.person("+525555010001")
    assert ana.entries[-1]["remarks"] == ["`to` has no +: WhatsApp may put your own country code before it."]


def test_only_this_machine_and_this_page_may_ask(whatsapp: Simulator) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert whatsapp.client.get(f"{whatsapp.url}/_simulator/state?wait=0", headers=headers).status_code == 403
