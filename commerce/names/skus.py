"""The shop's SKUs in messages: as they are but for capitals and the signs between their parts. A SKU that differs by one sign is
another thing, so nothing here is compared by likeness."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any

import numpy as np

from commerce.names.mentions import Mention
from commerce.names.reading import Span, overlaps
from commerce.names.words import Word, Words, placed_words
from commerce.product_index import fold

PART = re.compile(r"[^\W_]+")
WRITTEN = re.compile(r"(?<![\w@./-])[^\W_]+(?:-[^\W_]+)*(?![\w@/-]|\.\w)")  # in one, as on a label
ATTACHED = re.compile(r"[-_/.]?")
BETWEEN = re.compile(r" ?[-_/.]? ?")
SHORTEST = 5  # signs of one that is not called a SKU
MOST_PARTS = 8
BEGINNING = 3  # signs by which most words are known to begin no SKU
STRANGE_NUMBER = 3  # digits of a part that is no size and no quantity
SHAPE_PARTS, SHAPE_LETTERS = 3, 4  # what looks like a SKU of some shop: "TEN-0042-M", and no "BLACK-FRIDAY-20"
UNKNOWN = 0.0  # likeness of what is a SKU, but none of the shop's

_LOOKS_LIKE = str.maketrans({"o": "0", "i": "1"})

Numbers = np.ndarray[Any, Any]


class Skus:
    """All of them in one text, found by the hashes of how they are folded: some 30 bytes each. known: words of some language."""

    def __init__(self, skus: Iterable[str], known: frozenset[str], words: Words) -> None:
        self._known, self._words = known, words
        kept, hashes, ends = StringIO(), array("q"), array("q")
        first_parts, beginnings, longest = set(), set(), 0
        for sku in skus:
            ends.append(kept.tell() + len(sku))
            kept.write(sku)
            parts = PART.findall(sku.casefold())
            hashes.append(_hash(key := "".join(parts)))
            beginnings.add(_beginning(key))
            longest = max(longest, len(parts))
            if len(parts) >= SHAPE_PARTS:
                first_parts.add(parts[0])
        self._first_parts, self._beginnings = frozenset(first_parts), frozenset(beginnings)
        self._most = min(longest, MOST_PARTS) + 1  # one more: "TEN 00 42 M"
        self._ends, self._text = np.array(ends), kept.getvalue()
        every = np.array(hashes)
        self._order = np.argsort(every, kind="stable").astype(np.int32)
        self._hashes = every[self._order]

    def find(self, text: str, taken: Sequence[Span]) -> list[Mention]:
        """taken: places that are something else, unless they are within a whole SKU."""
        if not len(self._hashes):
            return []
        said = placed_words(text)
        known = list(self._known_in(text, taken, said))
        return [*known, *self._unknown_in(text, [*taken, *((each.start, each.end) for each in known)], said)]

    def _known_in(self, text: str, taken: Sequence[Span], said: Sequence[Word]) -> Iterator[Mention]:
        """The longest first; none overlaps another."""
        spans = sorted(self._windows(text), key=lambda span: (span[0] - span[1], span[0]))
        keys = [_key(text[slice(*span)]) for span in spans]
        hashes = np.array([_hash(key) for key in keys], dtype=np.int64)
        places = np.searchsorted(self._hashes, hashes)
        there = self._hashes[np.minimum(places, len(self._hashes) - 1)] == hashes
        found: list[Span] = []
        for number in np.flatnonzero(there):
            (start, end), key = spans[number], keys[number]
            sku = self._called(text[start:end], key, int(places[number]))
            if sku and not overlaps((start, end), found) and self._is_meant(text, (start, end), taken, said):
                found.append((start, end))
                yield Mention("sku", sku, sku, start, end, 1.0)

    def _windows(self, text: str) -> Iterator[Span]:
        """Parts that stand together as those of a SKU may; nothing that goes on after a hyphen is cut off."""
        parts = list(PART.finditer(text))
        for first, part in enumerate(parts):
            begin = _beginning("".join(each[0].casefold() for each in parts[first : first + BEGINNING]))
            if begin not in self._beginnings or (first and _is_attached(text, parts[first - 1].end(), part.start())):
                continue
            for last in range(first, min(first + self._most, len(parts))):
                if last > first and not BETWEEN.fullmatch(text, parts[last - 1].end(), parts[last].start()):
                    break
                if last + 1 == len(parts) or not _is_attached(text, parts[last].end(), parts[last + 1].start()):
                    yield part.start(), parts[last].end()

    def _called(self, written: str, key: str, place: int) -> str | None:
        """The SKU with this key; of several, the one that is written just so."""
        same: list[str] = []
        while place < len(self._hashes) and self._hashes[place] == _hash(key):
            number = int(self._order[place])
            begin = int(self._ends[number - 1]) if number else 0
            same.append(self._text[begin : int(self._ends[number])])
            place += 1
        looking = [sku for sku in same if _key(sku).translate(_LOOKS_LIKE) == key.translate(_LOOKS_LIKE)]
        exact = [sku for sku in looking if _key(sku) == key]
        verbatim = [sku for sku in exact if sku.casefold() == written.casefold()]
        fitting = verbatim or exact or looking
        return fitting[0] if len(fitting) == 1 else None

    def _is_meant(self, text: str, span: Span, taken: Sequence[Span], said: Sequence[Word]) -> bool:
        """Whether this is a SKU here, and no number of something else and no ordinary words."""
        before = _before(said, span[0])
        if _is_called(before, self._words.voucher) or any(_cuts(span, each) for each in taken):
            return False
        if _is_called(before, self._words.sku, self._words.numbered):
            return True
        if span in taken and _is_called(before, self._words.parcel, self._words.numbered):
            return False
        parts = [_key(part) for part in PART.findall(text[slice(*span)])]
        is_long = sum(map(len, parts)) >= SHORTEST and not all(part.isdigit() for part in parts)
        return is_long and any(map(self._is_strange, parts))

    def _is_strange(self, part: str) -> bool:
        """No word, no size and no quantity."""
        if part.isdigit():
            return len(part) >= STRANGE_NUMBER
        return len(part) > 1 and (not part.isalpha() or fold(part) not in self._known)

    def _unknown_in(self, text: str, taken: Sequence[Span], said: Sequence[Word]) -> Iterator[Mention]:
        """What is called a SKU or looks like one, and is none of the shop's."""
        for written in WRITTEN.finditer(text):
            before, parts = _before(said, written.start()), written[0].split("-")
            is_called = _is_called(before, self._words.sku, self._words.numbered)
            is_other = _is_called(before, self._words.voucher | self._words.parcel, self._words.numbered)
            looks = (is_called and _is_mixed(written[0]) and sum(map(len, parts)) >= SHORTEST) or self._looks_like_one(parts)
            if looks and not is_other and not overlaps(written.span(), taken):
                yield Mention("sku", written[0].upper(), written[0], *written.span(), UNKNOWN)

    def _looks_like_one(self, parts: Sequence[str]) -> bool:
        """By its beginning one of the shop's, or in the shape of many shops': "TEN-0042-M"."""
        if len(parts) < SHAPE_PARTS or not parts[0].isalpha() or sum(map(len, parts)) < SHORTEST:
            return False
        is_of_shop = _key(parts[0]) in self._first_parts and not all(fold(part) in self._known for part in parts)
        is_plain = all(part.isdigit() or (part.isalpha() and len(part) <= SHAPE_LETTERS) for part in parts)
        return is_of_shop or (is_plain and any(part.isdigit() and len(part) >= STRANGE_NUMBER for part in parts))


