"""What an act is told by the page, and how that is read: nothing is believed, each fault is a `bad_request` with its field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from desk.errors import bad_request
from desk.in_words import Json, title
from desk.requests import BIGGEST_NUMBER, Fields
from messaging.masking import mask

Kind = Literal["choice", "lines", "money", "number", "text", "flag"]

MOST_MINOR = 1_000_000_000
MOST_POINTS = 10_000_000
MOST_LINES, MOST_PIECES = 100, 1000
SHORTEST_REASON, LONGEST_REASON = 3, 200


@dataclass(frozen=True)
class Parameter:
    """choices: what it may be, each with `value` and `title`; of `lines` with `order_number` and the `most` pieces too."""

    name: str
    type: Kind
    is_required: bool = True
    choices: Sequence[Json] | None = None

    def shown(self, language: str) -> Json:
        told: Json = {"name": self.name, "title": title("param", self.name, language), "type": self.type}
        choices = {"choices": list(self.choices)} if self.choices is not None else {}
        return {**told, **choices, "required": self.is_required}


def choices(kind: str, values: Sequence[str], language: str) -> list[Json]:
    return [{"value": value, "title": title(kind, value, language)} for value in values]


def one_of(fields: Fields, name: str, values: Sequence[str]) -> str:
    value = fields.text(name)
    if value not in values:
        raise bad_request(name)
    return value


def money(fields: Fields, name: str) -> tuple[int, str]:
    """Above 0, in minor units, and the currency."""
    value = fields.values.get(name)
    if not isinstance(value, dict):
        raise bad_request(name)
    minor, currency = value.get("minor"), value.get("currency")
    if not _is_whole(minor, 1, MOST_MINOR) or not isinstance(currency, str) or not re.fullmatch(r"[A-Z]{3}", currency):
        raise bad_request(name)
    return int(minor), currency


def points(fields: Fields, name: str) -> int:
    """Given or taken; not 0."""
    value = fields.values.get(name)
    if not _is_whole(value, -MOST_POINTS, MOST_POINTS) or value == 0:
        raise bad_request(name)
    return int(value)  # type: ignore[arg-type]


def lines(fields: Fields, name: str) -> list[dict[str, int]]:
    """At least one piece of each of some lines, each line once."""
    value = fields.values.get(name)
    if not isinstance(value, list) or not 0 < len(value) <= MOST_LINES or not all(map(_is_line, value)):
        raise bad_request(name)
    named = {each["line_id"]: each["quantity"] for each in value}
    if len(named) < len(value):
        raise bad_request(name)
    return [{"line_id": line_id, "quantity": quantity} for line_id, quantity in named.items()]


def reason(fields: Fields, name: str = "reason") -> str:
    """Words for the books, without what must not be kept."""
    value = " ".join(fields.text(name, LONGEST_REASON).split())
    if len(value) < SHORTEST_REASON:
        raise bad_request(name)
    return mask(value).text


def _is_line(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return _is_whole(value.get("line_id"), 1, BIGGEST_NUMBER) and _is_whole(value.get("quantity"), 1, MOST_PIECES)


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
