"""Finds the entries that a shopper's text asks about: TF-IDF over words and character n-grams, in memory; and, where there is a
sentence encoder, what the text means."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

from commerce.faq.files import FaqEntry, FaqWords
from commerce.faq.folding import WordFolder

QUERY_LIMIT = 300  # characters looked at: a longer message is not a question of this kind

# Chosen on the `calibration` part of tests/commerce/faq_queries.yml; tests/commerce/test_faq.py holds the level.
ANSWER_FROM = 0.34  # a lower score is no answer
NEAR = 0.25  # a score that is no answer, but worth offering
SAME_WITHIN = 0.05  # two scores this near fit about equally
WORD_SHARE = 0.4  # of the likeness; the rest is for character n-grams, which forgive typos
ENTRY_SHARE = 0.4  # how much the entry as a whole counts beside its likest phrase
REQUEST_LEAD = 0.05  # a request must be this much likelier than a question to silence it
MEANING_SHARE = 0.4  # of a score, where meaning counts; the rest is for words
MEANT_FROM = 0.3  # two sentences less like each other, to an encoder, have nothing to do with each other
ANSWER_FROM_MEANING, NEAR_MEANING = 0.3, 0.2  # as above, where meaning counts
_THE_VERY_WORDS = 0.999  # 1, but for rounding
_CHARACTERS = 3  # length of the n-grams: with longer and shorter ones it is slower and no better

_Vector = dict[str, float]


@dataclass(frozen=True)
class FaqMatch:
    entry: FaqEntry
    score: float  # 0 nothing in common, 1 the very words
    words: float = 0.0  # what the score would be by words alone


@dataclass(frozen=True)
class Phrase:
    text: str  # folded, but for the encoder
    entry: FaqEntry | None  # None: small talk
    is_question: bool  # False: a request or small talk, which the FAQ leaves alone


class SentenceEncoder(Protocol):
    """Turns sentences into rows of numbers of length 1: the nearer their meaning, the larger the product of two rows."""

    def encode(self, texts: Sequence[str]) -> Any: ...


class FaqIndex:
    """Searches the entries of one language at a time. Safe to share between threads: it is never changed."""

    def __init__(
        self,
        entries: Iterable[FaqEntry],
        words: Mapping[str, FaqWords] | None = None,
        encoder: SentenceEncoder | None = None,
    ) -> None:
        by_language: dict[str, list[FaqEntry]] = defaultdict(list)
        for entry in entries:
            by_language[entry.language].append(entry)
        known = words or {}
        self._indexes = {
            language: _LanguageIndex(own, known.get(language, FaqWords()), encoder) for language, own in by_language.items()
        }

    def search(self, text: str, language: str, limit: int = 3) -> list[FaqMatch]:
        """The best entries first, at most `limit`; none for a language without entries.

        An entry that fits less than a known request ("cancel my order") is left out: the assistant carries that out.
        """
        index = self._indexes.get(language)
        return index.search(text[:QUERY_LIMIT])[:limit] if index else []


def choose(matches: Sequence[FaqMatch], answer_from: float = ANSWER_FROM) -> list[FaqEntry]:
    """The entry to answer with; two when they fit about equally, to be offered; none when nothing fits.

    Also two of which one means it and the other says it: of "hours and address" an encoder hears one.
    """
    fitting = [match for match in matches if match.score >= answer_from]
    return [match.entry for match in fitting if _fits_as_well(match, fitting[0])][:2]


def _fits_as_well(match: FaqMatch, best: FaqMatch) -> bool:
    return match.score >= best.score - SAME_WITHIN or match.words >= max(best.words, ANSWER_FROM)


class _LanguageIndex:
    def __init__(self, entries: Sequence[FaqEntry], words: FaqWords, encoder: SentenceEncoder | None) -> None:
        self._folder = WordFolder(words.synonyms, words.filler)
        written = list(phrases(entries, words))
        self._phrases = [replace(phrase, text=self._folder.fold(phrase.text)) for phrase in written]
        self._encoder = encoder
        self._meanings = encoder.encode([phrase.text.lower() for phrase in written]) if encoder else None
        self._weights = _inverse_frequency(self._phrases)
        self._unknown = max(self._weights.values(), default=1.0)
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._vocabulary: dict[str, set[str]] = defaultdict(set)  # feature to the ids that use it
        for place, phrase in enumerate(self._phrases):
            self._add(place, phrase)

    def _add(self, place: int, phrase: Phrase) -> None:
        for feature, weight in self._vector(phrase.text).items():
            self._postings[feature].append((place, weight))
            if phrase.entry and phrase.is_question:
                self._vocabulary[feature].add(phrase.entry.id)

    def search(self, text: str) -> list[FaqMatch]:
        vector = self._vector(self._folder.fold(text))
        covered = self._covered(vector)
        best: dict[str, FaqMatch] = {}
        said: dict[str, float] = defaultdict(float)  # by entry, by words alone
        request = 0.0
        for place, (likeness, meant) in self._found(text, vector).items():
            phrase = self._phrases[place]
            in_words = _score(likeness, covered, phrase)
            score = meant + (1 - self._meaning_share) * in_words
            if phrase.entry is None or not phrase.is_question:
                request = max(request, score)
                continue
            said[phrase.entry.id] = max(said[phrase.entry.id], in_words)
            if phrase.entry.id not in best or score > best[phrase.entry.id].score:
                best[phrase.entry.id] = FaqMatch(phrase.entry, score)
        if request >= _THE_VERY_WORDS:
            return []
        asked = [replace(match, words=said[name]) for name, match in best.items() if match.score + REQUEST_LEAD > request]
        return sorted(asked, key=lambda match: (-match.score, match.entry.id))

    @property
    def _meaning_share(self) -> float:
        return MEANING_SHARE if self._encoder else 0.0

    def _found(self, text: str, vector: _Vector) -> dict[int, tuple[float, float]]:
        """By phrase: its likeness in words, and what its meaning adds to the score."""
        likeness = self._likeness(vector)
        if self._encoder is None:
            return {place: (alike, 0.0) for place, alike in likeness.items()}
        meant = self._meanings @ self._encoder.encode([text.lower()])[0]
        adds = (self._meaning_share * (meant - MEANT_FROM) / (1 - MEANT_FROM)).clip(0).tolist()
        return {place: (likeness.get(place, 0.0), adds[place]) for place in range(len(self._phrases))}

    def _likeness(self, vector: _Vector) -> dict[int, float]:
        """Cosine with every phrase that shares a feature."""
        likeness: dict[int, float] = defaultdict(float)
        for feature, weight in vector.items():
            for place, other in self._postings.get(feature, ()):
                likeness[place] += weight * other
        return likeness

    def _covered(self, vector: _Vector) -> dict[str, float]:
        """The share of the text that stands somewhere in the entry, be it in different phrases."""
        covered: dict[str, float] = defaultdict(float)
        for feature, weight in vector.items():
            for entry_id in self._vocabulary.get(feature, ()):
                covered[entry_id] += weight * weight
        return covered

    def _vector(self, text: str) -> _Vector:
        """Of length 1. Features that no phrase has count too: they make a foreign text unlike every entry."""
        words = self._unit(_words(text), WORD_SHARE)
        return {**words, **self._unit(_characters(text), 1 - WORD_SHARE)}

    def _unit(self, features: Iterable[str], share: float) -> _Vector:
        vector = {feature: times * self._weights.get(feature, self._unknown) for feature, times in Counter(features).items()}
        length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
        return {feature: weight * math.sqrt(share) / length for feature, weight in vector.items()}


def _score(likeness: float, covered: Mapping[str, float], phrase: Phrase) -> float:
    """Between 0 and 1. A request borrows its entry's words, so that it competes with it on equal terms."""
    whole = covered.get(phrase.entry.id, 0.0) if phrase.entry else 0.0
    if not phrase.is_question:
        whole = max(whole, likeness)
    return min(1.0, (1 - ENTRY_SHARE) * likeness + ENTRY_SHARE * whole)