def _hash(key: str) -> int:
    """The same for keys that look alike: "SH0-42" is read from a label as "SHO-42"."""
    return hash(key.translate(_LOOKS_LIKE))


def _beginning(key: str) -> str:
    return key[:BEGINNING].translate(_LOOKS_LIKE)


def _key(text: str) -> str:
    return "".join(PART.findall(text.casefold()))


def _is_attached(text: str, end: int, start: int) -> bool:
    return ATTACHED.fullmatch(text, end, start) is not None


def _before(said: Sequence[Word], start: int) -> list[str]:
    """The last words before this place, the nearest first."""
    return [word.folded for word in said if word.end <= start][:-4:-1]


def _is_called(before: Sequence[str], names: frozenset[str], numbered: frozenset[str] = frozenset()) -> bool:
    """Whether it is called so: "ref. X", "item number X", "el cupón es X"."""
    named = next((word for word in before if word not in numbered), "")
    return named in names or (bool(before) and before[0] in names)


def _is_mixed(text: str) -> bool:
    return any(sign.isdigit() for sign in text) and any(sign.isalpha() for sign in text)


def _cuts(span: Span, other: Span) -> bool:
    """Whether the other overlaps this and is not within it."""
    return span[0] < other[1] and other[0] < span[1] and not (span[0] <= other[0] and other[1] <= span[1])
