"""The body of Meta's send call, without who it goes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from babel.numbers import get_currency_precision

from bot.channels.whatsapp.limits import BUTTON_TITLE, BUTTONS, excess
from bot.channels.whatsapp.payloads import told_apart
from bot.channels.whatsapp.texts import in_a_line, length, plain
from messaging.labels import label
from messaging.replies import (
    Catalogue,
    Choice,
    Choices,
    Contacts,
    File,
    Flow,
    Framed,
    Link,
    Location,
    LocationRequest,
    Media,
    Part,
    Person,
    Products,
    Reaction,
    ReplyError,
    Template,
    Text,
    parse_reply,
)

Body = dict[str, Any]
Sign = Callable[[str], str]
Upload = Callable[[File, str], Mapping[str, str]]  # (file, kind) -> {"id": ...} or {"link": ...}

MEDIA_HEADERS = ("image", "video", "document")


class CannotFit(Exception):
    """WhatsApp would refuse this; the message says what is wrong with it."""


def by_link(file: File, _kind: str) -> Mapping[str, str]:
    """What has a web address is fetched by WhatsApp; a file of ours has to be uploaded first."""
    if not file.is_link:
        raise CannotFit(f"{file.address} has no web address: it has to be uploaded")
    return {"link": file.address}


def body(content: Mapping[str, Any], sign: Sign, upload: Upload = by_link) -> Body:
    """Meta's message for one of the contents that `divide` made; `to` and `messaging_product` are the sender's to add.

    sign: the id of a payload. upload: how a picture, video or document is named. Raises CannotFit.
    """
    try:
        parts = parse_reply(content)
    except ReplyError as error:
        raise CannotFit(str(error)) from error
    if len(parts) != 1:
        raise CannotFit(f"{len(parts)} messages in one")
    custom = content.get("custom") or {}
    message = _Writer(custom, str(content.get("language") or ""), sign, upload).message(parts[0])
    if wrong := list(excess(message)):
        raise CannotFit("; ".join(wrong))
    is_reply = custom.get("reply_to") and message["type"] != "reaction"
    return message | ({"context": {"message_id": str(custom["reply_to"])}} if is_reply else {})


class _Writer:
    def __init__(self, custom: Mapping[str, Any], language: str, sign: Sign, upload: Upload) -> None:
        self._custom = custom
        self._language = language
        self._sign = sign
        self._upload = upload

    def message(self, part: Part) -> Body:
        match part:
            case Text(text):
                return {"type": "text", "text": {"body": self._say(text), "preview_url": bool(self._custom.get("preview"))}}
            case Media():
                return self._media(part)
            case Location():
                place = {"name": part.name, "address": part.address}
                where = {"latitude": part.latitude, "longitude": part.longitude}
                return {"type": "location", "location": where | _filled(place)}
            case Contacts(people):
                return {"type": "contacts", "contacts": [_person(each) for each in people]}
            case Reaction(message_id, emoji):
                return {"type": "reaction", "reaction": {"message_id": message_id, "emoji": emoji}}
            case Template():
                return {"type": "template", "template": self._template(part)}
            case Framed():
                return {"type": "interactive", "interactive": self._interactive(part)}
            case _:
                raise CannotFit(f"{type(part).__name__} is no single message")

    def _say(self, text: str) -> str:
        return text if self._custom.get("formatted") else plain(text)

    def _media(self, media: Media) -> Body:
        caption = {"caption": self._say(media.caption)} if media.caption else {}
        name = {"filename": _name_of(media.file)} if media.kind == "document" else {}
        content: Body = {**self._upload(media.file, media.kind), **caption, **name}
        return {"type": media.kind, media.kind: content}

    # With something to tap

    def _interactive(self, part: Framed) -> Body:
        kind, action = self._action(part)
        text = part.text or (label("list_button", self._language) if isinstance(part, Choices) else "")
        header: Body | None = {"type": "text", "text": part.header} if part.header else None
        if part.picture:
            header = {"type": "image", "image": self._upload(part.picture, "image")}
        around: Body = {"header": header, "footer": {"text": part.footer} if part.footer else None}
        around["body"] = {"text": self._say(text)} if text else None
        return {"type": kind, **_filled(around), "action": action}

    def _action(self, part: Framed) -> tuple[str, Body]:
        match part:
            case Choices(choices=choices):
                return self._choices(choices)
            case Link():
                return "cta_url", {"name": "cta_url", "parameters": {"display_text": part.title, "url": part.url}}
            case LocationRequest():
                return "location_request_message", {"name": "send_location"}
            case Products():
                return _products(part)
            case Catalogue(sku=sku):
                thumbnail = {"parameters": {"thumbnail_product_retailer_id": sku}} if sku else {}
                return "catalog_message", {"name": "catalog_message", **thumbnail}
            case Flow():
                return "flow", {"name": "flow", "parameters": _flow(part)}
            case _:
                raise CannotFit(f"{type(part).__name__} is not known")

    def _choices(self, choices: Sequence[Choice]) -> tuple[str, Body]:
        ids = told_apart(self._sign(each.payload) for each in choices)
        if len(choices) <= BUTTONS and all(length(each.title) <= BUTTON_TITLE and _is_bare(each) for each in choices):
            replies = [{"id": id_, "title": each.title} for id_, each in zip(ids, choices, strict=True)]
            return "button", {"buttons": [{"type": "reply", "reply": reply} for reply in replies]}
        sections = []
        for title, rows in groupby(zip(ids, choices, strict=True), lambda row: row[1].section):
            listed = [{"id": id_, "title": each.title} | _filled({"description": each.description}) for id_, each in rows]
            sections.append(_filled({"title": title}) | {"rows": listed})
        return "list", {"button": label("list_button", self._language), "sections": sections}

    # Templates

    def _template(self, template: Template) -> Body:
        carousel = [
            {"card_index": number, "components": self._components(card.get("header"), card.get("body"), card.get("buttons"))}
            for number, card in enumerate(template.cards)
        ]
        components = self._components(template.header, template.body, template.buttons)
        components += [{"type": "carousel", "cards": carousel}] if carousel else []
        named = {"name": template.name, "language": {"code": template.language}}
        return named | ({"components": components} if components else {})

    def _components(self, header: Any, body: Any, buttons: Any) -> list[Body]:
        filled = {"header": self._header(header or {}), "body": _values(body or ())}
        components: list[Body] = [{"type": kind, "parameters": values} for kind, values in filled.items() if values]
        return components + list(self._buttons(buttons or ()))

    def _header(self, header: Mapping[str, Any]) -> list[Body]:
        for kind in MEDIA_HEADERS:
            if kind in header:
                file = File(str(header[kind]), str(header.get("name", "")))
                name = {"filename": _name_of(file)} if kind == "document" else {}
                return [{"type": kind, kind: {**self._upload(file, kind), **name}}]
        if "location" in header:
            return [{"type": "location", "location": {key: str(value) for key, value in header["location"].items()}}]
        text = header.get("text")
        return _values(text if isinstance(text, Mapping) else [text]) if text else []

    def _buttons(self, buttons: Sequence[Mapping[str, Any]]) -> Iterator[Body]:
        for index, button in enumerate(buttons):
            if button:
                kind, parameter = self._button(button)
                yield {"type": "button", "sub_type": kind, "index": str(index), "parameters": [parameter]}

    def _button(self, button: Mapping[str, Any]) -> tuple[str, Body]:
        match button:
            case {"payload": payload}:
                return "quick_reply", {"type": "payload", "payload": self._sign(str(payload))}
            case {"url": ending}:
                return "url", {"type": "text", "text": str(ending)}
            case {"code": code}:
                return "copy_code", {"type": "coupon_code", "coupon_code": str(code)}
            case {"flow": {**given}}:
                keys = {"token": "flow_token", "data": "flow_action_data"}
                return "flow", {"type": "action", "action": {keys[key]: value for key, value in given.items() if key in keys}}
            case {"catalogue": sku}:
                return "catalog", {"type": "action", "action": {"thumbnail_product_retailer_id": str(sku)}}
            case {"products": {"shelves": shelves, **more}}:
                sections = [_shelf(str(each.get("title", "")), each["skus"]) for each in shelves]
                first = {"thumbnail_product_retailer_id": str(more.get("sku") or shelves[0]["skus"][0])}
                return "mpm", {"type": "action", "action": {**first, "sections": sections}}
        raise CannotFit(f"a template button with {', '.join(map(str, button))}")


def _values(given: Sequence[Any] | Mapping[str, Any]) -> list[Body]:
    if isinstance(given, str) or not isinstance(given, (Mapping, Sequence)):
        raise CannotFit("template: values are a list, or names and values")
    if isinstance(given, Mapping):
        return [_value(value) | {"parameter_name": str(name)} for name, value in given.items()]
    return [_value(value) for value in given]


def _value(value: Any) -> Body:
    match value:
        case {"amount": int(amount), "currency": str(currency), "text": text}:
            thousandths = amount * 10 ** (3 - get_currency_precision(currency))
            money = {"fallback_value": str(text), "code": currency, "amount_1000": thousandths}
            return {"type": "currency", "currency": money}
        case {"date_time": text}:
            return {"type": "date_time", "date_time": {"fallback_value": str(text)}}
    if isinstance(value, (Mapping, list)) or not (text := in_a_line(str(value))):
        raise CannotFit(f"template: {value!r} is no value")
    return {"type": "text", "text": text}  # Meta refuses line breaks in it


def _products(part: Products) -> tuple[str, Body]:
    [first, *others] = part.shelves
    if not others and len(first.skus) == 1 and not part.header:
        return "product", {"catalog_id": part.catalogue, "product_retailer_id": first.skus[0]}
    return "product_list", {"catalog_id": part.catalogue, "sections": [_shelf(each.title, each.skus) for each in part.shelves]}


def _shelf(title: str, skus: Sequence[Any]) -> Body:
    return _filled({"title": title}) | {"product_items": [{"product_retailer_id": str(sku)} for sku in skus]}


def _flow(flow: Flow) -> Body:
    which = {"flow_id": flow.id} if flow.id else {"flow_name": flow.name}
    begins = {"screen": flow.screen, **_filled({"data": dict(flow.data)})} if flow.screen else None
    shown = {"flow_action": "navigate", "flow_action_payload": begins} if begins else {}
    return {"flow_message_version": "3", **which, "flow_cta": flow.button, **_filled({"flow_token": flow.token}), **shown}


def _person(person: Person) -> Body:
    first, _, last = person.name.partition(" ")
    ways = {
        "phones": [{"phone": phone} for phone in person.phones],
        "emails": [{"email": email} for email in person.emails],
        "org": _filled({"company": person.company}),
    }
    return {"name": {"formatted_name": person.name, "first_name": first, **_filled({"last_name": last})}, **_filled(ways)}


def _name_of(file: File) -> str:
    return file.name or PurePosixPath(file.address.partition("?")[0]).name


def _is_bare(choice: Choice) -> bool:
    return not choice.description and not choice.section


def _filled(values: Mapping[str, Any]) -> Body:
    return {key: value for key, value in values.items() if value}
