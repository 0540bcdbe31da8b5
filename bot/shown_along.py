"""What comes along with the words of a message: pictures, an ad. Where the words say nothing, the message is about that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.nlu.folding import fold
from messaging.kept import kept
from messaging.word_lists import PATTERNS, read_words

GREETING = "greet"
OF_FILE = {"image": "share_picture", "video": "share_video", "document": "share_document"}
OPEN_AD = "open_ad"
CERTAIN = 1.0
KINDS = frozenset({"picture", "ad"})
WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")

Understood = dict[str, Any]


def with_what_was_shown(parsed: Understood, shown: Mapping[str, Any]) -> Understood:
    """The understood message, as that of what was shown where it says nothing itself. shown: the message's metadata."""
    text = str(parsed.get("text") or "")
    kind, meant = _meant(shown)
    if meant is None or text.startswith("/") or not (_intent(parsed) == GREETING or _says_nothing(text, kind)):
        return parsed
    intent = {"name": meant, "confidence": CERTAIN}
    return {**parsed, "intent": intent, "intent_ranking": [intent, *(parsed.get("intent_ranking") or [])]}


def with_language(parsed: Understood, shown: Mapping[str, Any]) -> Understood:
    """A command ("/share_picture") with the language that the channel tells: no component has looked at it."""
    known = {entity.get("entity") for entity in parsed.get("entities") or ()}
    language = shown.get("language")
    if not language or "device_language" in known or not str(parsed.get("text") or "").startswith("/"):
        return parsed
    told = {"entity": "device_language", "value": language, "start": 0, "end": 0}
    return {**parsed, "entities": [*(parsed.get("entities") or ()), told]}


def _meant(shown: Mapping[str, Any]) -> tuple[str, str | None]:
    """(the list of words beside it, the intent)."""
    kinds = [OF_FILE.get(str(each.get("kind"))) for each in shown.get("files") or () if isinstance(each, Mapping)]
    picture = next(filter(None, kinds), None)
    return ("picture", picture) if picture else ("ad", OPEN_AD if shown.get("referral") else None)


def _says_nothing(text: str, kind: str) -> bool:
    return set(WORDS.findall(fold(text))) <= _saying_nothing(kind)


@kept
def _saying_nothing(kind: str) -> frozenset[str]:
    words = read_words(PATTERNS / "shown_along.yml", "shown_along", KINDS)[kind]
    return frozenset(fold(word) for word in words)


def _intent(parsed: Understood) -> str:
    return str((parsed.get("intent") or {}).get("name") or "")
