"""Finds the names of a catalogue in messages: an index over their words, so that 50,000 names cost no more than fifty."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from commerce.catalog import Pace, Vocabulary
from commerce.names.mentions import Mention
from commerce.names.phrases import Phrase, Phrases
from commerce.names.products import ProductName, ProductNames
from commerce.names.reading import Span, runs
from commerce.names.sizes import Place, Sizes
from commerce.names.skus import Skus
from commerce.names.spelling import Spelling
from commerce.names.words import Words, folded, name_words

PLACES = ("city", "store")
LONGEST = 500  # characters looked at: what comes after them in a message is no question for a thing


class NameIndex:
    """Safe to share between threads. pace: as of `catalog.vocabulary`."""

    def __init__(self, vocabulary: Vocabulary, words: Words, pace: Pace = iter) -> None:
        self._words = words
        phrases = [phrase for phrase in _phrases(vocabulary, words) if phrase.written]
        common = frozenset(word for phrase in phrases for word in phrase.words if phrase.kind not in PLACES)
        self._products = ProductNames(pace(_product_names(vocabulary, words)), common, words)
        self._phrases = Phrases(phrases, _sold_by(vocabulary, words, pace), words)
        every = frozenset({*self._products.words, *(word for phrase in phrases for word in phrase.words)})
        known = words.known | words.ordinary | words.size | words.brand
        self._spelling = Spelling(every, known)
        self._skus = Skus(pace(vocabulary.skus), known | every | words.joining | words.separating, words)
        self._sizes = Sizes(vocabulary, words)

    def find(self, text: str, taken: Sequence[Span] = (), said: Sequence[Place] = ()) -> list[Mention]:
        """The names in this text in their order; none overlaps another of its kind. taken: places that are something else. said:
        what is known to be named in it already."""
        text = text[:LONGEST]
        skus = self._skus.find(text, taken)
        taken = [*taken, *((sku.start, sku.end) for sku in skus)]
        named = [
            mention
            for run in runs(text, taken, self._spelling, self._words)
            for mention in (*self._phrases.find(run), *self._products.find(run))
            if not self._sizes.is_cut_short(text, _place(mention))  # "38,5" is no 38
        ]
        found = [*skus, *named, *self._sizes.find(text, taken, [*said, *map(_place, named)])]
        return sorted(found, key=lambda mention: (mention.start, mention.end, mention.kind))


def _place(mention: Mention) -> Place:
    return mention.kind, mention.value, mention.start, mention.end


def _product_names(vocabulary: Vocabulary, words: Words) -> Iterator[ProductName]:
    """One for each different name of a product; names that differ by language only in how they are written are one."""
    of_brand = {brand: name_words(brand, words) for brand in vocabulary.brands}
    for handle, names in vocabulary.products.items():
        besides = of_brand.get(vocabulary.brand_of.get(handle, ""), ())
        different = {
            folded(own): (name, own) for name, own in reversed([(name, name_words(name, words)) for name in names.values()])
        }
        yield from (ProductName(handle, name, own, besides) for name, own in different.values() if own)


def _phrases(vocabulary: Vocabulary, words: Words) -> Iterator[Phrase]:
    """Where designers say what something is called, the catalogue's own name for it does not count: at home is no "Home"."""
    values: dict[str, dict[str, tuple[str, ...]]] = {
        "category": {slug: tuple(names.values()) for slug, names in vocabulary.categories.items()},
        "color": {value: (value,) for value in vocabulary.options.get("color", ())},
        "size": {value: (value,) for value in vocabulary.options.get("size", ())},
        "brand": {brand: (brand,) for brand in vocabulary.brands},
        "city": {city: (city,) for city in vocabulary.cities},
        "store": _store_names(vocabulary, words),
    }
    said = defaultdict(list)
    for kind, value, phrase in words.said:
        if value in values.get(kind, ()):
            said[kind, value].append(phrase)
    for kind, names_of in values.items():
        for value, names in names_of.items():
            if kind == "store" or (kind, value) not in said:
                yield from (Phrase(kind, value, name, name_words(name, words)) for name in names)
            phrases = [(phrase, name_words(phrase, words)) for phrase in said[kind, value]]
            yield from (Phrase(kind, value, phrase, own, True) for phrase, own in phrases if len(phrase.split()) == len(own) == 1)


def _store_names(vocabulary: Vocabulary, words: Words) -> dict[str, tuple[str, ...]]:
    """Each store's name, and what of it no other store's has: "Mercado Aurora Roma Norte", "Roma Norte"."""
    common = Counter(word for name in vocabulary.stores.values() for word in set(folded(name_words(name, words))))
    own = {
        code: " ".join(word.full for word in name_words(name, words) if common[word.folded] == 1)
        for code, name in vocabulary.stores.items()
    }
    return {code: (name, *([own[code]] if len(vocabulary.stores) > 1 else [])) for code, name in vocabulary.stores.items()}


def _sold_by(vocabulary: Vocabulary, words: Words, pace: Pace) -> dict[str, frozenset[str]]:
    """The words of the names of what a brand sells, for each brand."""
    found: dict[str, set[str]] = defaultdict(set)
    for handle, brand in pace(vocabulary.brand_of.items()):
        for name in vocabulary.products[handle].values():
            found[brand].update(folded(name_words(name, words)))
    return {brand: frozenset(own - set(folded(name_words(brand, words)))) for brand, own in found.items()}