def phrases(entries: Iterable[FaqEntry], words: FaqWords) -> Iterator[Phrase]:
    for entry in entries:
        yield from (Phrase(text, entry, True) for text in (entry.question, *entry.asked_as))
        yield from (Phrase(text, entry, False) for text in entry.not_asked_as)
    yield from (Phrase(text, None, False) for text in words.not_questions)


def _inverse_frequency(phrases: Sequence[Phrase]) -> dict[str, float]:
    """Weight by feature: the fewer entries use it, the more it tells. Counted by entry, not by phrase, since an
    entry's own word ("parking") may stand in all its phrases."""
    users: dict[str, set[str | None]] = defaultdict(set)
    for phrase in phrases:
        for feature in (*_words(phrase.text), *_characters(phrase.text)):
            users[feature].add(phrase.entry.id if phrase.entry else None)
    count = len({phrase.entry for phrase in phrases})
    return {feature: math.log((1 + count) / (1 + len(ids))) + 1 for feature, ids in users.items()}


def _words(text: str) -> list[str]:
    """Words and pairs of words, marked so that no n-gram is mistaken for one."""
    words = text.split()
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    return [f"word:{each}" for each in (*words, *pairs)]


def _characters(text: str) -> list[str]:
    """N-grams within words, whose edges are marked by spaces."""
    padded = [f" {word} " for word in text.split()]
    return [word[start : start + _CHARACTERS] for word in padded for start in range(len(word) - _CHARACTERS + 1)]
