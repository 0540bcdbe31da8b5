"""Every word of every name, and which of them a misspelt word may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rapidfuzz import process
from rapidfuzz.distance import OSA

SHORTEST = 5  # letters of a word that may be misspelt: of shorter ones too many are near each other
NEAR = 0.79  # share of the letters that are right: one wrong of five to nine, two of ten (0.8, but for rounding)
LONG = 7  # letters of a word with one wrong, which is hardly another word by chance
CHOICES = 3  # words that a misspelt one may be
INFLECTED, STEM = 8, 6  # letters of a word with an ending, and of what is left without it
ENDINGS = ("ene", "en", "et", "er", "a", "e")
REMEMBERED = 5_000  # misspelt words

_ALIKE = str.maketrans({"z": "s", "v": "b", "y": "i", "q": "k", "c": "k", "h": None})


@dataclass(frozen=True)
class Reading:
    """alike: the words of names that this may be, each with its likeness (1: it is). is_sure: False where it may as well be
    another word, as "player" beside "playera": it counts only beside a sure word of a name."""

    alike: Mapping[str, float] = field(default_factory=dict)
    is_sure: bool = False


NOTHING = Reading()


class Spelling:
    """words: those of the names. known: other words that are spelt as they should be. Safe to share between threads."""

    def __init__(self, words: Iterable[str], known: frozenset[str]) -> None:
        self._words = frozenset(words)
        self._known = known
        self._by_length: dict[int, list[str]] = {}
        self._by_sound: dict[str, list[str]] = {}
        for word in sorted(self._words):
            if len(word) >= SHORTEST - 1:
                self._by_length.setdefault(len(word), []).append(word)
                self._by_sound.setdefault(_sound(word), []).append(word)
        self._read: dict[str, Reading] = {}

    def read(self, word: str) -> Reading:
        if forms := [form for form in (word, *_stems(word)) if form in self._words]:
            return Reading(dict.fromkeys(forms, 1.0), True)
        if len(word) < SHORTEST or word in self._known or not word.isalpha():
            return NOTHING
        if word not in self._read:
            if len(self._read) >= REMEMBERED:
                self._read = {}
            self._read[word] = self._near(word)
        return self._read.get(word, NOTHING)

    def _near(self, word: str) -> Reading:
        if same := self._by_sound.get(_sound(word)):
            return Reading({known: OSA.normalized_similarity(word, known) for known in same[:CHOICES]}, True)
        found = []
        for length in range(len(word) - 2, len(word) + 3):
            among = self._by_length.get(length, ())
            found += process.extract(word, among, scorer=OSA.normalized_similarity, score_cutoff=NEAR, limit=CHOICES)
        best = max((likeness for _, likeness, _ in found), default=0.0)
        alike = {known: likeness for known, likeness, _ in found if likeness == best}
        return Reading(alike, all(_is_surely(word, known) for known in alike)) if alike else NOTHING


def _stems(word: str) -> Iterator[str]:
    """What a Norwegian form may come from: "ullgenseren", "ullgensere" and "løpeskoene" from "ullgenser" and "løpesko"."""
    for ending in ENDINGS if len(word) >= INFLECTED else ():
        if word.endswith(ending) and len(stem := word.removesuffix(ending)) >= STEM:
            yield from (stem, f"{stem}e")


def _is_surely(word: str, known: str) -> bool:
    is_long = min(len(word), len(known)) >= LONG and OSA.distance(word, known) == 1
    return word[0] == known[0] and (is_long or sorted(word) == sorted(known))


def _sound(word: str) -> str:
    """The same for words that sound about the same: "camiza" and "camisa", "botaz" and "botas"."""
    said = re.sub(r"c(?=[eiy])", "s", word).replace("qu", "k").replace("ll", "y")
    return re.sub(r"(.)\1+", r"\1", said.translate(_ALIKE))
