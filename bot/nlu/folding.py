"""Folding of what people type on a phone: case and accents, one character for one, so that offsets stay true."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


def fold(text: str) -> str:
    """Lower case without accents, of the same length: "¿Dónde ESTÁ?" becomes "¿donde esta?"."""
    return "".join(map(_fold_character, text))


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    base = unicodedata.normalize("NFKD", character.lower())[:1]
    return base or character
