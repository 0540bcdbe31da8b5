"""What Meta would refuse is known before it is sent, in words."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.whatsapp.limits import excess


def reply(*buttons: tuple[str, str]) -> dict[str, Any]:
    action = {"buttons": [{"type": "reply", "reply": {"id": id_, "title": title}} for id_, title in buttons]}
    return {"type": "interactive", "interactive": {"type": "button", "body": {"text": "x"}, "action": action}}


def listed(*sections: dict[str, Any], button: str = "Choose", **more: Any) -> dict[str, Any]:
    action = {"button": button, "sections": list(sections)}
    return {"type": "interactive", "interactive": {"type": "list", "body": {"text": "x"}, "action": action, **more}}


def rows(count: int, first: int = 0) -> list[dict[str, str]]:
    return [{"id": str(number), "title": f"Row {number}"} for number in range(first, first + count)]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "text", "text": {"body": "x" * 4096}},
        {"type": "text", "text": {"body": "👍" * 2048}},
        {"type": "image", "image": {"link": "x", "caption": "x" * 1024}},
        reply(("a" * 256, "x" * 20), ("b", "y"), ("c", "z")),
        listed({"rows": rows(10)}),
        listed({"title": "x" * 24, "rows": rows(5)}, {"title": "y", "rows": rows(5, 5)}),
        listed({"rows": [{"id": "a" * 200, "title": "x" * 24, "description": "x" * 72}]}, button="x" * 20),
    ],
)
def test_what_just_fits(message: dict[str, Any]) -> None:
    assert list(excess(message)) == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"type": "text", "text": {"body": "x" * 4097}}, "text.body has 4097 characters, 1 too many"),
        ({"type": "text", "text": {"body": "👍" * 2049}}, "text.body has 4098 characters, 2 too many"),
        ({"type": "text", "text": {"body": " \n"}}, "text.body is empty"),
        (
            {"type": "document", "document": {"id": "1", "caption": "x" * 1025}},
            "document.caption has 1025 characters, 1 too many",
        ),
        ({"type": "contacts", "contacts": [{}] * 6}, "6 contacts"),
        (reply(), "0 buttons"),
        (reply(("a", "x"), ("b", "y"), ("c", "z"), ("d", "w")), "4 buttons"),
        (reply(("a", "x" * 21)), "button has 21 characters, 1 too many"),
        (reply(("a" * 257, "x")), "button id has 257 characters, 1 too many"),
        (reply(("a", " x")), "button begins or ends with a blank: ' x'"),
        (reply(("a", "x"), ("a", "y")), "button id 'a' 2 times"),
        (reply(("a", "Yes"), ("b", "yes")), "button title 'yes' 2 times"),
        (listed({"rows": rows(11)}), "11 rows"),
        (listed({"title": "x", "rows": rows(6)}, {"title": "y", "rows": rows(6, 6)}), "12 rows"),
        (listed({"title": "x", "rows": rows(1)}, {"rows": rows(1, 1)}), "section is empty"),
        (listed({"title": "x" * 25, "rows": rows(1)}), "section has 25 characters, 1 too many"),
        (listed({"title": "x", "rows": rows(2)}, {"title": "y", "rows": []}), "2 rows"),
        (listed({"title": "x", "rows": rows(1)}, {"title": "y", "rows": rows(1)}), "row id '0' 2 times"),
        (listed({"rows": [{"id": "a", "title": "x" * 25}]}), "row has 25 characters, 1 too many"),
        (listed({"rows": [{"id": "a" * 201, "title": "x"}]}), "row id has 201 characters, 1 too many"),
        (listed({"rows": [{"id": "a", "title": "x", "description": "x" * 73}]}), "description has 73 characters, 1 too many"),
        (listed({"rows": rows(1)}, button="x" * 21), "button has 21 characters, 1 too many"),
        (listed({"rows": rows(1)}, header={"type": "text", "text": "x" * 61}), "header has 61 characters, 1 too many"),
        (listed({"rows": rows(1)}, footer={"text": "x" * 61}), "footer has 61 characters, 1 too many"),
        (listed({"rows": rows(1)}, body={"text": "x" * 1025}), "body has 1025 characters, 1 too many"),
    ],
)
def test_what_does_not_fit(message: dict[str, Any], said: str) -> None:
    assert said in list(excess(message))
