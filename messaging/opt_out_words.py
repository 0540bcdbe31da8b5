"""The words that end and begin what a shop sends unasked ("STOP", "START"): only where they are the whole message."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Literal

from messaging.kept import kept
from messaging.word_lists import PATTERNS, read_words

Wish = Literal["stop", "start"]
KINDS = frozenset({"stop", "start"})
LONGEST = 60  # characters: no wish of the list is longer

_AROUND = re.compile(r"^[\W_]+|[\W_]+$")


def wish_in(text: str) -> Wish | None:
    """The wish that this message is. None: it is another message, even if such a word is in it."""
    if len(text) > LONGEST:
        return None
    return _words().get(_folded(text))


@kept
def _words(file: Path = PATTERNS / "opt_out.yml") -> dict[str, Wish]:
    lists = read_words(file, "opt_out", KINDS)
    wishes: tuple[Wish, ...] = ("stop", "start")
    return {_folded(word): wish for wish in wishes for word in lists[wish]}


def _folded(text: str) -> str:
    """Lower case without accents, and without signs around it: "¡Baja!" is "baja"."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(_AROUND.sub("", plain).split())
