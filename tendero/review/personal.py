"""Stand-ins for what tells who somebody is: the same message, as if the demo's people had written it.

An order number becomes 10234, a second one 10235, an e-mail ana@example.com, a name Ana, an address that of nobody. So a message
stays what it was for whoever learns from it, be it a designer or a model, and two that differ by their numbers become one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path

from bot.nlu.folding import fold
from bot.nlu.shapes import Shape, Span, overlaps, shapes_in
from messaging.masking import CARD_MARK, PASSWORD_MARK, mask
from messaging.mentions import ERASED_MARK
from messaging.word_lists import PATTERNS, read_words
from tendero.examples import read_designers

KINDS = frozenset({"name_is", "perhaps_name_is", "not_a_name", "street", "number_and_street", "street_and_number"})
MARKS = (CARD_MARK, PASSWORD_MARK, ERASED_MARK)
NAME = "Ana"
LONGEST_NAME = 4  # words
ORDINARY = 2.0  # times as often in small letters as with a capital within a sentence: such a word is no name

_PEOPLE = ("ana", "emma", "carlos", "liam", "joao", "ingrid")
_KEPT = frozenset({"points", "amount", "size"})  # numbers that are nobody's
# By shape, the stand-in for the first, second, ... of a message: as the demo's are, and none that the shapes do not know again.
_STAND_INS: dict[str, Callable[[int], str]] = {
    "email": lambda place: f"{_PEOPLE[place % len(_PEOPLE)]}@example.com",
    "phone": lambda place: f"+525555{10001 + place:06d}",
    "order_number": lambda place: str(10234 + place),
    "rma_number": lambda place: f"RMA-{20001 + place}",
    "claim_number": lambda place: f"CLM-{30001 + place}",
    "tracking_number": lambda place: f"US{123456789 + place:011d}GB",
    "code": lambda place: str(123456 + place),
    "postcode": lambda place: str(12345 + place),
}
_WEB = re.compile(r"\b(?:https?://|www\.)\S+")
_EMAIL = re.compile(r"[^\s@<>(),;:]+@[^\s@<>(),;:]+\.[a-z]{2,}")
_HANDLE = re.compile(r"(?<!\w)@[\w.]{2,}")
_IBAN = re.compile(r"\b[a-z]{2}\d{2} (?:[a-z]{4} )?\d{4}(?: \d{4}){0,6}(?: \d{1,3})?\b")
_MANY_DIGITS = re.compile(r"\d(?:[ .,/·-]?\d){4,}")
_WORD = re.compile(r"[^\W\d_](?:[^\W_]|['’-](?=[^\W_]))*")
_REST_OF_ADDRESS = r"(?:\s*,\s*[^,.;!?\n]{1,40})*"


@dataclass(frozen=True)
class Names:
    """Of the shop's customers, folded: whole names, and the words of them. own: by conversation, those of its customer."""

    whole: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    own: dict[str, frozenset[str]] = field(default_factory=dict)


NOBODY = Names()


@dataclass(frozen=True)
class StandIn:
    """text: with stand-ins. says_something: there is more in it than what they stand for. had_secret: nobody should see it."""

    text: str
    says_something: bool
    had_secret: bool


@dataclass(frozen=True)
class Vocabulary:
    """Folded words. ordinary: they are no names. known: they stand in an example or in the catalogue, be it as a name."""

    ordinary: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()

    @classmethod
    def of(cls, examples: Iterable[str], catalogue: Iterable[str] = ()) -> Vocabulary:
        """Ordinary is what the examples have in small letters, and seldom with a capital but at their beginning."""
        small, capital = Counter[str](), Counter[str]()
        for text in examples:
            words = _WORD.findall(text)
            small.update(fold(word) for word in words if word[0].islower())
            capital.update(fold(word) for word in words[1:] if word[0].isupper() and not word.isupper())
        ordinary = frozenset(word for word, times in small.items() if times > ORDINARY * capital[word])
        sold = {fold(word) for name in catalogue for word in _WORD.findall(name)}
        return cls(ordinary, frozenset({*small, *capital, *sold}))


