"""What a reply is made of, on any channel: read from what Rasa's output channels get, and written back with the same keys.

A content has Rasa's keys (`text`, `buttons`, `image`, `attachment`, `elements`, `custom`); what Rasa has no key for is below
`custom`: `link`, `location_request`, `date_request`, `rating_request`, `location`, `products`, `catalogue`, `flow`, `contacts`,
`reaction`, `template`, and the `header` and `footer` of any of them. Other keys below `custom` are not ours, and no part of what
is shown.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

FROM_RASA = frozenset({"text", "buttons", "quick_replies", "image", "attachment", "elements", "custom"})
SHOWN_CUSTOM = frozenset(
    "header footer link location_request date_request rating_request location products catalogue flow contacts reaction "
    "template".split()
)
MOST_RATING = 10
Content = dict[str, Any]
MediaKind = Literal["image", "video", "document", "audio", "sticker"]
KINDS: tuple[MediaKind, ...] = ("image", "video", "document", "audio", "sticker")


class ReplyError(ValueError):
    """A reply is not written as it has to be; the message says where."""


@dataclass(frozen=True)
class File:
    """address: http(s), or a path of ours. name: what the shopper sees."""

    address: str
    name: str = ""

    @property
    def is_link(self) -> bool:
        return self.address.startswith(("https://", "http://"))


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Media:
    kind: MediaKind
    file: File
    caption: str = ""


@dataclass(frozen=True)
class Choice:
    """payload: what a tap says. section: the heading below which it stands, where there are several."""

    title: str
    payload: str
    description: str = ""
    section: str = ""


@dataclass(frozen=True, kw_only=True)
class Framed:
    """A text with something to tap below it. picture, header: above the text; footer: small, below it."""

    text: str = ""
    picture: File | None = None
    header: str = ""
    footer: str = ""


@dataclass(frozen=True, kw_only=True)
class Choices(Framed):
    choices: tuple[Choice, ...]


@dataclass(frozen=True, kw_only=True)
class Link(Framed):
    """A button that opens a web page."""

    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class LocationRequest(Framed):
    """A button that sends where the shopper is."""


@dataclass(frozen=True, kw_only=True)
class DateRequest(Framed):
    """The shopper picks a day, no earlier and no later than these (ISO 8601) where there are such."""

    earliest: str = ""
    latest: str = ""


@dataclass(frozen=True, kw_only=True)
class RatingRequest(Framed):
    """The shopper says a number, from 1 to `most`."""

    most: int


@dataclass(frozen=True)
class Shelf:
    title: str
    skus: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Products(Framed):
    """Products of a catalogue that the channel's provider keeps."""

    catalogue: str
    shelves: tuple[Shelf, ...]


@dataclass(frozen=True, kw_only=True)
class Catalogue(Framed):
    """That catalogue as a whole. sku: whose picture stands for it; empty: any."""

    sku: str = ""


@dataclass(frozen=True, kw_only=True)
class Flow(Framed):
    """A form that the channel's provider keeps, by id or by name. screen, data: where it begins, and with what."""

    button: str
    id: str = ""
    name: str = ""
    screen: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    token: str = ""


@dataclass(frozen=True)
class Location:
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True)
class Person:
    name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    company: str = ""


@dataclass(frozen=True)
class Contacts:
    people: tuple[Person, ...]


@dataclass(frozen=True)
class Reaction:
    """To a message of the shopper, by the channel's name of it. An empty emoji takes the reaction back."""

    message_id: str
    emoji: str


@dataclass(frozen=True)
class Card:
    text: str
    picture: File | None
    choices: tuple[Choice, ...]
    links: tuple[tuple[str, str], ...]  # title, address


@dataclass(frozen=True)
class Cards:
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Template:
    """A text that the channel's provider has approved, by name and language, with what fills it in.

    header: one of `text`, `image`, `video`, `document`, `location`. body: values in order, or by name. buttons: in order, each
    with one of `payload`, `url` (what is added to its address), `code`, `flow`, `catalogue`, `products`; empty where the button
    takes nothing. A value is a text, `{amount, currency, text}` (in minor units) or `{date_time}`. cards: each with its own
    header, body and buttons.
    """

    name: str
    language: str
    header: Mapping[str, Any] = field(default_factory=dict)
    body: Sequence[Any] | Mapping[str, Any] = ()
    buttons: Sequence[Mapping[str, Any]] = ()
    cards: Sequence[Mapping[str, Any]] = ()


