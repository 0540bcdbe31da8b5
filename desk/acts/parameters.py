"""What an act is told by the page, and how that is read: nothing is believed, each fault is a `bad_request` with its field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from desk.errors import bad_request
from desk.in_words import Json, title
from desk.requests import Fields
from messaging.masking import mask

Kind = Literal["choice", "choices", "money", "number", "text", "boolean"]

MOST_MINOR = 1_000_000_000
MOST_POINTS = 10_000_000
MOST_CHOICES, LONGEST_CHOICE = 100, 64
SHORTEST_REASON, LONGEST_REASON = 3, 200


@dataclass(frozen=True)
class Parameter:
    """choices: what it may be, each with `value` and `title`. currency: of money."""

    name: str
    type: Kind
    is_required: bool = True
    choices: Sequence[Json] | None = None
    currency: str | None = None

    def shown(self, language: str) -> Json:
        told: Json = {"name": self.name, "title": title("param", self.name, language), "type": self.type}
        choices = {"choices": list(self.choices)} if self.choices is not None else {}
        currency = {"currency": self.currency} if self.currency is not None else {}
        return {**told, **choices, **currency, "required": self.is_required}


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
    currency = value.get("currency")
    if not isinstance(currency, str) or not re.fullmatch(r"[A-Z]{3}", currency):
        raise bad_request(name)
    return _whole(value.get("minor"), 1, MOST_MINOR, name), currency


def points(fields: Fields, name: str) -> int:
    """Given or taken; not 0."""
    value = _whole(fields.values.get(name), -MOST_POINTS, MOST_POINTS, name)
    if value == 0:
        raise bad_request(name)
    return value


def several(fields: Fields, name: str) -> list[str]:
    """At least one of the choices, each once; a single one may come as it is."""
    value = fields.values.get(name)
    chosen: Any = [value] if isinstance(value, str) else value
    if not isinstance(chosen, list) or not 0 < len(chosen) <= MOST_CHOICES:
        raise bad_request(name)
    named = [each for each in chosen if isinstance(each, str) and 0 < len(each) <= LONGEST_CHOICE]
    if len(set(named)) < len(chosen):
        raise bad_request(name)
    return named


def reason(fields: Fields, name: str = "reason") -> str:
    """Words for the books, without what must not be kept."""
    value = " ".join(fields.text(name, LONGEST_REASON).split())
    if len(value) < SHORTEST_REASON:
        raise bad_request(name)
    return mask(value).text


def _whole(value: Any, least: int, most: int, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise bad_request(name)
    return value
