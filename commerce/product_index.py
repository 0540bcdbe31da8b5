"""Finding products by words, in memory: tolerant to typos, plurals and the language of the word.

The index is made from the catalogue's rows as the database gives them and is kept for as long as these do not change,
so it is never stale and costs one light query a search.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from commerce.models import Category, Product, ShopSetting

SYNONYMS_SETTING = "catalog.synonyms"  # [["sneakers", "tenis", "zapatillas"], ...]: single words that mean the same

# How much a match counts by where the word stands.
NAME, FOREIGN_NAME, BRAND, CATEGORY, ATTRIBUTE, DESCRIPTION = 1.0, 0.9, 0.9, 0.8, 0.6, 0.3
SYNONYM, PREFIX, TYPO = 0.9, 0.85, 0.8
LEAST_SCORE = 0.3
LEAST_OF_BEST = 0.5  # what is not half as good as the best hit is not shown beside it

_PLAIN = str.maketrans({"ø": "o", "æ": "ae", "ð": "d", "ł": "l"})

Weights = dict[int, float]
"""Product id to how well it fits, 0 to 1."""


@dataclass(frozen=True)
class Entry:
    """A product as the index knows it."""

    product_id: int
    handle: str
    category: str
    brand: str | None


@dataclass(frozen=True)
class Index:
    """`words[word][product_id][language]`: the word's weight there; the language "" is any."""

    entries: Mapping[int, Entry]
    words: Mapping[str, Mapping[int, Mapping[str, float]]]
    synonyms: Mapping[str, frozenset[str]]

    def rank(self, words: str, language: str) -> list[tuple[Entry, float]]:
        """Products that fit the words, best first, with a score from 0 to 1."""
        total: Weights = {}
        importance = 0.0
        for word in tokens(words):
            found = self._find(word, language)
            weight = math.log(1 + len(self.entries) / len(found)) if found else 1.0
            importance += weight
            for product_id, fit in found.items():
                total[product_id] = total.get(product_id, 0.0) + weight * fit
        scores = {product_id: value / importance for product_id, value in total.items()}
        least = max(LEAST_SCORE, LEAST_OF_BEST * max(scores.values(), default=0.0))
        kept = [(self.entries[product_id], score) for product_id, score in scores.items() if score >= least]
        return sorted(kept, key=lambda hit: (-round(hit[1], 3), hit[0].handle))

    def expand(self, word: str) -> frozenset[str]:
        """The word and those that mean the same."""
        return self.synonyms.get(word, frozenset()) | {word}

    def _find(self, word: str, language: str) -> Weights:
        found: Weights = {}
        for known, likeness in self._alike(word):
            for product_id, weights in self.words[known].items():
                weight = max(weights.get(language, 0.0), weights.get("", 0.0))
                found[product_id] = max(found.get(product_id, 0.0), likeness * weight)
        return found

    def _alike(self, word: str) -> Iterator[tuple[str, float]]:
        for same in self.expand(word) & self.words.keys():
            yield same, 1.0 if same == word else SYNONYM
        if len(word) >= 4:
            yield from ((known, PREFIX) for known in self.words if known.startswith(word) and known != word)
        yield from ((known, TYPO) for known in self._misspelt(word, self.words))
        for known in self._misspelt(word, self.synonyms):
            yield from ((same, TYPO * SYNONYM) for same in self.synonyms[known] & self.words.keys())

    def _misspelt(self, word: str, among: Mapping[str, Any]) -> list[str]:
        if word in self.words or word in self.synonyms or not (typos := allowed_typos(word)):
            return []
        near = process.extract(word, among.keys(), scorer=OSA.distance, score_cutoff=typos, limit=None)
        # The shorter word allows for fewer: "gafa" is no misspelt "falda".
        return [known for known, distance, _ in near if distance <= allowed_typos(known)]


def allowed_typos(word: str) -> int:
    return 0 if len(word) < 4 else 1 if len(word) < 7 else 2


def fold(text: str) -> str:
    """Lower case without accents: "Camisón" is "camison"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def tokens(text: str) -> list[str]:
    """The folded, singular words; those of one or two letters only where there are no others."""
    words = re.findall(r"[^\W_]+", re.sub(r"\b(\w)-", r"\1", fold(text)))  # "t-shirt" is one word
    return list(dict.fromkeys(singular(word) for word in words if len(word) > 2)) or words


def singular(word: str) -> str:
    """A folded word without the ending of a plural."""
    # Good for Spanish, English and Portuguese alike; a wrong stem is still the same stem on both sides.
    if len(word) > 4 and word.endswith("es") and word[-3] not in "aeiou":
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def load_index(session: Session) -> Index:
    """The index of the catalogue as it is now."""
    statement = (
        select(
            Product.id,
            Product.handle,
            Category.slug,
            Product.brand,
            cast(Product.names, Text).label("names"),
            cast(Category.names, Text).label("category_names"),
            cast(Product.attributes, Text).label("attributes"),
            cast(Product.descriptions, Text).label("descriptions"),
        )
        .join(Category)
        .order_by(Product.id)
    )
    synonyms = session.execute(select(cast(ShopSetting.value, Text)).where(ShopSetting.name == SYNONYMS_SETTING)).scalar()
    return _build(tuple(tuple(row) for row in session.execute(statement)), synonyms or "[]")


@lru_cache(maxsize=4)
def _build(rows: tuple[tuple[Any, ...], ...], synonyms: str) -> Index:
    words: dict[str, dict[int, dict[str, float]]] = {}
    entries = {}
    for product_id, handle, category, brand, *texts in rows:
        entries[product_id] = Entry(product_id, handle, category, brand)
        for word, language, weight in _weighed(brand, *(json.loads(text or "{}") for text in texts)):
            weights = words.setdefault(word, {}).setdefault(product_id, {})
            weights[language] = max(weights.get(language, 0.0), weight)
    return Index(entries, words, _synonyms(json.loads(synonyms)))


def _weighed(
    brand: str | None,
    names: Mapping[str, str],
    category_names: Mapping[str, str],
    attributes: Mapping[str, Any],
    descriptions: Mapping[str, str],
) -> Iterator[tuple[str, str, float]]:
    """Word, language and weight. A name counts a little less to those who speak another language."""
    for language, name in names.items():
        for word in tokens(name):
            yield word, language, NAME
            yield word, "", FOREIGN_NAME
    fields: list[tuple[float, list[Any]]] = [
        (BRAND, [brand or ""]),
        (CATEGORY, list(category_names.values())),
        (ATTRIBUTE, [text for value in attributes.values() for text in _texts(value)]),
        (DESCRIPTION, list(descriptions.values())),
    ]
    for weight, texts in fields:
        for word in (word for text in texts for word in tokens(str(text))):
            yield word, "", weight


def _texts(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else [value]


def _synonyms(groups: list[list[str]]) -> dict[str, frozenset[str]]:
    same: dict[str, frozenset[str]] = {}
    for group in groups:
        folded = frozenset(word for text in group for word in tokens(text))
        for word in folded:
            same[word] = same.get(word, frozenset()) | folded
    return same
