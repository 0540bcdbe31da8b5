"""What a trained pipeline of two TF-IDF vectorizers and a linear classifier predicts, without scikit-learn.

scikit-learn is built for many texts at once: for one message most of its time goes into checks and matrices of one row, and
importing it takes longer than all else that answers a message. It trains; the numbers it found are used here.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.nlu.sentence_encoder import Numbers

WORD = re.compile(r"\w+|[^\w\s]")
MOST_WORDS = 2  # in an n-gram
FEWEST_CHARACTERS, MOST_CHARACTERS = 3, 4


@dataclass(frozen=True)
class LinearModel:
    """words, characters: the row of each n-gram in `weights`. rarity: of each row (idf). weights: a row for each n-gram, a column
    for each class; in 16 bits, which takes half the memory and tells the same intents."""

    classes: list[str]
    words: dict[str, int]
    characters: dict[str, int]
    rarity: Numbers
    weights: Numbers
    intercepts: Numbers

    def scores(self, text: str) -> Numbers:
        """Of each class: the higher, the likelier."""
        scores = self.intercepts.copy()
        for rows, values in self.features(text):
            scores += values @ self.weights[rows]
        return scores

    def features(self, text: str) -> Iterator[tuple[list[int], Numbers]]:
        """The rows of the text's words and of its pieces of words, each with how much they count."""
        text = text.lower()
        for grams, rows in ((word_grams(text), self.words), (character_grams(text), self.characters)):
            counts = Counter(row for gram in grams if (row := rows.get(gram)) is not None)
            if counts:
                yield list(counts), self._values(counts)

    def knows_a_word(self, text: str) -> bool:
        """Whether any of its words was ever read; numbers and signs are none."""
        return any(word in self.words for word in WORD.findall(text.lower()) if word.isalpha())

    def _values(self, counts: Counter[int]) -> Numbers:
        values = np.array([1 + math.log(count) for count in counts.values()], dtype=np.float32) * self.rarity[list(counts)]
        values /= math.sqrt(float(values @ values))
        return values

    def save(self, folder: Path) -> None:
        grams = {"classes": self.classes, "words": _in_order(self.words), "characters": _in_order(self.characters)}
        (folder / "linear.json").write_text(json.dumps(grams, ensure_ascii=False), encoding="utf-8")
        np.savez(folder / "linear.npz", rarity=self.rarity, weights=self.weights, intercepts=self.intercepts)

    @classmethod
    def load(cls, folder: Path) -> LinearModel:
        grams = json.loads((folder / "linear.json").read_text(encoding="utf-8"))
        words = {gram: row for row, gram in enumerate(grams["words"])}
        characters = {gram: len(words) + row for row, gram in enumerate(grams["characters"])}
        with np.load(folder / "linear.npz") as numbers:
            return cls(grams["classes"], words, characters, numbers["rarity"], numbers["weights"], numbers["intercepts"])


def word_grams(text: str) -> Iterator[str]:
    """Words and signs, and each pair of neighbours: what TfidfVectorizer(ngram_range=(1, 2)) sees."""
    words = WORD.findall(text)
    yield from words
    for length in range(2, MOST_WORDS + 1):
        yield from (" ".join(words[start : start + length]) for start in range(len(words) - length + 1))


def character_grams(text: str) -> Iterator[str]:
    """Pieces of words, a space at each end: what TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)) sees."""
    for word in text.split():
        padded = f" {word} "
        for length in range(FEWEST_CHARACTERS, MOST_CHARACTERS + 1):
            if len(padded) <= length:
                yield padded  # a short word is one piece, once
                break
            yield from (padded[start : start + length] for start in range(len(padded) - length + 1))


def _in_order(rows: dict[str, int]) -> list[str]:
    return sorted(rows, key=rows.__getitem__)
