"""Sizes without "size": "las botas 42", "M o L", "EU 42". A number or a letter is one only where it can be nothing else: a wrong
size that is sent is a return. What depends on the conversation ("38 porfa") is a `bare_size`: who knows it decides."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from commerce.catalog import Vocabulary
from commerce.names.mentions import Mention
from commerce.names.reading import Span, overlaps
from commerce.names.words import Word, Words, folded_word, placed_words

NUMBER = re.compile(r"(?<![\w$€£#+/.,:'’-])\d{1,2}(?:[.,]5|½)?(?![\w%€$£°]|[.,:/]\d|,?-| ?[%€])")
LETTERS = re.compile(r"(?<![\w'’/.-])[^\W\d_]{1,9}(?![\w'’-]|/ |/$|\.\w)")
NEAR = re.compile(r"[\s,(]*|\s+[-–]\s+")  # "white sneakers (38)"
SOFT = re.compile(r"\s*")
ABBREVIATED = 3  # letters at most: "XXL", "GG"
LEAST = 10  # smaller numbers are how many
DAYS = 31
BELOW, ABOVE = 5, 6  # how far from the sizes that there are a number may be to be a size that there is not
MOST_WORDS = 8  # of a message that a bare number says the size of
AMBIGUOUS = "s"  # also "sí" and "sim"

Place = tuple[str, str, int, int]  # kind, value, start, end
THINGS = ("category", "product")
WITHIN = ("color", "brand", "size")  # may stand between a thing and its size


@dataclass(frozen=True)
class Range:
    """The sizes of a kind of thing."""

    values: frozenset[str]

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        return tuple(sorted(number for value in self.values if (number := _number(value)) is not None))

    def may_be(self, value: str) -> bool:
        """Whether somebody may ask for it in this size, though there may be none."""
        number = _number(value)
        if number is None:
            return any(_number(own) is None for own in self.values)
        return bool(self.numbers) and self.numbers[0] - BELOW <= number <= self.numbers[-1] + ABOVE

    def has(self, value: str) -> bool:
        return value in self.values


NONE = Range(frozenset())


@dataclass(frozen=True)
class Token:
    """What may be a size, as the shop writes it."""

    value: str
    start: int
    end: int
    written: str

    @property
    def is_number(self) -> bool:
        return _number(self.value) is not None

    @property
    def is_word(self) -> bool:
        """ "grande", which is also said of how something fits."""
        return not self.is_number and len(self.written) > ABBREVIATED


class Sizes:
    """Safe to share between threads."""

    def __init__(self, vocabulary: Vocabulary, words: Words) -> None:
        self._words = words
        alike = {values: Range(values) for values in set(vocabulary.sizes_of.values())}
        self._products = {handle: alike[values] for handle, values in vocabulary.sizes_of.items()}
        of_kind: dict[str, set[str]] = defaultdict(set)
        for handle, values in vocabulary.sizes_of.items():
            of_kind[vocabulary.category_of[handle]] |= values
        self._kinds = {slug: Range(frozenset(values)) for slug, values in of_kind.items()}
        every = frozenset(value for each in self._kinds.values() for value in each.values)
        self._spelt = {number: value for value in sorted(every) if (number := _number(value)) is not None}
        self._letters = _letters(every, words)

    def find(self, text: str, taken: Sequence[Span], said: Sequence[Place]) -> list[Mention]:
        """said: what is known to be in the text, sizes among them."""
        tokens = list(self._tokens(text, taken, [place for place in said if place[0] == "size"]))
        return _Reading(text, tokens, said, self).found() if tokens else []

    def is_cut_short(self, text: str, place: Place) -> bool:
        """Whether a size is only a part of the one that is written: "38" of "38,5" and of "38 y medio"."""
        kind, _, start, end = place
        return kind == "size" and any(each.start <= start < each.end and end < each.end for each in self._numbers(text))

    def of_thing(self, place: Place) -> Range:
        return (self._products if place[0] == "product" else self._kinds).get(place[1], NONE)

    @property
    def words(self) -> Words:
        return self._words

    @property
    def kinds(self) -> Iterable[Range]:
        return self._kinds.values()

    def _tokens(self, text: str, taken: Sequence[Span], sizes: Sequence[Place]) -> Iterator[Token]:
        places = [*taken, *((start, end) for _, _, start, end in sizes)]
        for token in sorted([*self._numbers(text), *self._letters_in(text)], key=lambda each: each.start):
            if not overlaps((token.start, token.end), places):
                yield token

    def _numbers(self, text: str) -> Iterator[Token]:
        for found in NUMBER.finditer(text):
            end = self._end_of_half(text, found.end())
            number = float(found[0].replace(",", ".").replace("½", ".5")) + 0.5 * (end > found.end())
            yield Token(self._spelt.get(number, f"{number:g}"), found.start(), end, found[0])

    def _end_of_half(self, text: str, end: int) -> int:
        """Where "y media" and "and a half" end; here, where there is none."""
        for word in placed_words(text[end : end + 12])[:3]:
            if word.full in self._words.half:
                return end + word.end
            if word.full not in self._words.separating | self._words.joining:
                break
        return end

    def _letters_in(self, text: str) -> Iterator[Token]:
        for found in LETTERS.finditer(text):
            written = found[0]
            if value := self._letters.get(folded_word(written)[1]):
                yield Token(value, found.start(), found.end(), written)


class _Reading:
    """One message: which of its tokens are sizes."""

    def __init__(self, text: str, tokens: Sequence[Token], said: Sequence[Place], sizes: Sizes) -> None:
        self._text, self._sizes, self._words = text, sizes, sizes.words
        self._said = placed_words(text)
        self._things = [place for place in said if place[0] in THINGS]
        self._within = [place for place in said if place[0] in WITHIN]
        self._tokens = [token for token in tokens if not self._is_something_else(token)]

    def found(self) -> list[Mention]:
        sizes: list[Token] = []
        for _ in self._tokens:  # one may be known by the other: "40 or 41 in the boots"
            more = [each for each in self._tokens if each not in sizes and self._is_size(each, sizes)]
            if not more:
                break
            sizes += more
        bare = [each for each in self._tokens if each not in sizes and self._may_be_size(each)] if not sizes else []
        return [*(_mention("size", each) for each in sizes), *(_mention("bare_size", each) for each in bare)]

    # What it is not

    def _is_something_else(self, token: Token) -> bool:
        before, after = self._word_before(token.start), self._word_after(token.end)
        if before is not None and before.full.isdigit():
            return True
        if not token.is_number:
            return False
        follows = after is not None and SOFT.fullmatch(self._text, token.end, after.start) is not None
        return follows and after is not None and (_in(after, self._words.measure) or after.full.isdigit())

    # What makes it one

    def _is_size(self, token: Token, sizes: Sequence[Token]) -> bool:
        if self._is_called_size(token) or self._is_of_thing(token, sizes):
            return True
        return not token.is_word and (self._is_beside_size(token, sizes) or self._is_all(token))

    def _is_called_size(self, token: Token) -> bool:
        """ "EU 42", "talla 38,5"; "number 40" may be that of a house."""
        before = self._word_before(token.start)
        is_called = _in(before, self._words.size) and not _in(before, self._words.numbered)
        return is_called and not token.is_word and any(kind.may_be(token.value) for kind in self._sizes.kinds)

    def _is_of_thing(self, token: Token, sizes: Sequence[Token]) -> bool:
        if token.is_number:
            after_thing = self._thing_before(token, sizes).may_be(token.value) and self._is_no_quantity(token)
            return after_thing or (self._is_asked_for(token) and self._thing_in_which(token).has(token.value))
        if self._thing_before(token, sizes).may_be(token.value):
            return token.written.isupper() or len(token.written) > 1 or self._ends_there(token)
        is_abbreviated = len(token.written) <= ABBREVIATED and (token.written.isupper() or len(token.written) > 1)
        return is_abbreviated and self._thing_after(token).may_be(token.value)

    def _is_no_quantity(self, token: Token) -> bool:
        before = self._word_before(token.start)
        is_in = before is not None and _in(before, self._words.of_size)
        number = _number(token.value) or 0
        if is_in and before is not None and number <= DAYS and _in(before, self._words.dated):
            return False
        return number >= LEAST or is_in

    def _is_beside_size(self, token: Token, sizes: Sequence[Token]) -> bool:
        """ "M or L", "42 por 43"."""
        known = [(value, self._start_of_own(start, end), end) for kind, value, start, end in self._within if kind == "size"]
        for value, start, end in [*known, *((each.value, each.start, each.end) for each in sizes)]:
            if (_number(value) is not None) == token.is_number and self._is_joined(min(end, token.end), max(start, token.start)):
                return not token.is_number or any(kind.may_be(value) and kind.may_be(token.value) for kind in self._sizes.kinds)
        return False

    def _start_of_own(self, start: int, end: int) -> int:
        """Where a phrase begins but for what joins it: "o L" is also Spanish for "or L"."""
        return next(
            (word.start for word in self._said if start <= word.start < end and not _in(word, self._words.separating)), start
        )

    def _is_joined(self, start: int, end: int) -> bool:
        between = [word for word in self._said if start <= word.start and word.end <= end]
        if start >= end or len(between) > 3:
            return False
        if all(_in(word, self._words.separating | self._words.size) for word in between):
            return bool(between) or self._text[start:end].strip() in (",", "/")
        is_exchange = any(_in(word, self._words.exchanging) for word in self._said)
        return is_exchange and all(_in(word, self._words.joining) for word in between)

    def _is_all(self, token: Token) -> bool:
        """Whether a message is a letter, or letters, and nothing else but courtesies: "L porfa", "tem G?"."""
        letters = [each for each in self._tokens if not each.is_number]
        if token.is_number or (len(letters) == 1 and token.written.casefold() == AMBIGUOUS):
            return False
        beside = self._words.asking | self._words.courtesy | self._words.separating
        others = [word for word in self._said if not any(each.start <= word.start < each.end for each in letters)]
        return len(self._said) <= MOST_WORDS and all(_in(word, beside) for word in others)

    # What it may be

    def _may_be_size(self, token: Token) -> bool:
        """Whether a number is said as sizes are, whatever the conversation is about."""
        is_plausible = token.is_number and any(kind.may_be(token.value) for kind in self._sizes.kinds)
        if not is_plausible or (_number(token.value) or 0) < LEAST or len(self._said) > MOST_WORDS:
            return False
        after = self._word_after(token.end)
        ends = after is None or not SOFT.fullmatch(self._text, token.end, after.start)
        return self._is_asked_for(token) and (ends or _in(after, self._words.courtesy | self._words.separating))

    def _is_asked_for(self, token: Token) -> bool:
        before = self._word_before(token.start)
        if before is None or not NEAR.fullmatch(self._text, before.end, token.start):
            return True
        if (_number(token.value) or 0) <= DAYS and _in(before, self._words.dated):
            return False
        is_other = any(each.end == before.end or each.start <= before.start < each.end for each in self._tokens)
        return is_other or _in(before, self._words.asking | self._words.separating)

    # What is beside it

    def _thing_before(self, token: Token, sizes: Sequence[Token]) -> Range:
        """The sizes of what is named right before it, but for colours and small words."""
        position = token.start
        while (word := self._word_before(position)) is not None and NEAR.fullmatch(self._text, word.end, position):
            if things := _over(word, self._things):
                return self._of(things)
            position = self._start_of_passed(word, sizes)
            if position < 0:
                break
        return NONE

    def _start_of_passed(self, word: Word, sizes: Sequence[Token]) -> int:
        within = [place[2] for place in _over(word, self._within)]
        within += [each.start for each in sizes if each.start <= word.start < each.end]
        beside = self._words.of_size | self._words.size
        if any(_in(each, self._words.exchanging) for each in self._said):
            beside |= self._words.joining
        return min(within) if within else word.start if _in(word, beside) else -1

    def _thing_after(self, token: Token) -> Range:
        position = token.end
        while (word := self._word_after(position)) is not None and SOFT.fullmatch(self._text, position, word.start):
            if things := _over(word, self._things):
                return self._of(things)
            if not (within := _over(word, self._within)):
                break
            position = max(place[3] for place in within)
        return NONE

    def _thing_in_which(self, token: Token) -> Range:
        """ "42 in the leather boots"."""
        position, number = token.end, 0
        while (word := self._word_after(position)) is not None and SOFT.fullmatch(self._text, position, word.start):
            if number and (things := _over(word, self._things)):
                return self._of(things)
            if not _in(word, self._words.of_size):
                break
            position, number = word.end, number + 1
        return NONE

    def _of(self, things: Sequence[Place]) -> Range:
        """Of a product, where one is named: a wallet has no sizes, though belts have."""
        products = [place for place in things if place[0] == "product"]
        return Range(frozenset(value for place in products or things for value in self._sizes.of_thing(place).values))

    def _ends_there(self, token: Token) -> bool:
        after = self._word_after(token.end)
        if after is None or not SOFT.fullmatch(self._text, token.end, after.start):
            return True
        return _in(after, self._words.courtesy | self._words.separating) or bool(_over(after, self._within))

    def _word_before(self, position: int) -> Word | None:
        return next((word for word in reversed(self._said) if word.end <= position), None)

    def _word_after(self, position: int) -> Word | None:
        return next((word for word in self._said if word.start >= position), None)


def _letters(every: frozenset[str], words: Words) -> Mapping[str, str]:
    """What a size that is no number is called, alone ("grande") or after "size" ("tamanho G"): the shop's own names go first."""
    own = {placed_words(value)[0].full: value for value in every if _number(value) is None and len(placed_words(value)) == 1}
    called = {}
    for kind, value, phrase in words.said:
        said = placed_words(phrase)
        is_after_size = len(said) == 2 and said[0].folded in words.size and not _is_other_word(said[1], words)
        if kind == "size" and value in every and (len(said) == 1 or is_after_size):
            called[said[-1].full] = value
    return {**called, **own}


def _is_other_word(word: Word, words: Words) -> bool:
    """ "Size med" is English, and "med" Norwegian for "with"."""
    return 1 < len(word.full) <= ABBREVIATED and word.full in words.known | words.joining


def _number(value: str) -> float | None:
    found = re.fullmatch(r"(\d{1,3})(?:[.,](\d))?", value)
    return float(f"{found[1]}.{found[2] or 0}") if found else None


def _in(word: Word | None, listed: frozenset[str]) -> bool:
    return word is not None and (word.folded in listed or word.full in listed)


def _over(word: Word, places: Iterable[Place]) -> list[Place]:
    return [place for place in places if place[2] <= word.start < place[3]]


def _mention(kind: str, token: Token) -> Mention:
    return Mention(kind, token.value, token.value, token.start, token.end, 1.0)