Part = Text | Media | Framed | Location | Contacts | Reaction | Cards | Template


def parse_reply(content: Mapping[str, Any]) -> list[Part]:
    """The parts of a content in the order in which they are shown: what asks for a tap comes after what is only looked at.

    Raises ReplyError.
    """
    custom = content.get("custom") if isinstance(content.get("custom"), Mapping) else {}
    assert custom is not None
    text = str(content.get("text") or "")
    text = text if text.strip() else ""
    picture = _file(content["image"], "image") if content.get("image") else None
    framed = list(_framed(content, custom))
    shown: list[Part] = []
    if framed:
        frame = {"header": _text(custom, "header", "custom"), "footer": _text(custom, "footer", "custom")}
        framed[0] = replace(framed[0], text=text, picture=picture, **frame)
    elif picture:
        shown.append(Media("image", picture, text))
    elif text and not content.get("attachment"):
        shown.append(Text(text))
    if content.get("attachment"):
        kind, file = _attachment(content["attachment"])
        shown.append(Media(kind, file, "" if framed or picture else text))
    return [*shown, *_looked_at(content, custom), *framed, *_templates(custom)]


def to_content(part: Part) -> Content:
    """The content that has this part only. Raises TypeError for a part that is none."""
    match part:
        case Text(text):
            return {"text": text}
        case Media(kind, file, caption):
            shown = {"image": file.address} if kind == "image" and not file.name else {"attachment": _to_attachment(kind, file)}
            return _filled({"text": caption, **shown})
        case Choices():
            return _to_framed(part, {}) | {"buttons": [_to_button(each) for each in part.choices]}
        case Link():
            return _to_framed(part, {"link": {"title": part.title, "url": part.url}})
        case LocationRequest():
            return _to_framed(part, {"location_request": True})
        case DateRequest():
            return _to_framed(part, {"date_request": _filled({"earliest": part.earliest, "latest": part.latest}) or True})
        case RatingRequest():
            return _to_framed(part, {"rating_request": {"most": part.most}})
        case Products():
            shelves = [_filled({"title": shelf.title, "skus": list(shelf.skus)}) for shelf in part.shelves]
            return _to_framed(part, {"products": {"catalogue": part.catalogue, "shelves": shelves}})
        case Catalogue():
            return _to_framed(part, {"catalogue": _filled({"sku": part.sku}) or True})
        case Flow():
            keys = ("button", "id", "name", "screen", "token")
            own = {key: getattr(part, key) for key in keys} | {"data": dict(part.data)}
            return _to_framed(part, {"flow": _filled(own)})
        case Location():
            place = _filled({"name": part.name, "address": part.address})
            return {"custom": {"location": {"latitude": part.latitude, "longitude": part.longitude, **place}}}
        case Contacts(people):
            return {"custom": {"contacts": [_to_person(each) for each in people]}}
        case Reaction(message_id, emoji):
            return {"custom": {"reaction": {"message_id": message_id, "emoji": emoji}}}
        case Cards(cards):
            return {"elements": [_to_element(card) for card in cards]}
        case Template():
            values = {"header": dict(part.header), "body": part.body, "buttons": list(part.buttons), "cards": list(part.cards)}
            return {"custom": {"template": {"name": part.name, "language": part.language, **_filled(values)}}}
    raise TypeError(f"{type(part).__name__} is no part of a reply")


# What asks for a tap


