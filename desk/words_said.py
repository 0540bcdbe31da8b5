"""What was said, in words and parts for people at the desk: never a payload, a path, or a one-time code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.channels.spoken import COMMAND, NOT_A_COMMAND
from bot.channels.webchat.shown import parts
from messaging.models import InboundMessage
from messaging.turns.inbox import ERASED, REVOKED

Json = dict[str, Any]
Address = Callable[[str], str]  # where a browser gets a file

PICTURES = ("image", "sticker")
_SHARED = re.compile(r"/share_(\w+)$")
_COMMAND = re.compile(r"/([\w.+-]{1,64})")


def words_of(row: InboundMessage, title: str = "") -> str:
    """What the shopper wrote or tapped; what was shared by its kind ("[picture]"). title: of a button, where none was told."""
    details = row.details or {}
    spoken = details.get("words") or details.get("tapped") or title
    if spoken:
        return str(spoken)
    shared = _SHARED.match(row.text)
    if shared:
        return f"[{shared[1]}]"
    command = _COMMAND.match(row.text) if row.text.startswith(COMMAND) else None
    return f"[{command[1]}]" if command else row.text.removeprefix(NOT_A_COMMAND)


def needs_title(row: InboundMessage) -> bool:
    """Whether only a button that was shown before says what was tapped."""
    details = row.details or {}
    is_command = row.text.startswith(COMMAND) and not _SHARED.match(row.text)
    return is_command and not (details.get("words") or details.get("tapped"))


def parts_of_message(row: InboundMessage, files: Sequence[Json], title: str, clean: Callable[[str], str]) -> list[Json]:
    """What the shopper sent. files: as parts. clean: takes codes out of what was written."""
    details = row.details or {}
    if details.get(REVOKED) or details.get(ERASED):
        return []
    shown = [*files, *_places(details), *_people(details), *_cart(details)]
    words = words_of(row, title)
    is_named_by_a_part = bool(shown) and _SHARED.match(row.text) and not details.get("words")
    return shown if is_named_by_a_part or not words else [*shown, {"kind": "text", "text": clean(words)}]


def parts_of_reply(content: Mapping[str, Any], address: Address) -> list[Json]:
    """What the shopper was shown."""
    return [_without_index(part) for part in parts(content, address)]


def first_words_of_reply(content: Mapping[str, Any]) -> str:
    """For a list: its words, or else what it is."""
    shown = parts_of_reply(content, address=str)
    return next((str(part["text"]) for part in shown if part.get("text")), f"[{shown[0]['kind']}]" if shown else "")


def _without_index(part: Json) -> Json:
    """Nothing can be tapped at the desk: a choice is its title."""
    if "choices" in part:
        part = {**part, "choices": [{key: each[key] for key in each if key != "index"} for each in part["choices"]]}
    if "cards" in part:
        part = {**part, "cards": [_without_index(card) for card in part["cards"]]}
    return part


def _places(details: Mapping[str, Any]) -> Iterator[Json]:
    place = details.get("location")
    if isinstance(place, Mapping):
        known = ("latitude", "longitude", "name", "address")
        yield {"kind": "place", **{key: place[key] for key in known if place.get(key) is not None}}


def _people(details: Mapping[str, Any]) -> Iterator[Json]:
    people = details.get("contacts")
    if isinstance(people, list) and people:
        named = [each for each in people if isinstance(each, Mapping)]
        yield {
            "kind": "people",
            "people": [
                {"name": str(each.get("name") or ""), "phones": list(each.get("phones") or []), "emails": []} for each in named
            ],
        }


def _cart(details: Mapping[str, Any]) -> Iterator[Json]:
    cart = details.get("cart")
    if isinstance(cart, list) and cart:
        lines = [f"{each.get('quantity')} × {each.get('sku')}" for each in cart if isinstance(each, Mapping)]
        yield {"kind": "text", "text": "\n".join(lines)}
