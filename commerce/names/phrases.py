"""Names that are said as they are: brands, kinds of things, colours, sizes, cities and stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from commerce.names.mentions import Mention
from commerce.names.reading import Run
from commerce.names.words import Word, Words, folded

SHORTEST = 3  # letters of a name that stands alone
LONG_STEM = 5  # letters of a word whose plural is surely its own
DISTINCT = 7  # letters of a brand that may be misspelt and stand alone


@dataclass(frozen=True)
class Phrase:
    """written: its words. is_said: whether designers call it so, and not the catalogue."""

    kind: str
    value: str
    name: str
    written: tuple[Word, ...]
    is_said: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return folded(self.written)


class Phrases:
    """sold_by: the words of the names of each brand's products, by which an ordinary word is known as a brand."""

    def __init__(self, phrases: Iterable[Phrase], sold_by: Mapping[str, frozenset[str]], words: Words) -> None:
        self._words = words
        self._sold_by = sold_by
        self._by_first: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            self._by_first.setdefault(phrase.words[0], []).append(phrase)

    def find(self, run: Run) -> list[Mention]:
        """The longest that fit, of each kind at most one in a place."""
        found: list[Mention] = []
        for mention in sorted(self._fitting(run), key=lambda each: (each.start - each.end, -each.likeness, each.value)):
            if not any(other.kind == mention.kind and other.start < mention.end and mention.start < other.end for other in found):
                found.append(mention)
        return found

    def _fitting(self, run: Run) -> Iterator[Mention]:
        for index, said in enumerate(run):
            for first in said.alike:
                for phrase in self._by_first.get(first, ()):
                    part = run[index : index + len(phrase.words)]
                    if (likeness := _likeness(part, phrase)) and self._is_meant(phrase, run, index, likeness):
                        start, end = part[0].word.start, part[-1].word.end
                        yield Mention(phrase.kind, phrase.value, phrase.name, start, end, likeness)

    def _is_meant(self, phrase: Phrase, run: Run, index: int, likeness: float) -> bool:
        """Whether these words are the name here, and no ordinary words."""
        before, (first, *others) = run[index].before, phrase.words
        if phrase.kind == "size":
            return before in self._words.size or _is_clearly_a_size(phrase)
        if phrase.kind == "brand" and (before in self._words.brand or self._is_beside_its_goods(phrase, run, index)):
            return True
        if others:
            return True
        if phrase.is_said:
            return likeness < 1 or _is_plural_of(run[index].word, phrase.written[0])
        if phrase.kind in ("city", "store"):
            return first not in self._words.ordinary and len(first) >= SHORTEST
        is_long = len(first) >= (DISTINCT if phrase.kind == "brand" and likeness < 1 else SHORTEST)
        return is_long and not self._words.names_nothing_alone(first)

    def _is_beside_its_goods(self, phrase: Phrase, run: Run, index: int) -> bool:
        beside = [*run[max(index - 1, 0) : index], *run[index + len(phrase.words) : index + len(phrase.words) + 1]]
        return any(word in self._sold_by.get(phrase.value, ()) for said in beside for word in said.alike)


def _is_plural_of(word: Word, listed: Word) -> bool:
    """Designers list what is meant in so many words: with "tights" they do not mean "tight"."""
    return len(word.full) > len(listed.full) and len(word.folded) >= LONG_STEM


def _likeness(part: Run, phrase: Phrase) -> float:
    """Mean likeness of the words, 0 where one is not there."""
    if len(part) < len(phrase.words):
        return 0.0
    found = [said.alike.get(word, 0.0) for said, word in zip(part, phrase.words, strict=True)]
    return sum(found) / len(found) if all(found) else 0.0


def _is_clearly_a_size(phrase: Phrase) -> bool:
    """ "32x34" and "one size", and no "10" or "M", which need "size" before them."""
    text = "".join(phrase.words)
    is_mixed = any(sign.isdigit() for sign in text) and any(sign.isalpha() for sign in text)
    return is_mixed or (len(phrase.words) > 1 and text.isalpha())
