"""Every limit of a send: what just fits is taken, what is one more is refused, in Meta's words."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tendero.simulator.checks import read
from tendero.simulator.checks.message import read_mark
from tendero.simulator.errors import GraphError

SAMPLES = os.environ.get("TENDERO_WHATSAPP_SAMPLES")
# What Meta's own samples have wrong: a list without its `type`, and a quick reply with a text that is `true`.
WRONG_SAMPLES = {"send_reply_to_list_message.json", "send_sample_issue_resolution_template.json"}
PICTURE = {"type": "image", "image": {"link": "https://shop.example/a.png"}}

Body = dict[str, Any]


def of(kind: str, content: Any, **more: Any) -> Body:
    return {"messaging_product": "whatsapp", "to": "+12025550101", "type": kind, kind: content, **more}


def interactive(kind: str, action: Body, body: str | None = "Which one?", **more: Any) -> Body:
    words = {"body": {"text": body}} if body is not None else {}
    return of("interactive", {"type": kind, **words, "action": action, **more})


def buttons(count: int = 1, title: str = "Yes", id: str = "yes", **more: Any) -> Body:
    rows = [{"type": "reply", "reply": {"id": f"{id}{place or ''}", "title": f"{title}{place or ''}"}} for place in range(count)]
    return interactive("button", {"buttons": rows}, **more)


def rows(count: int = 1, **more: Any) -> list[Body]:
    return [{"id": f"r{place}", "title": f"Row {place}", **more} for place in range(count)]


def listed(sections: list[Body], button: str = "Choose", **more: Any) -> Body:
    return interactive("list", {"button": button, "sections": sections}, **more)


def products(*counts: int, header: Body | None = None) -> Body:
    sections = [
        {"title": f"S{place}", "product_items": [{"product_retailer_id": f"sku-{place}-{item}"} for item in range(count)]}
        for place, count in enumerate(counts)
    ]
    return interactive(
        "product_list", {"catalog_id": "1", "sections": sections}, header=header or {"type": "text", "text": "Ours"}
    )


def cards(count: int, text: str = "One", **more: Any) -> Body:
    action = {"name": "cta_url", "parameters": {"display_text": "Look", "url": "https://shop.example/"}}
    card = {"type": "cta_url", "header": PICTURE, "body": {"text": text}, "action": action, **more}
    return interactive("carousel", {"cards": [{"card_index": place, **card} for place in range(count)]})


def link(display: str = "Look", url: str = "https://shop.example/") -> Body:
    return interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": display, "url": url}})


def flow(**parameters: Any) -> Body:
    known = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Open", **parameters}
    return interactive(
        "flow", {"name": "flow", "parameters": {name: value for name, value in known.items() if value is not None}}
    )


def template(*components: Body, name: str = "hello_world") -> Body:
    return of("template", {"name": name, "language": {"code": "en_US"}, "components": list(components)})


def template_button(index: Any = 0, kind: str = "quick_reply", **parameter: Any) -> Body:
    given = parameter or {"type": "payload", "payload": "x"}
    return {"type": "button", "sub_type": kind, "index": index, "parameters": [given]}


def payment(total: int = 1100, reference: str = "order-1", **order: Any) -> Body:
    amount = lambda value: {"value": value, "offset": 100}  # noqa: E731
    item = {"retailer_id": "1", "name": "bread", "amount": amount(500), "quantity": 2}
    known = {"status": "pending", "items": [item], "subtotal": amount(1000), "tax": amount(50), "shipping": amount(50)} | order
    parameters = {
        "reference_id": reference, "type": "physical-goods", "currency": "BRL", "total_amount": amount(total), "order": known,
    }  # fmt: skip
    return interactive("order_details", {"name": "review_and_pay", "parameters": parameters})


PERSON = {"name": {"formatted_name": "Ana", "first_name": "Ana"}, "phones": [{"phone": "+12025550101"}]}

# (what, a body that just fits, one that does not, the code that refuses it)
LIMITS: list[tuple[str, Body, Body, int]] = [
    ("text", of("text", {"body": "a" * 4096}), of("text", {"body": "a" * 4097}), 131009),
    ("text counts code points", of("text", {"body": "🧣" * 4096}), of("text", {"body": "🧣" * 4097}), 131009),
    ("empty text", of("text", {"body": "a"}), of("text", {"body": " \n"}), 131008),
    ("text's own fields", of("text", {"body": "a", "preview_url": True}), of("text", {"body": "a", "preview": True}), 100),
    ("preview is a boolean", of("text", {"body": "a", "preview_url": False}),
     of("text", {"body": "a", "preview_url": "no"}), 100),
    ("type", of("text", {"body": "a"}), of("poll", {}), 100),
    ("product", of("text", {"body": "a"}), of("text", {"body": "a"}, messaging_product="telegram"), 100),
    ("recipient type", of("text", {"body": "a"}, recipient_type="individual"),
     of("text", {"body": "a"}, recipient_type="all"), 100),
    ("opaque data", of("text", {"body": "a"}, biz_opaque_callback_data="a" * 512),
     of("text", {"body": "a"}, biz_opaque_callback_data="a" * 513), 131009),
    ("reply", of("text", {"body": "a"}, context={"message_id": "wamid.1"}), of("text", {"body": "a"}, context={}), 131008),
    ("unknown field", of("text", {"body": "a"}), of("text", {"body": "a"}, contxt={"message_id": "wamid.1"}), 100),
    ("user id", of("text", {"body": "a"}, to=None, recipient="US.1349120865"),
     of("text", {"body": "a"}, to=None, recipient="1349120865"), 131009),
    ("to or recipient", of("text", {"body": "a"}), of("text", {"body": "a"}, to=None), 131008),
    ("to is a number", of("text", {"body": "a"}, to="+1 (202) 555-0101"), of("text", {"body": "a"}, to="emma"), 131009),
    ("caption", of("image", {"id": "1", "caption": "a" * 1024}), of("image", {"id": "1", "caption": "a" * 1025}), 131009),
    ("id or link", of("image", {"id": "1"}), of("image", {"id": "1", "link": "https://shop.example/a.png"}), 131009),
    ("link", of("image", {"link": "https://shop.example/a.png"}), of("image", {"link": "/a.png"}), 131009),
    ("sound has no caption", of("audio", {"id": "1", "voice": True}), of("audio", {"id": "1", "caption": "a"}), 100),
    ("file name", of("document", {"id": "1", "filename": "a.pdf"}), of("image", {"id": "1", "filename": "a.png"}), 100),
    ("latitude", of("location", {"latitude": "90", "longitude": -180}),
     of("location", {"latitude": 90.1, "longitude": 0}), 131009),
    ("contacts", of("contacts", [PERSON] * 5), of("contacts", [PERSON] * 6), 131009),
    ("contact's name", of("contacts", [PERSON]), of("contacts", [{"name": {"formatted_name": "Ana"}}]), 131009),
    ("reaction", of("reaction", {"message_id": "wamid.1", "emoji": ""}),
     of("reaction", {"message_id": "wamid.1", "emoji": "ok"}), 131009),
    ("reaction is no reply", of("reaction", {"message_id": "wamid.1", "emoji": "👍"}),
     of("reaction", {"message_id": "wamid.1", "emoji": "👍"}, context={"message_id": "wamid.1"}), 131009),
    ("buttons", buttons(3), buttons(4), 131009),
    ("no buttons", buttons(1), buttons(0), 131009),
    ("button title", buttons(title="a" * 20), buttons(title="a" * 21), 131009),
    ("button id", buttons(id="a" * 256), buttons(id="a" * 257), 131009),
    ("button id's edges", buttons(id="a b"), buttons(id=" a"), 131009),
    ("body of buttons", buttons(body="a" * 1024), buttons(body="a" * 1025), 131009),
    ("body is needed", buttons(), buttons(body=None), 131008),
    ("header", buttons(header={"type": "text", "text": "a" * 60}), buttons(header={"type": "text", "text": "a" * 61}), 131009),
    ("header's picture", buttons(header=PICTURE), buttons(header={"type": "image", "text": "a"}), 100),
    ("header's kind", buttons(header=PICTURE), buttons(header={"type": "sticker", "sticker": {"id": "1"}}), 100),
    ("footer", buttons(footer={"text": "a" * 60}), buttons(footer={"text": "a" * 61}), 131009),
    ("rows", listed([{"rows": rows(10)}]), listed([{"rows": rows(11)}]), 131009),
    ("rows in all", listed([{"title": "A", "rows": rows(9)}, {"title": "B", "rows": [{"id": "x", "title": "x"}]}]),
     listed([{"title": "A", "rows": rows(9)}, {"title": "B", "rows": [{"id": name, "title": name} for name in "xy"]}]), 131009),
    ("row ids differ", listed([{"rows": rows(2)}]), listed([{"rows": rows(1) * 2}]), 131009),
    ("row id", listed([{"rows": [{"id": "a" * 200, "title": "a"}]}]),
     listed([{"rows": [{"id": "a" * 201, "title": "a"}]}]), 131009),
    ("row title", listed([{"rows": [{"id": "a", "title": "a" * 24}]}]),
     listed([{"rows": [{"id": "a", "title": "a" * 25}]}]), 131009),
    ("row description", listed([{"rows": rows(1, description="a" * 72)}]),
     listed([{"rows": rows(1, description="a" * 73)}]), 131009),
    ("section title", listed([{"title": "a" * 24, "rows": rows()}]), listed([{"title": "a" * 25, "rows": rows()}]), 131009),
    ("titles of two sections", listed([{"title": "A", "rows": rows()}, {"title": "B", "rows": [{"id": "x", "title": "x"}]}]),
     listed([{"title": "A", "rows": rows()}, {"rows": [{"id": "x", "title": "x"}]}]), 131008),
    ("list button", listed([{"rows": rows()}], "a" * 20), listed([{"rows": rows()}], "a" * 21), 131009),
    ("body of a list", listed([{"rows": rows()}], body="a" * 4096), listed([{"rows": rows()}], body="a" * 4097), 131009),
    ("header of a list", listed([{"rows": rows()}], header={"type": "text", "text": "a"}),
     listed([{"rows": rows()}], header=PICTURE), 100),
    ("link's title", link("a" * 20), link("a" * 21), 131009),
    ("link's address", link(), link(url="shop.example"), 131009),
    ("products in all", products(15, 15), products(15, 16), 131009),
    ("sections of products", products(*[1] * 10), products(*[1] * 11), 131009),
    ("product list's header", products(1), products(1, header=PICTURE), 100),
    ("one product", interactive("product", {"catalog_id": "1", "product_retailer_id": "a"}, None),
     interactive("product", {"catalog_id": "1", "product_retailer_id": "a"}, header={"type": "text", "text": "a"}), 131009),
    ("catalogue", interactive("catalog_message", {"name": "catalog_message"}),
     interactive("catalog_message", {"name": "catalog"}), 100),
    ("cards", cards(10), cards(11), 131009),
    ("two cards at least", cards(2), cards(1), 131009),
    ("card's text", cards(2, "a" * 160), cards(2, "a" * 161), 131009),
    ("card's lines", cards(2, "a\nb\nc"), cards(2, "a\nb\nc\nd"), 131009),
    ("carousel has no footer", cards(2),
     interactive("carousel", cards(2)["interactive"]["action"], footer={"text": "a"}), 131009),
    ("flow's version", flow(), flow(flow_message_version="2"), 100),
    ("flow's id or name", flow(flow_id=None, flow_name="a"), flow(flow_name="a"), 131009),
    ("flow's button", flow(flow_cta="a" * 30), flow(flow_cta="a" * 31), 131009),
    ("location request", interactive("location_request_message", {"name": "send_location"}),
     interactive("location_request_message", {"name": "request_location"}), 100),
    ("address in India only", interactive("address_message", {"name": "address_message", "parameters": {"country": "IN"}}),
     interactive("address_message", {"name": "address_message", "parameters": {"country": "MX"}}), 100),
    ("contact request", interactive("contact_request", {"name": "request_contact_info"}),
     interactive("contact_request", {"name": "send_location"}), 100),
    ("kind of interactive", buttons(), interactive("poll", {}), 100),
    ("total of an order", payment(1100), payment(1101), 2040),
    ("reference of an order", payment(reference="a" * 60), payment(reference="a" * 61), 131009),
    ("signs in a reference", payment(reference="a.b_c-1"), payment(reference="a b"), 131009),
    ("status of an order to pay", payment(), payment(status="shipped"), 100),
    ("template's name", template(name="a" * 512), template(name="a" * 513), 131009),
    ("signs in a template's name", template(name="a_1"), template(name="A-1"), 131009),
    ("template's buttons", template(*[template_button(place) for place in range(10)]), template(template_button(10)), 131009),
    ("a button twice", template(template_button(0), template_button("1")),
     template(template_button(0), template_button("0")), 131009),
    ("quick reply", template(template_button()), template(template_button(type="text", text="x")), 131009),
    ("copy code", template(template_button(kind="copy_code", type="coupon_code", coupon_code="a" * 20)),
     template(template_button(kind="copy_code", type="coupon_code", coupon_code="a" * 21)), 131009),
]  # fmt: skip


@pytest.mark.parametrize(("fits", "is_too_much", "code"), [each[1:] for each in LIMITS], ids=[each[0] for each in LIMITS])
def test_limit(fits: Body, is_too_much: Body, code: int) -> None:
    read(fits)
    with pytest.raises(GraphError) as refusal:
        read(is_too_much)
    assert refusal.value.code == code


def test_error_has_metas_shape_and_says_where() -> None:
    with pytest.raises(GraphError) as refusal:
        read(buttons(title="a" * 21))
    assert refusal.value.http_status == 400
    assert refusal.value.to_json("A1") == {
        "error": {
            "message": "(#131009) Parameter value is not valid",
            "type": "OAuthException",
            "code": 131009,
            "error_data": {
                "messaging_product": "whatsapp",
                "details": "interactive['action']['buttons'][0]['reply']['title'] has length 21. Min length: 1, Max length: 20.",
            },
            "fbtrace_id": "A1",
        }
    }


@pytest.mark.parametrize(
    "body", [[], "text", None, 7, {}, {"messaging_product": "whatsapp", "to": "+1", "type": "text", "text": []}]
)
def test_whatever_is_sent_is_refused_in_metas_words(body: Any) -> None:
    with pytest.raises(GraphError):
        read(body)


@pytest.mark.parametrize("of_what", LIMITS, ids=[each[0] for each in LIMITS])
def test_any_field_may_be_missing_or_of_another_kind(of_what: tuple[str, Body, Body, int]) -> None:
    """Nothing but GraphError, whatever stands in a body's place."""
    for place in _places(of_what[1]):
        for value in (None, [], {}, "", 7, True, [[]], [None], "x"):
            changed = copy.deepcopy(of_what[1])
            _put(changed, place, value)
            try:
                read(changed)
            except GraphError:
                continue


