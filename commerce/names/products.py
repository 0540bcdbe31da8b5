"""Product names, of which a shopper says a part, in any order: by how rare the words are that are said, and that are not."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from commerce.names.mentions import Candidate, Mention
from commerce.names.reading import Run, Said
from commerce.names.words import Word, Words, folded

MISSING = 0.25  # how much a word of the name that is not said counts against it, beside one that is said
LEAST = 0.6  # likeness of what is found
AS_LIKELY = 0.9  # share of the best likeness from which another fits about as well
MOST = 12  # products that may fit as well: with more, no product is named but a kind of thing
SHOWN = 5  # candidates
TELLING = 0.3  # share of a name that a single word has to make up
LONGEST_COMMON = 4  # words of a name that is common words only
WHOLE_NAME_MOST = 3  # products that may be called by the same common words
ORDINARY_SHARE = 0.7  # share of a name that ordinary words have to make up together
LONG_STEM = 6  # letters of a word that may be said in the singular for the plural of the name
SHORTEST, SHORTEST_MISSPELT = 4, 6  # letters of a word that names a product alone

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ProductName:
    """besides: the brand's words, which may be said with it."""

    value: str
    name: str
    words: tuple[Word, ...]
    besides: tuple[Word, ...] = ()


class ProductNames:
    """common: words that name a kind of thing, a colour, a brand: by them alone no product is told from others."""

    def __init__(self, names: Iterable[ProductName], common: frozenset[str], words: Words) -> None:
        self._words = words
        self._ids: dict[str, int] = {}
        self._full: set[str] = set()
        self._values: list[str] = []
        self._names: list[str] = []
        self._whole: dict[frozenset[str], dict[str, ProductName]] = {}
        flat, lengths, extra = array("i"), array("i"), array("i")
        for name in names:
            self._add(name, common, flat, lengths, extra)
        self._weigh(np.array(flat, dtype=np.int32), np.array(lengths, dtype=np.int32), np.array(extra, dtype=np.int32))
        self._is_common = np.zeros(len(self._ids), dtype=bool)
        self._is_common[[number for word, number in self._ids.items() if word in common]] = True

    def __len__(self) -> int:
        return len(self._values)

    @property
    def words(self) -> Iterable[str]:
        return self._ids.keys()

    def find(self, run: Run) -> list[Mention]:
        """What the run names; of what is left before and after it too."""
        found = self._best(run)
        if found is None:
            return self._called_so(run)
        mention, first, last = found
        return [*self.find(run[:first]), mention, *self.find(run[last + 1 :])]

    def _add(self, name: ProductName, common: frozenset[str], flat: Any, lengths: Any, extra: Any) -> None:
        own = dict.fromkeys(folded(name.words))
        besides = [word for word in dict.fromkeys(folded(name.besides)) if word not in own]
        flat.extend(self._ids.setdefault(word, len(self._ids)) for word in (*own, *besides))
        lengths.append(len(own) + len(besides))
        extra.append(len(besides))
        if common.issuperset(own):
            self._whole.setdefault(frozenset(own), {}).setdefault(name.value, name)
        self._full.update(word.full for word in name.words)
        self._values.append(name.value)
        self._names.append(name.name)

    def _weigh(self, flat: Numbers, lengths: Numbers, extra: Numbers) -> None:
        """For each word the names that have it; for each name its words, and how much they weigh together."""
        self._starts = np.concatenate(([0], np.cumsum(lengths)))
        self._flat = flat
        holders = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        order = np.argsort(flat, kind="stable")
        self._holders = holders[order]
        counts = np.bincount(flat, minlength=len(self._ids))
        self._word_starts = np.concatenate(([0], np.cumsum(counts)))
        self._weights = np.log1p(len(lengths) / np.maximum(counts, 1)).astype(np.float32)
        place = np.arange(len(flat)) - self._starts[holders]
        is_own = place < (lengths - extra)[holders]
        self._totals = np.bincount(holders, self._weights[flat] * is_own, minlength=len(lengths)).astype(np.float32)

    def _of(self, word: int) -> Numbers:
        return self._holders[self._word_starts[word] : self._word_starts[word + 1]]

    def _numbers(self, said: Said) -> list[tuple[int, float]]:
        return [(self._ids[word], likeness) for word, likeness in said.alike.items() if word in self._ids]

    def _best(self, run: Run) -> tuple[Mention, int, int] | None:
        """The product that fits best, and its first and last word in the run."""
        numbers = [self._numbers(said) for said in run]
        telling = [number for each in numbers for number, _ in each if not self._is_common[number]]
        if not telling:
            return None
        candidates = np.unique(np.concatenate([self._of(number) for number in telling]))
        scores = self._scores(numbers)[candidates]
        unsaid = np.maximum(self._totals[candidates] - scores, 0)
        everything = sum(max((float(self._weights[n]) * likeness for n, likeness in each), default=0.0) for each in numbers)
        ranks = scores / (scores + MISSING * (unsaid + np.maximum(everything - scores, 0)))
        likeness = scores / (scores + MISSING * unsaid)
        best = int(candidates[ranks.argmax()])
        places = self._places(best, numbers)
        if float(likeness[ranks.argmax()]) < LEAST or not self._is_named(best, [run[place] for place in places]):
            return None
        alike = ranks >= AS_LIKELY * ranks.max()
        fitting = self._distinct(candidates[alike], ranks[alike], likeness[alike])
        if fitting is None:
            return None
        first, last = places[0], places[-1]
        return _mention(fitting, run[first : last + 1]), first, last

    def _scores(self, numbers: Sequence[Sequence[tuple[int, float]]]) -> Numbers:
        """For each name how much of it is said."""
        scores = np.zeros(len(self._values), dtype=np.float32)
        for number, likeness in dict(pair for each in numbers for pair in each).items():
            scores[self._of(number)] += self._weights[number] * likeness
        return scores

    def _places(self, name: int, numbers: Sequence[Sequence[tuple[int, float]]]) -> list[int]:
        """Which of the run's words are words of this name."""
        own = set(self._flat[self._starts[name] : self._starts[name + 1]].tolist())
        return [place for place, each in enumerate(numbers) if any(number in own for number, _ in each)]

    def _is_named(self, name: int, said: Run) -> bool:
        """Whether these words are enough to name it."""
        weights = [max(float(self._weights[n]) * likeness for n, likeness in self._numbers(each)) for each in said]
        share = sum(weights) / float(self._totals[name] or 1)
        if len(said) == 1:
            word = said[0].word.folded
            is_long = len(word) >= (SHORTEST if said[0].exact else SHORTEST_MISSPELT)
            is_long = is_long and _is_in_its_number(said[0], self._full)
            return is_long and word.isalpha() and not self._is_ordinary(said[0]) and share >= TELLING
        return share >= ORDINARY_SHARE or not all(map(self._is_ordinary, said))

    def _is_ordinary(self, said: Said) -> bool:
        return any(self._words.names_nothing_alone(word) for word in (said.word.folded, *said.alike))

    def _distinct(self, names: Numbers, ranks: Numbers, likeness: Numbers) -> list[Candidate] | None:
        """A candidate for each product, the likeliest first; None for too many."""
        found: dict[str, Candidate] = {}
        for place in sorted(range(len(names)), key=lambda each: (-round(float(ranks[each]), 3), self._values[names[each]])):
            value = self._values[names[place]]
            found.setdefault(value, Candidate(value, self._names[names[place]], round(min(float(likeness[place]), 1.0), 3)))
            if len(found) > MOST:
                return None
        return list(found.values())

    def _called_so(self, run: Run) -> list[Mention]:
        """Products whose whole name is common words: "Loafers", "Shirt Dress"."""
        for length in range(min(len(run), LONGEST_COMMON), 0, -1):
            for start in range(len(run) - length + 1):
                end = start + length
                if mention := self._whole_name(run[start:end]):
                    return [*self._called_so(run[:start]), mention, *self._called_so(run[end:])]
        return []

    def _whole_name(self, said: Run) -> Mention | None:
        forms = product(*(each.exact for each in said))
        names = next((self._whole[words] for form in forms if (words := frozenset(form)) in self._whole), {})
        full = {word.full for name in names.values() for word in name.words}
        if not names or len(names) > WHOLE_NAME_MOST or not all(_is_in_its_number(each, full) for each in said):
            return None
        return _mention([Candidate(value, name.name, 1.0) for value, name in sorted(names.items())], said)


def _is_in_its_number(said: Said, full: AbstractSet[str]) -> bool:
    """Not "tight" for "Tights": a short word in another number may be another word."""
    return said.word.full in full or len(said.word.folded) >= LONG_STEM


def _mention(fitting: Sequence[Candidate], said: Run) -> Mention:
    """fitting: the best first. said: from the first to the last word."""
    best, alike = fitting[0], tuple(fitting[:SHOWN]) if len(fitting) > 1 else ()
    return Mention("product", best.value, best.name, said[0].word.start, said[-1].word.end, best.likeness, alike)
