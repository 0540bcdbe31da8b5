"""What the desk's page sends: JSON of a limited size, read field by field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sanic.request import Request

from bot.channels.bodies import body_of
from desk.errors import DeskError, bad_request

MOST_BYTES = 64 * 1024
LONGEST_TEXT = 500  # characters, where a route says nothing else
BIGGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Fields:
    """A JSON object. Each question raises DeskError (bad_request, with the field) where the answer is of another kind."""

    values: dict[str, Any]

    def text(self, name: str, most: int = LONGEST_TEXT) -> str:
        """A text that is not empty, of at most so many characters."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            raise bad_request(name)
        return value

    def text_or_none(self, name: str, most: int = LONGEST_TEXT) -> str | None:
        """None where it is left out, null, or empty."""
        return self.text(name, most) if self.values.get(name) not in (None, "") else None

    def number(self, name: str, least: int = 0, most: int = BIGGEST_NUMBER) -> int:
        value = self.values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise bad_request(name)
        return value

    def flag(self, name: str) -> bool:
        """False where it is left out."""
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            raise bad_request(name)
        return value


async def fields_of(request: Request, most: int = MOST_BYTES) -> Fields:
    """The body of a route that streams: no more of it is read than it may have. Raises DeskError (too_large, bad_request)."""
    body = await body_of(request, most)
    if body is None:
        raise DeskError(413, "too_large", most=most)
    try:
        values = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise bad_request("") from None
    if not isinstance(values, dict):
        raise bad_request("")
    return Fields(values)


def asked_number(request: Request, name: str) -> int | None:
    """A number in the address (`?before=12`); None where it is left out. Raises DeskError (bad_request)."""
    value = request.args.get(name)
    if value in (None, ""):
        return None
    if not value.isascii() or not value.isdecimal() or int(value) > BIGGEST_NUMBER:
        raise bad_request(name)
    return int(value)