def _framed(content: Mapping[str, Any], custom: Mapping[str, Any]) -> Iterator[Framed]:
    choices, links = _buttons([*(content.get("buttons") or []), *(content.get("quick_replies") or [])])
    if choices:
        yield Choices(choices=choices)
    for title, url in [*links, *_links(custom)]:
        yield Link(title=title, url=url)
    if custom.get("location_request"):
        yield LocationRequest()
    if custom.get("date_request"):
        yield _date_request(_mapping(custom, "date_request") if custom["date_request"] is not True else {})
    if "rating_request" in custom:
        yield _rating_request(_mapping(custom, "rating_request"))
    if "products" in custom:
        yield _products(_mapping(custom, "products"))
    if custom.get("catalogue"):
        known = _mapping(custom, "catalogue") if custom["catalogue"] is not True else {}
        yield Catalogue(sku=_text(known, "sku", "catalogue"))
    if "flow" in custom:
        yield _flow(_mapping(custom, "flow"))


def _buttons(buttons: Sequence[Mapping[str, Any]]) -> tuple[tuple[Choice, ...], list[tuple[str, str]]]:
    """(choices, links): one that has an address opens it and says nothing."""
    links = [(_text(each, "title", "buttons"), _text(each, "url", "buttons")) for each in buttons if each.get("url")]
    return tuple(_choice(each) for each in buttons if not each.get("url")), links


def _choice(button: Mapping[str, Any]) -> Choice:
    title, payload = _text(button, "title", "buttons"), button.get("payload")
    described = _text(button, "description", "buttons"), _text(button, "section", "buttons")
    return Choice(title, str(payload) if payload else title, *described)


