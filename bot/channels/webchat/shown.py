"""Entries of a conversation as the protocol shows them. What a choice says to the assistant stays here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from messaging.models import ChatEntry
from messaging.replies import (
    Card,
    Cards,
    Choice,
    Choices,
    Contacts,
    DateRequest,
    File,
    Framed,
    Link,
    Location,
    LocationRequest,
    Media,
    Part,
    RatingRequest,
    ReplyError,
    Text,
    parse_reply,
)

PICTURES = ("image", "sticker")
OPENED = ("https://", "http://", "mailto:", "tel:")  # what a link may be; a "javascript:" is none

Json = dict[str, Any]
Address = Callable[[str], str]  # where a browser gets a file of ours


def shown(entry: ChatEntry, address: Address) -> Json:
    """The entry, for a page."""
    head = {"seq": entry.seq, "at": iso(entry.at), "by": entry.by}
    content = entry.content
    if entry.by in ("assistant", "agent"):
        named = {"name": content["name"]} if content.get("name") else {}
        return {**head, **named, "parts": parts(content, address)}
    if entry.by == "shop":
        return {**head, **content}
    files = [
        {"url": address(str(file["id"])), **{key: file[key] for key in ("name", "type", "size")}}
        for file in content.get("files", ())
    ]
    return {**head, **content, **({"files": files} if files else {})}


def iso(at: datetime) -> str:
    """UTC, to the second."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def parts(content: Mapping[str, Any], address: Address) -> list[Json]:
    """A reply as the protocol's parts; one that is not written as it has to be is its words."""
    index = count()
    return [shown for part in _parsed(content) for shown in _part(part, address, index)]


def choices(content: Mapping[str, Any]) -> list[Choice]:
    """What can be tapped, by index."""
    return [choice for part in _parsed(content) for choice in _choices(part)]


def _parsed(content: Mapping[str, Any]) -> Sequence[Part]:
    try:
        return parse_reply(content)
    except ReplyError:
        text = str(content.get("text") or "")
        return [Text(text)] if text.strip() else []


def _choices(part: Part) -> Sequence[Choice]:
    match part:
        case Choices():
            return part.choices
        case Cards(cards):
            return [choice for card in cards for choice in card.choices]
    return []


def _part(part: Part, address: Address, index: Iterator[int]) -> Iterator[Json]:
    match part:
        case Text(text):
            yield {"kind": "text", "text": text}
        case Media(kind, file, caption):
            picture = kind in PICTURES
            named = {} if picture else {"name": _name(file)}
            yield {"kind": "picture" if picture else "file", "url": _url(file, address), **named, **_filled(text=caption)}
        case Choices():
            yield {"kind": "choices", **_frame(part, address), "choices": [_choice(each, index) for each in part.choices]}
        case Link() if _is_opened(part.url):
            yield {"kind": "link", **_frame(part, address), "title": part.title, "url": part.url}
        case LocationRequest():
            yield {"kind": "place_request", **_filled(text=part.text)}
        case DateRequest():
            yield {"kind": "date", **_filled(text=part.text), **_filled(**{"from": part.earliest, "to": part.latest})}
        case RatingRequest():
            yield {"kind": "rating", **_filled(text=part.text), "most": part.most}
        case Location(latitude, longitude, name, where):
            yield {"kind": "place", "latitude": latitude, "longitude": longitude, **_filled(name=name, address=where)}
        case Contacts(people):
            found = [{"name": each.name, "phones": list(each.phones), "emails": list(each.emails)} for each in people]
            yield {"kind": "people", "people": found}
        case Cards(cards):
            yield {"kind": "cards", "cards": [_card(card, address, index) for card in cards]}
        case Framed() if part.text:  # what other channels' providers keep: here its words
            yield {"kind": "text", "text": part.text}


def _frame(part: Framed, address: Address) -> Json:
    picture = _url(part.picture, address) if part.picture else ""
    return _filled(text=part.text, picture=picture, header=part.header, footer=part.footer)


def _choice(choice: Choice, index: Iterator[int]) -> Json:
    return {"index": next(index), "title": choice.title, **_filled(description=choice.description, section=choice.section)}


def _card(card: Card, address: Address, index: Iterator[int]) -> Json:
    links = [{"title": title, "url": url} for title, url in card.links if _is_opened(url)]
    picture = _url(card.picture, address) if card.picture else ""
    return {
        "text": card.text,
        **_filled(picture=picture),
        "choices": [_choice(each, index) for each in card.choices],
        "links": links,
    }


def _url(file: File, address: Address) -> str:
    return file.address if file.is_link else address(file.address)


def _name(file: File) -> str:
    return file.name or file.address.partition("?")[0].rpartition("/")[2]


def _is_opened(url: str) -> bool:
    return url.strip().lower().startswith(OPENED)


def _filled(**values: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}