def test_read_receipt_has_an_id_and_perhaps_typing() -> None:
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}
    assert read_mark(mark) == ("wamid.1", False)
    assert read_mark({**mark, "typing_indicator": {"type": "text"}}) == ("wamid.1", True)
    for wrong in ({"typing_indicator": {"type": "voice"}}, {"status": "delivered"}, {"message_id": None}, {"to": "+1"}):
        with pytest.raises(GraphError):
            read_mark({**mark, **wrong})


@pytest.mark.skipif(SAMPLES is None, reason="TENDERO_WHATSAPP_SAMPLES is not set")
def test_metas_own_samples_are_taken() -> None:
    files = sorted((Path(str(SAMPLES)) / "webhooks" / "meta-openapi" / "outbound").glob("*.json"))
    assert len(files) > 40
    refused = {}
    for file in files:
        body = json.loads(_filled_in(file.read_text()))
        reader: Callable[[Any], Any] = read_mark if "status" in body else read
        try:
            reader(body)
        except GraphError as error:
            refused[file.name] = str(error)
    assert set(refused) == WRONG_SAMPLES, refused


def _filled_in(text: str) -> str:
    """What Meta leaves open in its samples."""
    text = text.replace("<HEADER_TYPE>", "text").replace("{{Flow-Name}}", "a").replace("{{Flow-ID}}", "1")
    text = re.sub(r"\{\{[^}]*Phone[^}]*\}\}", "+12025550101", text)
    text = re.sub(r'"(template-name|<TEMPLATE_NAME>)"', '"template_name"', text)
    return re.sub(r'"(<?http\(s\)[^"]*|<DOCUMENT-URL>)"', '"https://shop.example/file"', text)


def _places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in list(inner)[:3] for place in [(*before, key), *_places(each, (*before, key))]]


def _put(target: Any, place: tuple[Any, ...], value: Any) -> None:
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
