"""Where the language of a conversation stands: the language detector's entities, and the slots that they fill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from messaging.shop import default_language

LANGUAGE = "language"  # key of a training example: that of the folder in which it stands
LANGUAGE_SLOTS = ("language", "language_hint", "device_language")  # the surest first


def surest_language(entities: Iterable[Mapping[str, Any]]) -> tuple[str, str] | None:
    """(the language, by which entity) that the surest of these entities tells; None where none tells any."""
    found = {entity["entity"]: str(entity["value"]) for entity in entities}
    return next(((found[name], name) for name in LANGUAGE_SLOTS if name in found), None)


_before: ContextVar[Mapping[str, Any]] = ContextVar("language slots before the message")


@contextmanager
def known_before(slots: Mapping[str, Any]) -> Iterator[None]:
    """While a message is parsed: the values of the conversation's slots, which no component is told."""
    token = _before.set(slots)
    try:
        yield
    finally:
        _before.reset(token)


def language_of_answer(entities: Iterable[Mapping[str, Any]]) -> str:
    """The language in which a message is answered: that of the slots once its entities have filled them."""
    said = {entity["entity"]: entity["value"] for entity in entities}
    filled = {**_before.get({}), **said}
    return str(next((filled[slot] for slot in LANGUAGE_SLOTS if filled.get(slot)), default_language()))