NO_WORDS = Vocabulary()


class StandIns:
    """names: of the shop's customers. words: what shoppers write and the shop sells."""

    def __init__(self, names: Names = NOBODY, words: Vocabulary = NO_WORDS, patterns: Path = PATTERNS) -> None:
        self._names, self._vocabulary = names, words
        self._words, self._shapes = _read(patterns)

    def put_in(self, text: str, sender_id: str = "") -> StandIn:
        """The message with stand-ins, in one line; sender_id: whose own names it may have. Stand-ins stay what they are."""
        shown = " ".join(mask(text).text.split())
        replaced: list[tuple[Span, str | None]] = []
        for span, instead in self._found(shown, self._names.own.get(sender_id, frozenset())):
            if not overlaps(span, (each for each, _ in replaced)):
                replaced.append((span, instead))
        rest = _with(shown, ((span, " ") for span, _ in replaced))
        instead_of = ((span, shown[slice(*span)] if instead is None else instead) for span, instead in replaced)
        return StandIn(
            text=_with(shown, instead_of),
            says_something=any(len(word) > 1 for word in _WORD.findall(rest)),
            had_secret=any(mark in shown for mark in MARKS),
        )

    def _found(self, text: str, own: frozenset[str]) -> Iterator[tuple[Span, str | None]]:
        """(where, what instead) of each; what comes first counts. None: a number that stays."""
        folded = fold(text)
        for pattern, instead in ((_EMAIL, _STAND_INS["email"]), (_WEB, _web), (_HANDLE, _handle)):
            yield from _counted(folded, (match.span() for match in pattern.finditer(folded)), instead)
        yield from self._addresses(folded)
        yield from ((match.span(), _renumbered(match[0]).upper()) for match in _IBAN.finditer(folded))
        by_shape: dict[str, list[Span]] = {}
        for shape, span in shapes_in(folded, self._shapes):
            by_shape.setdefault(shape, []).append(span)
        for shape, spans in by_shape.items():
            if shape in _KEPT:
                yield from ((span, None) for span in spans)
            else:
                yield from _counted(folded, sorted(spans), _STAND_INS[shape])
        yield from ((match.span(), _renumbered(match[0])) for match in _MANY_DIGITS.finditer(folded))
        yield from ((span, NAME) for span in self._names_in(text, folded, own))

    def _addresses(self, folded: str) -> Iterator[tuple[Span, str]]:
        before, between, ending = (_any_of(self._words[kind]) for kind in ("street", "number_and_street", "street_and_number"))
        name, number = r"(?:[^\s,.;!?\d]+[\s,]+)", r"(?:#|n[o°º]?\.?)?\s?\d{1,5}(?:\s?-\s?\d+)?(?:\s?[a-z](?!\w))?(?!\w)"
        for pattern, instead in (
            (rf"(?<!\w)({before})(?:\.|\s)\s*{name}{{0,5}}?{number}{_REST_OF_ADDRESS}", r"\1 Mayor 1"),
            (rf"(?<!\w)\d{{1,5}}[a-z]?\s+{name}{{1,3}}?({between})(?!\w)\.?{_REST_OF_ADDRESS}", r"1 Main Street"),
            (rf"(?<!\w)[^\W\d]+({ending})\s+\d{{1,4}}\s?[a-z]?(?!\w){_REST_OF_ADDRESS}", r"Storgata 1"),
        ):
            yield from ((match.span(), match.expand(instead)) for match in re.finditer(pattern, folded))

    def _names_in(self, text: str, folded: str, own: frozenset[str]) -> Iterator[Span]:
        words = [match.span() for match in _WORD.finditer(text)]
        said = [folded[slice(*span)] for span in words]
        found = [span for span, word in zip(words, said, strict=True) if len(word) > 2 and word in own]
        found += [span for span in words if self._is_name_within(text, folded, span)]
        for first, count in product(range(len(words)), range(2, LONGEST_NAME + 1)):
            if " ".join(said[first : first + count]) in self._names.whole:
                found.append((words[first][0], words[min(first + count, len(words)) - 1][1]))
        yield from _joined(text, [*found, *self._names_after(text, folded, words)])

    def _names_after(self, text: str, folded: str, words: list[Span]) -> Iterator[Span]:
        sure, perhaps = _any_of(self._words["name_is"]), _any_of(self._words["perhaps_name_is"])
        for match in re.finditer(rf"(?<!\w)(?:(?P<sure>{sure})|{perhaps})[\s,:]+(?=[^\W\d_])", folded):
            following = [span for span in words if span[0] >= match.end()][:LONGEST_NAME]
            end = match.end()
            for place, span in enumerate(following):
                if text[end : span[0]].strip() or not self._is_name(text, folded, span, place == 0 and bool(match["sure"])):
                    break
                end = span[1]
            if end > match.end():
                yield match.end(), end

    def _is_name_within(self, text: str, folded: str, span: Span) -> bool:
        """ "my uncle Ramón": with a capital within a sentence, and a customer's name or a word that nobody has written yet."""
        said, word, before = text[slice(*span)], folded[slice(*span)], text[: span[0]].rstrip()
        if not said[0].isupper() or text.isupper() or not before or before[-1] in ".!?¿¡:\n" or word in self._vocabulary.ordinary:
            return False
        return word in self._names.words or (word not in self._vocabulary.known and not said.isupper())

    def _is_name(self, text: str, folded: str, span: Span, is_sure: bool) -> bool:
        word = folded[slice(*span)]
        if word in self._words["not_a_name"]:
            return False
        has_capital = text[span[0]].isupper() and not text.isupper()
        return is_sure or has_capital or word in self._names.words or word not in self._vocabulary.ordinary


