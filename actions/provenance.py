"""Where what the assistant knows of a task came from: what the shopper wrote or tapped, the shop's records, or its rules.

Read from the conversation's events: a value belongs to the message after which it was first set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple

From = Literal["said", "chosen", "account", "policy"]
Event = Mapping[str, Any]

CHOICE = "choice"  # entity of a tapped button: "slot:value"
# Where the rules leave one way only, it is taken without asking.
BY_POLICY = frozenset({"return_method", "refund_to", "package", "resolution", "new_payment_method"})
# By which entities of a message a slot can be filled, beside the answer to its question.
ENTITIES: Mapping[str, frozenset[str]] = {
    "order_number": frozenset({"order_number", "rma_number", "tracking_number", "placed_on", "ordinal", "other"}),
    "line_id": frozenset({"sku", "product", "category", "brand", "color", "size", "ordinal", "other"}),
    "return_items": frozenset({"sku", "product", "category", "brand", "color", "size", "ordinal", "other"}),
    "cancel_reason": frozenset({"reason"}),
    "return_reason": frozenset({"reason", "problem"}),
    "package": frozenset({"package"}),
    "return_method": frozenset({"return_method"}),
    "refund_to": frozenset({"refund_to"}),
    "new_variant": frozenset({"sku", "color", "size", "bare_size"}),
    "new_address": frozenset({"postcode", "city"}),
    "new_payment_method": frozenset({"payment_method", "refund_to"}),
    "problem": frozenset({"problem", "reason"}),
    "resolution": frozenset({"refund_to", "other"}),
    "points": frozenset({"points", "amount"}),
}
ALIKE = {"last_order": "order_number"}  # a slot that takes over what another one held


class Said(NamedTuple):
    """A message of the shopper, as people read it. asked: the slot whose question it answers."""

    event: Event
    words: str
    asked: str | None


def sources(collected: Iterable[str], events: Sequence[Event], said: Iterable[Said]) -> dict[str, dict[str, Any]]:
    """{slot: {"from", "text", "at"}} of these slots, as far as the events go back. `text` is empty where nobody said it.

    events: of the tracker, with those of this turn. said: its messages in their order, one for each event "user" that is heard.
    """
    heard = {id(each.event): each for each in said}
    found = {}
    for slot in collected:
        origin = _origin(slot, events, heard)
        if origin is not None:
            found[slot] = origin
    return found


def _origin(slot: str, events: Sequence[Event], heard: Mapping[int, Said]) -> dict[str, Any] | None:
    """Of the value that it has now: emptied in between and filled with the same again, it is as old as the first."""
    names = (slot, ALIKE.get(slot, slot))
    origin: tuple[Said | None, Event] | None = None
    value = None
    for message, event in _sets(names, events, heard):
        if event.get("value") not in (None, value):
            value, origin = event["value"], (message, event)
    if origin is None:
        return None
    message, event = origin
    how = _how(names[-1], value, message)
    told = message if how in ("said", "chosen") else None
    at = (told.event if told is not None else event).get("timestamp") or (message.event.get("timestamp") if message else None)
    return {"from": how, "text": told.words if told is not None else "", "at": _iso(at)}


def _sets(names: Sequence[str], events: Sequence[Event], heard: Mapping[int, Said]) -> Iterator[tuple[Said | None, Event]]:
    """Each event that sets one of these slots, with the message before it."""
    message = None
    for event in events:
        message = heard.get(id(event), message)
        if event.get("event") == "slot" and event.get("name") in names:
            yield message, event


def _how(slot: str, value: Any, message: Said | None) -> From:
    entities, meant = _entities(message), ENTITIES.get(slot, frozenset())
    if any(name == CHOICE and given.partition(":")[0] == slot for name, given in entities):
        return "chosen"
    is_named = any(name in meant or given == _plain(value) for name, given in entities if name != CHOICE)
    if message is not None and (is_named or message.asked == slot):
        return "said"
    return "policy" if slot in BY_POLICY else "account"


def _entities(message: Said | None) -> list[tuple[str, str]]:
    parsed = (message.event.get("parse_data") or {}) if message is not None else {}
    return [(str(each.get("entity")), str(each.get("value"))) for each in parsed.get("entities") or []]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _iso(seconds: Any) -> str | None:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat() if isinstance(seconds, int | float) else None
