"""Each part of a reply, as the protocol shows it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from bot.channels.webchat.shown import choices, parts, shown
from messaging.models import ChatEntry

AT = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)

SHOWN: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "text": ({"text": "Hi <b>"}, [{"kind": "text", "text": "Hi <b>"}]),
    "picture": (
        {"text": "A shirt", "image": "https://shop.example/a.png"},
        [{"kind": "picture", "url": "https://shop.example/a.png", "text": "A shirt"}],
    ),
    "our picture": ({"image": "/static/a.png"}, [{"kind": "picture", "url": "signed:/static/a.png"}]),
    "document": (
        {"text": "Label", "attachment": {"type": "document", "payload": {"src": "labels/1.pdf", "name": "label.pdf"}}},
        [{"kind": "file", "url": "signed:labels/1.pdf", "name": "label.pdf", "text": "Label"}],
    ),
    "nameless document": (
        {"attachment": "labels/1.pdf?x=1"},
        [{"kind": "file", "url": "signed:labels/1.pdf?x=1", "name": "1.pdf"}],
    ),
    "choices": (
        {
            "text": "Which?",
            "image": "/static/a.png",
            "buttons": [{"title": "A", "payload": "/a"}, {"title": "B", "payload": "/b", "description": "b", "section": "S"}],
            "custom": {"header": "H", "footer": "F"},
        },
        [
            {
                "kind": "choices",
                "text": "Which?",
                "picture": "signed:/static/a.png",
                "header": "H",
                "footer": "F",
                "choices": [{"index": 0, "title": "A"}, {"index": 1, "title": "B", "description": "b", "section": "S"}],
            }
        ],
    ),
    "choices beside cards": (
        {
            "text": "Or?",
            "buttons": [{"title": "None", "payload": "/n"}],
            "elements": [{"title": "S", "buttons": [{"title": "T"}]}],
        },
        [
            {"kind": "cards", "cards": [{"text": "S", "choices": [{"index": 0, "title": "T"}], "links": []}]},
            {"kind": "choices", "text": "Or?", "choices": [{"index": 1, "title": "None"}]},
        ],
    ),
    "link": (
        {"text": "Pay", "custom": {"link": {"title": "Pay now", "url": "https://shop.example/pay"}}},
        [{"kind": "link", "text": "Pay", "title": "Pay now", "url": "https://shop.example/pay"}],
    ),
    "script as a link": (
        {"text": "Pay", "custom": {"link": {"title": "Pay now", "url": " JavaScript:alert(1)"}}},
        [{"kind": "text", "text": "Pay"}],
    ),
    "place request": ({"text": "Where?", "custom": {"location_request": True}}, [{"kind": "place_request", "text": "Where?"}]),
    "date": (
        {"text": "When?", "custom": {"date_request": {"earliest": "2026-11-26"}}},
        [{"kind": "date", "text": "When?", "from": "2026-11-26"}],
    ),
    "rating": ({"text": "How?", "custom": {"rating_request": {"most": 5}}}, [{"kind": "rating", "text": "How?", "most": 5}]),
    "place": (
        {"custom": {"location": {"latitude": 19.4, "longitude": -99.1, "name": "Shop"}}},
        [{"kind": "place", "latitude": 19.4, "longitude": -99.1, "name": "Shop"}],
    ),
    "people": (
        {"custom": {"contacts": [{"name": "Ana", "phones": ["+34600"]}]}},
        [{"kind": "people", "people": [{"name": "Ana", "phones": ["+34600"], "emails": []}]}],
    ),
    "what only WhatsApp has": (
        {"text": "Look", "custom": {"products": {"catalogue": "7", "skus": ["A"]}}},
        [{"kind": "text", "text": "Look"}],
    ),
    "a template": ({"custom": {"template": {"name": "a", "language": "en"}}}, []),
    "what is written wrongly": ({"text": "Look", "custom": {"link": "x"}}, [{"kind": "text", "text": "Look"}]),
    "nothing": ({}, []),
}


@pytest.mark.parametrize("name", SHOWN)
def test_part_is_shown(name: str) -> None:
    content, expected = SHOWN[name]
    assert parts(content, "signed:{}".format) == expected


def test_index_of_a_choice_names_the_same_choice_that_is_taken() -> None:
    content = SHOWN["choices beside cards"][0]
    assert [choice.payload for choice in choices(content)] == ["T", "/n"]


def test_entries_of_all_who_speak() -> None:
    def entry(by: str, content: dict[str, Any]) -> dict[str, Any]:
        return shown(ChatEntry(seq=7, at=AT, by=by, content=content), str)

    head = {"seq": 7, "at": "2026-11-26T08:00:00Z"}
    assert entry("assistant", {"text": "Hi"}) == {**head, "by": "assistant", "parts": [{"kind": "text", "text": "Hi"}]}
    agents = entry("agent", {"text": "Hi", "name": "Nora"})
    assert agents == {**head, "by": "agent", "name": "Nora", "parts": [{"kind": "text", "text": "Hi"}]}
    assert entry("shop", {"event": "ended"}) == {**head, "by": "shop", "event": "ended"}
    said = {"id": "m-1", "text": "Yes", "chose": {"seq": 3, "choice": 0}}
    assert entry("shopper", said) == {**head, "by": "shopper", **said}
