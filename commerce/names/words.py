"""The words that stand around names, as the conversation's designers keep them; folded as the catalogue's own words are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from commerce.product_index import fold, singular

PLACED = re.compile(r"\b[^\W_]-[^\W_]+|[^\W_]+")  # "t-shirt" is one word


class Word(NamedTuple):
    """A folded word and where it stands in the text. folded: in the singular. full: as it was said."""

    folded: str
    full: str
    start: int
    end: int


@dataclass(frozen=True)
class Words:
    """said: (kind, canonical value, phrase) of what designers call things. elsewhere: words that are said of other things than
    goods; alone they name nothing, but for a place. known: words that are no misspelling of another. The others are explained
    in `data/patterns/catalogue.yml`."""

    said: tuple[tuple[str, str, str], ...] = ()
    ordinary: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    joining: frozenset[str] = frozenset()
    separating: frozenset[str] = frozenset()
    brand: frozenset[str] = frozenset()
    size: frozenset[str] = frozenset()
    of_size: frozenset[str] = frozenset()
    asking: frozenset[str] = frozenset()
    courtesy: frozenset[str] = frozenset()
    half: frozenset[str] = frozenset()
    measure: frozenset[str] = frozenset()
    dated: frozenset[str] = frozenset()
    exchanging: frozenset[str] = frozenset()
    sku: frozenset[str] = frozenset()
    numbered: frozenset[str] = frozenset()
    voucher: frozenset[str] = frozenset()
    parcel: frozenset[str] = frozenset()

    def names_nothing_alone(self, word: str) -> bool:
        return word in self.ordinary or word in self.elsewhere

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Words:
        """From plain lists, as a trained model keeps them."""
        lists = {name: _folded(given.get(name, ())) for name in cls.__dataclass_fields__ if name != "said"}
        return cls(said=tuple((kind, value, phrase) for kind, value, phrase in given.get("said", ())), **lists)


def placed_words(text: str) -> list[Word]:
    return [Word(*folded_word(found[0]), found.start(), found.end()) for found in PLACED.finditer(text)]


@lru_cache(maxsize=20_000)
def folded_word(word: str) -> tuple[str, str]:
    """In the singular, and as it was said."""
    full = fold(word.replace("-", ""))
    return singular(full), full


def name_words(name: str, words: Words) -> tuple[Word, ...]:
    """The words by which a name is known: without what is in brackets, and, unless it has no others, without "of" and "with"."""
    found = placed_words(re.sub(r"\([^)]*\)", " ", name))
    beside = words.joining | words.separating
    return tuple(each for each in found if each.folded not in beside) or tuple(found)


def folded(words: Iterable[Word]) -> tuple[str, ...]:
    return tuple(word.folded for word in words)


def _folded(words: Iterable[str] | Sequence[str]) -> frozenset[str]:
    return frozenset(each.folded for word in words for each in placed_words(str(word)))
