"""How much of what one message may have.

From Meta's pages "Text messages", "Interactive messages" (reply buttons, lists, URL buttons, flows, locations, products), "Media"
and "Message templates" of the Cloud API, and from its OpenAPI description, v23.0. Lengths are in characters; Meta does not say
which, so texts are measured in UTF-16 units, the most there can be (texts.length). Where two pages differ, the smaller holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from bot.channels.whatsapp.texts import length

TEXT = 4096
CAPTION = 1024
BODY = 1024  # of everything with something to tap; the page on lists says 4096, the OpenAPI description 1024
HEADER = FOOTER = 60

BUTTONS = 3
BUTTON_TITLE = 20
BUTTON_ID = 256

ROWS = 10  # of a list, in all its sections together
ROW_ID = 200
ROW_TITLE = 24
ROW_DESCRIPTION = 72
SECTIONS = 10
SECTION_TITLE = 24
LIST_BUTTON = 20

LINK_TITLE = 20
FLOW_BUTTON = 30  # Meta only advises it
PRODUCTS = 30  # in all sections together
CONTACTS = 5

TEMPLATE_NAME = 512
TEMPLATE_BUTTONS = 10
TEMPLATE_CODE = 20
TEMPLATE_CARDS = 10

PICTURES = ("jpg", "jpeg", "png")  # what a picture may be

_MOST = {
    ("text", "body"): TEXT,
    **{(kind, "caption"): CAPTION for kind in ("image", "video", "document")},
}


def excess(message: Mapping[str, Any]) -> Iterator[str]:
    """What Meta would refuse in the body of a send, in words; nothing where it fits."""
    kind = str(message.get("type"))
    content = message.get(kind) or {}
    for (of, key), most in _MOST.items():
        if of == kind and key in content:
            yield from _text(f"{kind}.{key}", content[key], most)
    if kind == "interactive":
        yield from _interactive(content)
    elif kind == "contacts" and not 1 <= len(content) <= CONTACTS:
        yield f"{len(content)} contacts"
    elif kind == "template":
        yield from _template(content)


def _interactive(content: Mapping[str, Any]) -> Iterator[str]:
    kind, action = content["type"], content["action"]
    if kind != "product" or "body" in content:
        yield from _text("body", (content.get("body") or {}).get("text"), BODY)
    if "footer" in content:
        yield from _text("footer", content["footer"]["text"], FOOTER)
    header = content.get("header") or {"type": "text" if kind == "product_list" else "none"}
    if header["type"] == "text":
        yield from _text("header", header.get("text"), HEADER)
    if kind == "button":
        yield from _buttons([each["reply"] for each in action["buttons"]])
    elif kind == "list":
        yield from _text("button", action["button"], LIST_BUTTON)
        yield from _sections(action["sections"], "rows", ROWS)
        yield from _rows([row for section in action["sections"] for row in section["rows"]])
    elif kind == "cta_url":
        yield from _text("button", action["parameters"]["display_text"], LINK_TITLE)
    elif kind == "flow":
        yield from _text("button", action["parameters"]["flow_cta"], FLOW_BUTTON)
    elif kind == "product_list":
        yield from _sections(action["sections"], "product_items", PRODUCTS)


def _buttons(buttons: list[Mapping[str, Any]]) -> Iterator[str]:
    if not 1 <= len(buttons) <= BUTTONS:
        yield f"{len(buttons)} buttons"
    for each in buttons:
        yield from _text("button", each["title"], BUTTON_TITLE)
        yield from _text("button id", each["id"], BUTTON_ID)
    yield from _twice("button", buttons)


def _rows(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield from _text("row", row["title"], ROW_TITLE)
        yield from _text("row id", row["id"], ROW_ID)
        if "description" in row:
            yield from _text("description", row["description"], ROW_DESCRIPTION)
    yield from _twice("row", rows)


def _sections(sections: list[Mapping[str, Any]], key: str, most: int) -> Iterator[str]:
    count = sum(len(section[key]) for section in sections)
    if not 1 <= count <= most or any(not section[key] for section in sections):
        yield f"{count} {key}"
    if len(sections) > SECTIONS:
        yield f"{len(sections)} sections"
    for title in [section.get("title") for section in sections] if len(sections) > 1 else []:
        yield from _text("section", title, SECTION_TITLE)
    if len(sections) == 1 and "title" in sections[0]:
        yield from _text("section", sections[0]["title"], SECTION_TITLE)


def _template(content: Mapping[str, Any]) -> Iterator[str]:
    name, components = content["name"], content.get("components") or []
    if not 0 < len(name) <= TEMPLATE_NAME or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_"):
        yield f"template name {name!r}: small letters, digits and _ only"
    cards = list(chain.from_iterable(each["cards"] for each in components if each["type"] == "carousel"))
    if cards and not 2 <= len(cards) <= TEMPLATE_CARDS:
        yield f"{len(cards)} cards"
    buttons = [each for each in components if each["type"] == "button"]
    if any(int(each["index"]) >= TEMPLATE_BUTTONS for each in buttons):
        yield "more than 10 template buttons"
    for value in chain.from_iterable(each["parameters"] for each in buttons):
        if value["type"] == "payload":
            yield from _text("button id", value["payload"], BUTTON_ID)
        elif value["type"] == "coupon_code":
            yield from _text("code", value["coupon_code"], TEMPLATE_CODE)


def _twice(what: str, items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for key in ("id", "title"):
        counted = Counter(each[key].casefold() if key == "title" else each[key] for each in items)
        yield from (f"{what} {key} {value!r} {count} times" for value, count in counted.items() if count > 1)


def _text(what: str, text: str | None, most: int) -> Iterator[str]:
    if not text or not text.strip():
        yield f"{what} is empty"
    elif text != text.strip():
        yield f"{what} begins or ends with a blank: {text!r}"
    elif length(text) > most:
        yield f"{what} has {length(text)} characters, {length(text) - most} too many"
