"""A message as the words of names that it has, in runs: what belongs to one name stands together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from commerce.names.spelling import NOTHING, Reading, Spelling
from commerce.names.words import Word, Words, placed_words

Span = tuple[int, int]
STOP = re.compile(r"[,;:!?¡¿\n]|\.\s")


@dataclass(frozen=True)
class Said:
    """A word of the message: what it may be, and the word before it in the message."""

    word: Word
    reading: Reading
    before: str

    @property
    def alike(self) -> Mapping[str, float]:
        return self.reading.alike

    @property
    def exact(self) -> tuple[str, ...]:
        """The words of names that it is, in whichever form; none where it may only be one."""
        return tuple(word for word, likeness in self.alike.items() if likeness == 1)


Run = Sequence[Said]


def overlaps(span: Span, others: Sequence[Span]) -> bool:
    """Whether it shares a place with any of the others."""
    return any(span[0] < end and start < span[1] for start, end in others)


def runs(text: str, taken: Sequence[Span], spelling: Spelling, words: Words) -> Iterator[Run]:
    """taken: places in the text that are known to be something else, such as an order number."""
    run: list[Said] = []
    end, before = 0, ""
    for word in placed_words(text):
        reading = NOTHING if _is_taken(word, taken) or word.folded in words.separating else spelling.read(word.folded)
        is_joining = word.folded in words.joining
        if STOP.search(text, end, word.start) or not (reading.alike or is_joining):
            yield from _sure(run)
            run = []
        if reading.alike and not is_joining:
            run.append(Said(word, reading, before))
        end, before = word.end, word.folded
    yield from _sure(run)


def _sure(run: Run) -> Iterator[Run]:
    """The run, where any of its words is surely one of a name."""
    if any(said.reading.is_sure for said in run):
        yield run


def _is_taken(word: Word, taken: Sequence[Span]) -> bool:
    return overlaps((word.start, word.end), taken)