def _links(custom: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "link" in custom:
        link = _mapping(custom, "link")
        yield _needed(link, "title", "link"), _needed(link, "url", "link")


def _date_request(given: Mapping[str, Any]) -> DateRequest:
    earliest, latest = (_day(given, key) for key in ("earliest", "latest"))
    if earliest and latest and earliest > latest:
        raise ReplyError("date_request: earliest is after latest")
    return DateRequest(earliest=earliest, latest=latest)


def _day(given: Mapping[str, Any], key: str) -> str:
    text = _text(given, key, "date_request")
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise ReplyError(f"date_request: {key} has to be a day like 2026-11-26") from None


def _rating_request(given: Mapping[str, Any]) -> RatingRequest:
    most = given.get("most")
    if not isinstance(most, int) or isinstance(most, bool) or not 2 <= most <= MOST_RATING:
        raise ReplyError(f"rating_request needs most, a number from 2 to {MOST_RATING}")
    return RatingRequest(most=most)


def _products(given: Mapping[str, Any]) -> Products:
    catalogue, shelves = _needed(given, "catalogue", "products"), given.get("shelves")
    if not shelves:
        shelves = [{"skus": given.get("skus") or []}]
    found = tuple(
        Shelf(_text(each, "title", "products.shelves"), tuple(map(str, _list(each, "skus", "products")))) for each in shelves
    )
    if not any(shelf.skus for shelf in found):
        raise ReplyError("custom.products needs skus")
    return Products(catalogue=catalogue, shelves=found)


def _flow(given: Mapping[str, Any]) -> Flow:
    if bool(given.get("id")) == bool(given.get("name")):
        raise ReplyError("custom.flow needs either an id or a name")
    named = [_text(given, key, "flow") for key in ("id", "name", "screen", "token")]
    data = _mapping(given, "data") if given.get("data") else {}
    return Flow(button=_needed(given, "button", "flow"), id=named[0], name=named[1], screen=named[2], token=named[3], data=data)


# What is looked at


def _looked_at(content: Mapping[str, Any], custom: Mapping[str, Any]) -> Iterator[Part]:
    if "location" in custom:
        yield _location(_mapping(custom, "location"))
    if "contacts" in custom:
        yield Contacts(tuple(_person(each) for each in _list(custom, "contacts", "custom")))
    if content.get("elements"):
        yield Cards(tuple(_card(each) for each in content["elements"]))
    if "reaction" in custom:
        given = _mapping(custom, "reaction")
        yield Reaction(_needed(given, "message_id", "reaction"), _text(given, "emoji", "reaction"))


def _location(given: Mapping[str, Any]) -> Location:
    try:
        latitude, longitude = float(given["latitude"]), float(given["longitude"])
    except (KeyError, TypeError, ValueError):
        raise ReplyError("custom.location needs latitude and longitude, in degrees") from None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise ReplyError(f"custom.location: {latitude}, {longitude} is nowhere")
    return Location(latitude, longitude, _text(given, "name", "location"), _text(given, "address", "location"))


def _person(given: Mapping[str, Any]) -> Person:
    phones, emails = (tuple(map(str, _list(given, key, "contacts"))) for key in ("phones", "emails"))
    return Person(_needed(given, "name", "contacts"), phones, emails, _text(given, "company", "contacts"))


def _card(element: Mapping[str, Any]) -> Card:
    """As Rasa's `elements` are: title, subtitle, image_url, buttons."""
    texts = (_text(element, key, "elements") for key in ("title", "subtitle"))
    picture = _file(element["image_url"], "elements") if element.get("image_url") else None
    choices, links = _buttons(element.get("buttons") or [])
    return Card("\n".join(filter(None, texts)), picture, choices, tuple(links))


def _attachment(given: Any) -> tuple[MediaKind, File]:
    """An address, or Rasa's `{type, payload: {src}}`; our own `name` in it is a document's."""
    if isinstance(given, str):
        return _kind_of(given), File(given)
    payload = given.get("payload") if isinstance(given, Mapping) else None
    address = (payload.get("src") or payload.get("url")) if isinstance(payload, Mapping) else None
    if not isinstance(address, str):
        raise ReplyError("attachment needs an address, or type and payload: {src: address}")
    name = str(payload.get("name") or payload.get("title") or "") if isinstance(payload, Mapping) else ""
    kind = given.get("type")
    return (next((each for each in KINDS if each == kind), "document") if kind else _kind_of(address)), File(address, name)


def _kind_of(address: str) -> MediaKind:
    kind = (mimetypes.guess_type(address.partition("?")[0])[0] or "").partition("/")[0]
    return next((each for each in KINDS if each == kind), "document")


def _templates(custom: Mapping[str, Any]) -> Iterator[Template]:
    if "template" in custom:
        given = _mapping(custom, "template")
        values = {key: given[key] for key in ("header", "body", "buttons", "cards") if given.get(key)}
        yield Template(_needed(given, "name", "template"), _needed(given, "language", "template"), **values)


def _file(given: Any, where: str) -> File:
    if not isinstance(given, str):
        raise ReplyError(f"{where} needs an address")
    return File(given.strip())


# Back


def _to_framed(part: Framed, own: Mapping[str, Any]) -> Content:
    custom = {**_filled({"header": part.header, "footer": part.footer}), **own}
    return _filled({"text": part.text, "image": part.picture.address if part.picture else "", "custom": custom})


def _to_button(choice: Choice) -> dict[str, str]:
    more = {"description": choice.description, "section": choice.section}
    return {"title": choice.title, "payload": choice.payload, **_filled(more)}


def _to_attachment(kind: str, file: File) -> dict[str, Any]:
    return {"type": kind, "payload": _filled({"src": file.address, "name": file.name})}


def _to_person(person: Person) -> dict[str, Any]:
    ways = {"phones": list(person.phones), "emails": list(person.emails), "company": person.company}
    return {"name": person.name, **_filled(ways)}


def _to_element(card: Card) -> dict[str, Any]:
    buttons = [*map(_to_button, card.choices), *({"title": title, "url": url} for title, url in card.links)]
    return _filled({"title": card.text, "image_url": card.picture.address if card.picture else "", "buttons": buttons})


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


# How a value is read


def _mapping(given: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    if not isinstance(given[key], Mapping):
        raise ReplyError(f"{key} has to be keys and values")
    return dict(given[key])


def _list(given: Mapping[str, Any], key: str, where: str) -> Sequence[Any]:
    if not isinstance(found := given.get(key) or [], list):
        raise ReplyError(f"{where}: {key} has to be a list")
    return found


def _text(given: Mapping[str, Any], key: str, where: str) -> str:
    if not isinstance(given, Mapping) or isinstance(found := given.get(key), (Mapping, list)):
        raise ReplyError(f"{where}: {key} has to be a text")
    return str(found).strip() if found is not None else ""


def _needed(given: Mapping[str, Any], key: str, where: str) -> str:
    if not (found := _text(given, key, where)):
        raise ReplyError(f"{where} needs a {key}")
    return found
