"""Folding of what people type on a phone: case and accents, one character for one, so that offsets stay true.

Norwegian "ø" is typed as "o" too. "æ" stays: it would be two letters, and alone it is a word ("æ", I). Phones write "it’s".
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

SAME = {"ø": "o", "’": "'", "‘": "'", "´": "'", "`": "'"}
DIGIT = re.compile(r"\d")
DRAWN_OUT = re.compile(r"([^\W\d])\1{2,}")


def fold(text: str) -> str:
    """Lower case without accents, of the same length: "¿Dónde ESTÁ?" becomes "¿donde esta?", "Størrelse" "storrelse"."""
    return "".join(map(_fold_character, text))


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    lower = character.lower()
    return SAME.get(lower) or unicodedata.normalize("NFKD", lower)[:1] or character


def shape(text: str) -> str:
    """Folded, and every number of so many digits alike."""
    return DIGIT.sub("0", fold(text))


def plain(text: str) -> str:
    """Lower case, numbers of so many digits alike, nothing drawn out: "HOLAAA, ¿y el 10234?" becomes "hola, ¿y el 00000?"."""
    return DIGIT.sub("0", DRAWN_OUT.sub(r"\1", text.lower()))
