"""Where the language of a conversation stands: the language detector's entities, and the slots that they fill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

LANGUAGE = "language"  # key of a training example: that of the folder in which it stands
LANGUAGE_SLOTS = ("language", "language_hint", "device_language")  # the surest first


def surest_language(entities: Iterable[Mapping[str, Any]]) -> tuple[str, str] | None:
    """(the language, by which entity) that the surest of these entities tells; None where none tells any."""
    found = {entity["entity"]: str(entity["value"]) for entity in entities}
    return next(((found[name], name) for name in LANGUAGE_SLOTS if name in found), None)
