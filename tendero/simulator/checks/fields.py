"""Reading a JSON object field by field; whatever is missing, unknown, too long or of another kind is told in Meta's errors."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from tendero.simulator.errors import GraphError

MOST = 4096


def wrong(details: str) -> GraphError:
    return GraphError(131009, details)


def missing(path: str) -> GraphError:
    return GraphError(131008, f"The parameter {path} is required.")


class Fields:
    """One object at a path such as `interactive['action']`. Every method raises GraphError."""

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise GraphError(100, f"Param {path or 'body'} must be a JSON object.")
        self._value: dict[str, Any] = value
        self.path = path

    def at(self, name: str) -> str:
        return f"{self.path}['{name}']" if self.path else name

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def raw(self, name: str) -> Any:
        return self._value.get(name)

    def only(self, *names: str) -> None:
        if unknown := sorted(set(self._value) - set(names)):
            raise GraphError(100, f'Unexpected key "{unknown[0]}" on param "{self.path or "body"}".')

    def need(self, *names: str) -> None:
        for name in names:
            if not self.has(name):
                raise missing(self.at(name))

    def one_of_two(self, first: str, second: str) -> None:
        """Exactly one of them."""
        if self.has(first) == self.has(second):
            raise wrong(f"Exactly one of {self.at(first)} and {self.at(second)} is required.")

    def text(self, name: str, longest: int = MOST) -> str:
        """A text that is there and says something. longest: in code points."""
        self.need(name)
        value = self._value[name]
        if not isinstance(value, str):
            raise GraphError(100, f"Param {self.at(name)} must be a string.")
        if not value.strip():
            raise missing(self.at(name))
        if len(value) > longest:
            raise wrong(f"{self.at(name)} has length {len(value)}. Min length: 1, Max length: {longest}.")
        return value

    def maybe_text(self, name: str, longest: int = MOST) -> str | None:
        return self.text(name, longest) if self.has(name) else None

    def choice(self, name: str, allowed: Collection[str]) -> str:
        value = self.text(name)
        if value not in allowed:
            raise GraphError(100, f"Param {self.at(name)} must be one of {{{', '.join(sorted(allowed))}}} - got {value!r}.")
        return value

    def pattern(self, name: str, pattern: str, told: str) -> str:
        value = self.text(name)
        if not re.fullmatch(pattern, value):
            raise wrong(f"{self.at(name)} {told}.")
        return value

    def address(self, name: str) -> str:
        """A full http(s) address."""
        value = self.text(name)
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value):
            raise wrong(f"{self.at(name)} is not a valid URI: http or https with a host.")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        """A number, also where it is written as text."""
        self.need(name)
        try:
            value = float("nan") if isinstance(self._value[name], bool) else float(self._value[name])
        except (TypeError, ValueError):
            value = float("nan")
        if not low <= value <= high:
            raise wrong(f"{self.at(name)} must be a number from {low:g} to {high:g}.")
        return value

    def whole(self, name: str, low: int, high: int) -> int:
        value = self.number(name, low, high)
        if value != int(value):
            raise wrong(f"{self.at(name)} must be a whole number.")
        return int(value)

    def flag(self, name: str) -> bool | None:
        value = self._value.get(name)
        if value is not None and not isinstance(value, bool):
            raise GraphError(100, f"Param {self.at(name)} must be a boolean.")
        return value

    def object(self, name: str) -> Fields:
        self.need(name)
        return Fields(self._value[name], self.at(name))

    def maybe_object(self, name: str) -> Fields | None:
        return self.object(name) if self.has(name) else None

    def items(self, name: str, least: int, most: int) -> list[Fields]:
        """The objects of an array."""
        self.need(name)
        value = self._value[name]
        if not isinstance(value, list):
            raise GraphError(100, f"Param {self.at(name)} must be an array.")
        if not least <= len(value) <= most:
            raise wrong(f"{self.at(name)} has {len(value)} items. Min: {least}, Max: {most}.")
        return [Fields(each, f"{self.at(name)}[{index}]") for index, each in enumerate(value)]


def unique(values: Collection[str], what: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise wrong(f"{what} must be unique in a message: {value!r} is there twice.")
        seen.add(value)
