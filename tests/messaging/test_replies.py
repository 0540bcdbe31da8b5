"""A reply is read into parts and written back as it was; what is not written as it has to be is told."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.replies import (
    Choice,
    Choices,
    File,
    Link,
    Media,
    ReplyError,
    Text,
    parse_reply,
    to_content,
)

SINGLE: dict[str, dict[str, Any]] = {
    "text": {"text": "Hi"},
    "picture": {"image": "https://shop.example/a.png", "text": "A shirt"},
    "document": {"text": "Label", "attachment": {"type": "document", "payload": {"src": "labels/1.pdf", "name": "label.pdf"}}},
    "voice": {"attachment": {"type": "audio", "payload": {"src": "https://shop.example/a.ogg"}}},
    "choices": {
        "text": "Which?",
        "image": "/static/a.png",
        "buttons": [{"title": "A", "payload": "/a"}, {"title": "B", "payload": "/b", "description": "b", "section": "S"}],
        "custom": {"header": "H", "footer": "F"},
    },
    "link": {"text": "Pay", "custom": {"link": {"title": "Pay now", "url": "https://shop.example/pay"}}},
    "location request": {"text": "Where?", "custom": {"location_request": True}},
    "date request": {"text": "When?", "custom": {"date_request": {"earliest": "2026-11-26", "latest": "2026-12-24"}}},
    "any date request": {"text": "When?", "custom": {"date_request": True}},
    "rating request": {"text": "How was it?", "custom": {"rating_request": {"most": 5}}},
    "products": {
        "text": "Look",
        "custom": {"products": {"catalogue": "77", "shelves": [{"title": "Shirts", "skus": ["A1", "A2"]}]}, "header": "New"},
    },
    "catalogue": {"text": "All", "custom": {"catalogue": {"sku": "A1"}}},
    "whole catalogue": {"text": "All", "custom": {"catalogue": True}},
    "flow": {
        "text": "Form",
        "custom": {"flow": {"button": "Open", "id": "9", "screen": "FIRST", "data": {"a": 1}, "token": "t"}},
    },
    "location": {"custom": {"location": {"latitude": 19.4, "longitude": -99.1, "name": "Shop", "address": "Street 1"}}},
    "contacts": {"custom": {"contacts": [{"name": "Ana Ruiz", "phones": ["+34600"], "emails": ["a@b.c"], "company": "Shop"}]}},
    "reaction": {"custom": {"reaction": {"message_id": "wamid.1", "emoji": "👍"}}},
    "cards": {
        "elements": [
            {"title": "A shirt", "image_url": "https://shop.example/a.png", "buttons": [{"title": "Take it", "payload": "/a"}]},
            {"title": "Trousers", "buttons": [{"title": "Look", "url": "https://shop.example/b"}]},
        ]
    },
    "template": {
        "custom": {
            "template": {
                "name": "shipped",
                "language": "es",
                "body": ["10206"],
                "buttons": [{"payload": "/a"}],
                "header": {"text": "x"},
            }
        }
    },
}


@pytest.mark.parametrize("content", SINGLE.values(), ids=SINGLE.keys())
def test_one_part_is_written_back_as_it_was(content: dict[str, Any]) -> None:
    [part] = parse_reply(content)
    assert to_content(part) == content


def test_picture_with_a_text_has_it_as_caption() -> None:
    content = {"text": "A shirt", "image": "https://shop.example/a.png"}
    assert parse_reply(content) == [Media("image", File("https://shop.example/a.png"), "A shirt")]


def test_what_asks_comes_last() -> None:
    label = {"type": "document", "payload": {"src": "https://shop.example/label.pdf", "name": "label.pdf"}}
    content = {"text": "Print it. Anything else?", "buttons": [{"title": "No", "payload": "/no"}], "attachment": label}
    assert parse_reply(content) == [
        Media("document", File("https://shop.example/label.pdf", "label.pdf")),
        Choices(text="Print it. Anything else?", choices=(Choice("No", "/no"),)),
    ]


def test_button_with_an_address_opens_it() -> None:
    content = {
        "text": "Pay",
        "buttons": [{"title": "Later", "payload": "/later"}, {"title": "Pay", "url": "https://shop.example"}],
    }
    assert parse_reply(content) == [
        Choices(text="Pay", choices=(Choice("Later", "/later"),)),
        Link(title="Pay", url="https://shop.example"),
    ]


def test_button_without_a_payload_says_its_title() -> None:
    [part] = parse_reply({"text": "Sure?", "quick_replies": [{"title": "Yes"}]})
    assert part == Choices(text="Sure?", choices=(Choice("Yes", "Yes"),))


@pytest.mark.parametrize(
    ("address", "kind"),
    [("https://a.example/b.pdf", "document"), ("https://a.example/b.mp4?x=1", "video"), ("https://a.example/b.jpg", "image")],
)
def test_kind_of_an_attachment_is_told_by_its_name(address: str, kind: str) -> None:
    [part] = parse_reply({"attachment": address})
    assert isinstance(part, Media)
    assert part.kind == kind


def test_what_is_kept_beside_a_reply_is_not_shown() -> None:
    content = {
        "text": "Free",
        "custom": {"source": "faq.yml", "faq": "shipping"},
        "utter_action": "utter_faq_answer",
        "link": "x",
    }
    assert parse_reply(content) == [Text("Free")]


@pytest.mark.parametrize("content", [{}, {"text": " \n"}, {"text": None, "buttons": None, "custom": {"source": "x"}}])
def test_nothing_to_show_is_no_part(content: dict[str, Any]) -> None:
    assert parse_reply(content) == []


@pytest.mark.parametrize(
    ("custom", "said"),
    [
        ({"link": {"title": "Pay"}}, "link needs a url"),
        ({"link": "https://a.example"}, "link has to be keys and values"),
        ({"location": {"latitude": "here"}}, "custom.location needs latitude and longitude, in degrees"),
        ({"location": {"latitude": 91, "longitude": 0}}, "custom.location: 91.0, 0.0 is nowhere"),
        ({"products": {"catalogue": "7"}}, "custom.products needs skus"),
        ({"products": {"skus": ["A"]}}, "products needs a catalogue"),
        ({"flow": {"button": "Open"}}, "custom.flow needs either an id or a name"),
        ({"flow": {"button": "Open", "id": "1", "name": "a"}}, "custom.flow needs either an id or a name"),
        ({"template": {"name": "shipped"}}, "template needs a language"),
        ({"contacts": [{"phones": ["1"]}]}, "contacts needs a name"),
        ({"contacts": {"name": "Ana"}}, "custom: contacts has to be a list"),
        ({"reaction": {"emoji": "👍"}}, "reaction needs a message_id"),
        ({"date_request": {"earliest": "tomorrow"}}, "date_request: earliest has to be a day like 2026-11-26"),
        ({"date_request": {"earliest": "2026-02-02", "latest": "2026-02-01"}}, "date_request: earliest is after latest"),
        ({"rating_request": {"most": 11}}, "rating_request needs most, a number from 2 to 10"),
        ({"rating_request": True}, "rating_request has to be keys and values"),
        ({"footer": ["a"], "location_request": True}, "custom: footer has to be a text"),
    ],
)
def test_what_is_written_wrongly_is_told(custom: dict[str, Any], said: str) -> None:
    with pytest.raises(ReplyError) as told:
        parse_reply({"text": "x", "custom": custom})
    assert str(told.value) == said
