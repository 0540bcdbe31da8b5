"""Buttons, lists, links, products, flows and whatever else is tapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tendero.simulator.checks.fields import Fields, missing, unique, wrong
from tendero.simulator.checks.media import source
from tendero.simulator.checks.payments import check_order_details, check_order_status

BODY, LIST_BODY, CARD_BODY = 1024, 4096, 160
HEADER, FOOTER = 60, 60
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
SECTIONS, ROWS, SECTION_TITLE = 10, 10, 24
ROW_ID, ROW_TITLE, ROW_DESCRIPTION = 200, 24, 72
PRODUCTS = 30
CARDS = (2, 10)
CARD_LINE_BREAKS = 2
FLOW_CTA = 30

ANY_HEADER = ("text", "image", "video", "document")
Check = Callable[[Fields], None]


@dataclass(frozen=True)
class Rule:
    """check: of the action. headers: the kinds that it may have."""

    check: Check
    headers: tuple[str, ...] = ()
    needs_header: bool = False
    needs_body: bool = True
    has_footer: bool = True
    body: int = BODY


def check_interactive(fields: Fields) -> None:
    rule = RULES[fields.choice("type", RULES)]
    fields.only("type", "header", "body", "footer", "action")
    _check_header(fields, rule)
    if rule.needs_body or fields.has("body"):
        body = fields.object("body")
        body.only("text")
        body.text("text", rule.body)
    if footer := fields.maybe_object("footer"):
        if not rule.has_footer:
            raise wrong(f"{footer.path} is not supported for this type.")
        footer.only("text")
        footer.text("text", FOOTER)
    rule.check(fields.object("action"))


def _check_header(fields: Fields, rule: Rule) -> None:
    header = fields.maybe_object("header")
    if header is None:
        if rule.needs_header:
            raise missing(fields.at("header"))
        return
    if not rule.headers:
        raise wrong(f"{header.path} is not supported for this type.")
    kind = header.choice("type", rule.headers)
    header.only("type", "sub_text", kind) if kind == "text" else header.only("type", kind)
    if kind == "text":
        header.text("text", HEADER)
        header.maybe_text("sub_text", HEADER)
    else:
        _check_picture(header.object(kind), kind)


def _check_picture(media: Fields, kind: str) -> None:
    media.only("id", "link", *(("filename",) if kind == "document" else ()))
    source(media)


def _check_buttons(action: Fields) -> None:
    action.only("buttons")
    replies = []
    for button in action.items("buttons", 1, BUTTONS):
        button.only("type", "reply")
        button.choice("type", ("reply",))
        reply = button.object("reply")
        reply.only("id", "title")
        if reply.text("id", BUTTON_ID) != reply.text("id").strip():
            raise wrong(f"{reply.at('id')} must not begin or end with a space.")
        reply.text("title", BUTTON_TITLE)
        replies.append(reply)
    unique([reply.text("id") for reply in replies], "Button ids")
    unique([reply.text("title") for reply in replies], "Button titles")


def _check_list(action: Fields) -> None:
    action.only("button", "sections")
    action.text("button", BUTTON_TITLE)
    ids = []
    for section in _sections(action, "rows", ROWS):
        for row in section.items("rows", 1, ROWS):
            row.only("id", "title", "description")
            ids.append(row.text("id", ROW_ID))
            row.text("title", ROW_TITLE)
            row.maybe_text("description", ROW_DESCRIPTION)
    unique(ids, "Row ids")


def _sections(action: Fields, of: str, most_in_all: int) -> list[Fields]:
    """Titles are needed as soon as there are two; `most_in_all` counts the items of all of them."""
    sections = action.items("sections", 1, SECTIONS)
    for section in sections:
        section.only("title", of)
        if len(sections) > 1:
            section.text("title", SECTION_TITLE)
        section.maybe_text("title", SECTION_TITLE)
    total = sum(len(section.items(of, 1, 1000)) for section in sections)
    if total > most_in_all:
        raise wrong(f"Total count of {of} in all sections is {total}. Max: {most_in_all}.")
    return sections


def _check_link(action: Fields) -> None:
    action.only("name", "parameters")
    action.choice("name", ("cta_url",))
    parameters = action.object("parameters")
    parameters.only("display_text", "url")
    parameters.text("display_text", BUTTON_TITLE)
    parameters.address("url")


def _check_product(action: Fields) -> None:
    action.only("catalog_id", "product_retailer_id")
    action.text("catalog_id")
    action.text("product_retailer_id")


def _check_product_list(action: Fields) -> None:
    action.only("catalog_id", "sections")
    action.text("catalog_id")
    for section in _sections(action, "product_items", PRODUCTS):
        for item in section.items("product_items", 1, PRODUCTS):
            item.only("product_retailer_id")
            item.text("product_retailer_id")


def _check_catalog(action: Fields) -> None:
    action.only("name", "parameters")
    action.choice("name", ("catalog_message",))
    if parameters := action.maybe_object("parameters"):
        parameters.only("thumbnail_product_retailer_id")
        parameters.maybe_text("thumbnail_product_retailer_id")


def _check_flow(action: Fields) -> None:
    action.only("name", "parameters")
    action.choice("name", ("flow",))
    parameters = action.object("parameters")
    parameters.only(
        "flow_message_version", "flow_id", "flow_name", "flow_cta", "flow_token", "mode", "flow_action", "flow_action_payload"
    )
    parameters.choice("flow_message_version", ("3",))
    parameters.one_of_two("flow_id", "flow_name")
    parameters.text("flow_cta", FLOW_CTA)
    parameters.maybe_text("flow_token")
    for name, allowed in (("mode", ("draft", "published")), ("flow_action", ("navigate", "data_exchange"))):
        if parameters.has(name):
            parameters.choice(name, allowed)
    if payload := parameters.maybe_object("flow_action_payload"):
        payload.only("screen", "data")
        payload.maybe_text("screen")


def _named(name: str) -> Check:
    """An action that is nothing but its name."""

    def check(action: Fields) -> None:
        action.only("name")
        action.choice("name", (name,))

    return check


def _check_address(action: Fields) -> None:
    action.only("name", "parameters")
    action.choice("name", ("address_message",))
    parameters = action.object("parameters")
    parameters.only("country", "values", "saved_addresses", "validation_errors")
    parameters.choice("country", ("IN",))


def _check_call(action: Fields) -> None:
    action.only("name", "parameters")
    action.choice("name", ("voice_call",))
    if parameters := action.maybe_object("parameters"):
        parameters.maybe_text("display_text", BUTTON_TITLE)


def _check_carousel(action: Fields) -> None:
    action.only("cards")
    cards = action.items("cards", *CARDS)
    headers, catalogues = set(), set()
    for place, card in enumerate(cards):
        card.only("card_index", "type", "header", "body", "action")
        if card.whole("card_index", 0, CARDS[1] - 1) != place:
            raise wrong(f"{card.at('card_index')} must be {place}.")
        if card.choice("type", ("cta_url", "button", "product")) == "product":
            _check_product(card.object("action"))
            catalogues.add(card.object("action").text("catalog_id"))
        else:
            headers.add(_check_card(card))
    if len(headers) + (1 if catalogues else 0) > 1 or len(catalogues) > 1:
        raise wrong(f"{action.at('cards')} must all have the same kind of header, or be products of the same catalogue.")


def _check_card(card: Fields) -> str:
    """The kind of its header."""
    header = card.object("header")
    kind = header.choice("type", ("image", "video"))
    header.only("type", kind)
    _check_picture(header.object(kind), kind)
    if body := card.maybe_object("body"):
        body.only("text")
        if body.text("text", CARD_BODY).count("\n") > CARD_LINE_BREAKS:
            raise wrong(f"{body.at('text')} may have at most {CARD_LINE_BREAKS} line breaks.")
    (_check_link if card.text("type") == "cta_url" else _check_buttons)(card.object("action"))
    return kind


RULES: Mapping[str, Rule] = {
    "button": Rule(_check_buttons, ANY_HEADER),
    "list": Rule(_check_list, ("text",), body=LIST_BODY),
    "cta_url": Rule(_check_link, ANY_HEADER),
    "product": Rule(_check_product, needs_body=False),
    "product_list": Rule(_check_product_list, ("text",), needs_header=True),
    "catalog_message": Rule(_check_catalog),
    "carousel": Rule(_check_carousel, has_footer=False),
    "flow": Rule(_check_flow, ANY_HEADER),
    "location_request_message": Rule(_named("send_location"), has_footer=False),
    "address_message": Rule(_check_address, ANY_HEADER),
    "contact_request": Rule(_named("request_contact_info"), has_footer=False),
    "call_permission_request": Rule(_named("call_permission_request"), has_footer=False),
    "voice_call": Rule(_check_call, ANY_HEADER),
    "order_details": Rule(check_order_details, ("image", "document", "text")),
    "order_status": Rule(check_order_status),
}
