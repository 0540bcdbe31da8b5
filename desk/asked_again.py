"""Whether a person asks a shopper for what the assistant has passed on already: by words, and so an estimate.

AskedAgainError    a list of words cannot be used; the message names the file
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from messaging.kept import kept
from messaging.labels import DEFAULT_LANGUAGE, data_folder

CONTACT = "contact"  # an e-mail or a phone number
# fact in data/desk/asked_again: under which names it is among what was collected
KNOWN_AS: Mapping[str, tuple[str, ...]] = {
    "order_number": ("order_number", "last_order"),
    "email": (CONTACT,),
    "phone": (CONTACT,),
    "item": ("return_items", "line_id", "new_variant"),
    "reason": ("return_reason", "cancel_reason", "problem"),
    "refund_to": ("refund_to",),
    "address": ("new_address",),
    "picture": ("files",),
}
OF_ACCOUNT = frozenset({"email", "phone"})  # the shop has them of its customers
_SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]?")


class AskedAgainError(Exception):
    """A list of words cannot be used."""


@dataclass(frozen=True)
class Words:
    asks: tuple[str, ...]
    facts: Mapping[str, tuple[str, ...]]


def asked_again(text: str, language: str, collected: Mapping[str, Any], is_customer: bool) -> list[str]:
    """The facts that this message of an agent's asks for though they were known. is_customer: whose account is known, too."""
    every = kept_words()
    words = every.get(language) or every[DEFAULT_LANGUAGE]
    known = [fact for fact in words.facts if _is_known(fact, collected, is_customer)]
    sentences = [f" {_folded(sentence)} " for sentence in _SENTENCE.findall(text)]
    asking = [sentence for sentence in sentences if any(_has(sentence, word) for word in words.asks)]
    return [fact for fact in known if any(_has(sentence, word) for sentence in asking for word in words.facts[fact])]


def _is_known(fact: str, collected: Mapping[str, Any], is_customer: bool) -> bool:
    if fact in OF_ACCOUNT and collected.get(CONTACT):
        return is_customer or (fact == "email") == ("@" in str(collected[CONTACT]))
    return (is_customer and fact in OF_ACCOUNT) or any(collected.get(name) for name in KNOWN_AS[fact])


def _has(sentence: str, word: str) -> bool:
    sign = _folded(word)
    return re.search(rf"(?<!\w){re.escape(sign)}" if sign[0].isalnum() else re.escape(sign), sentence) is not None


def _folded(text: str) -> str:
    """In small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


@kept
def kept_words() -> Mapping[str, Words]:
    """By language. Raises AskedAgainError."""
    return load_words(data_folder() / "desk" / "asked_again")


def load_words(folder: Path) -> Mapping[str, Words]:
    """By language, one file each. Raises AskedAgainError."""
    return {file.stem: _read(file) for file in sorted(folder.glob("*.yml"))}


def _read(file: Path) -> Words:
    try:
        content = YAML(typ="safe", pure=True).load(file)
    except (OSError, YAMLError) as error:
        raise AskedAgainError(f"{file}: {error}") from error
    facts = content.get("facts") if isinstance(content, dict) else None
    if not isinstance(facts, dict) or not content.get("asks"):
        raise AskedAgainError(f"{file}: needs asks, and facts with a list of words each")
    if strange := sorted(set(facts) - set(KNOWN_AS)):
        raise AskedAgainError(f"{file}: facts: {', '.join(strange)}: they are {', '.join(KNOWN_AS)}")
    lists = [("asks", content["asks"]), *facts.items()]
    for name, words in lists:
        if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
            raise AskedAgainError(f"{file}: {name} must be a list of words")
    return Words(tuple(content["asks"]), {fact: tuple(words) for fact, words in facts.items()})