@cache
def _read(patterns: Path) -> tuple[dict[str, tuple[str, ...]], list[Shape]]:
    words = read_words(patterns / "personal.yml", "personal", KINDS)
    shapes = read_designers(patterns / "numbers.yml").get("shapes") or {}
    compiled = [(name, re.compile(shape)) for name, of_name in shapes.items() for shape in of_name]
    unknown = {name for name, _ in compiled} - _STAND_INS.keys() - _KEPT
    if unknown:
        raise ValueError(f"data/patterns/numbers.yml: there is no stand-in for {', '.join(sorted(unknown))}")
    return {kind: tuple(map(fold, said)) for kind, said in words.items()}, compiled


def _counted(folded: str, spans: Iterable[Span], instead: Callable[[int], str]) -> Iterator[tuple[Span, str]]:
    """The same value twice has the same stand-in."""
    places: dict[str, int] = {}
    for span in spans:
        value = re.sub(r"[\W_]", "", folded[slice(*span)])
        yield span, instead(places.setdefault(value, len(places)))


def _joined(text: str, spans: Iterable[Span]) -> list[Span]:
    """Those that overlap, or have only a space between them, in one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _web(_place: int) -> str:
    return "https://example.com"


def _handle(_place: int) -> str:
    return "@ana"


def _renumbered(digits: str) -> str:
    """The same with 1, 2, 3, ... for its digits: whatever it was, it is nobody's any more."""
    count = iter(range(1, len(digits) + 1))
    return re.sub(r"\d", lambda _: str(next(count) % 10), digits)


def _any_of(phrases: Iterable[str]) -> str:
    return "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in sorted(phrases, key=len, reverse=True))


def _with(text: str, replaced: Iterable[tuple[Span, str]]) -> str:
    for (start, end), instead in sorted(replaced, reverse=True):
        text = text[:start] + instead + text[end:]
    return text
