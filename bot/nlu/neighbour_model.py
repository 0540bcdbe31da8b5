"""Which intents the examples have that mean nearly the same as a text: those nearest to it among the sentence encoder's numbers.

Nothing is fitted but fewer, telling directions, so that an example changes what is said near it and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bot.nlu.sentence_encoder import Numbers

NEAREST = 80  # examples that have a say
NARROW = 20.0  # how fast it fades: at 0.1 further (of the cosine) an example counts a seventh
UNHEARD = 0.01  # the share of an intent of which no example is near
DIRECTIONS = 128  # of the encoder's 512: as right, and a fourth of the time and memory
ROUGHLY = 48  # of these tell which examples may be near: a third of the time
PERHAPS = 2000  # examples that may be near: 99.6% of texts have the same likeliest intent as if all were looked at
SOME = 14_000  # rows from which the directions are found
AT_ONCE = 50  # texts: their nearness to all rows takes 30 MB

Classes = np.ndarray[tuple[int], np.dtype[np.int16]]
Small = np.ndarray[Any, np.dtype[np.int8]]
Rows = np.ndarray[tuple[int], np.dtype[Any]]  # their numbers, or whether each is one of them


@dataclass(frozen=True)
class NeighbourModel:
    """directions: a column each, the most telling first. rows: of each example, its place along them (the root of the sum of
    squares is 1) in 8 bits: as right, and a fourth of the memory. classes: of each row, the number of its intent. importance:
    of an example of each intent."""

    directions: Numbers
    rows: Small
    classes: Classes
    importance: Numbers

    @classmethod
    def fit(cls, encoded: Numbers, classes: Classes, importance: Numbers) -> NeighbourModel:
        """encoded: what the encoder made of each example, in 16 or 32 bits."""
        directions = _directions(encoded[:: max(1, len(encoded) // SOME)].astype(np.float32))
        rows = [in_8_bits(_along(part.astype(np.float32), directions)) for part in _parts(encoded)]
        return cls(directions, np.concatenate(rows), classes, importance)

    def only(self, rows: Rows) -> NeighbourModel:
        """The same directions, with these of the rows alone."""
        return replace(self, rows=self.rows[rows], classes=self.classes[rows])

    def scores(self, encoded: Numbers) -> Numbers:
        """Of each text (a row) and intent (a column), the logarithm of its share of what is near."""
        return self._scores_along(_along(encoded, self.directions))

    def scores_of_examples(self, rows: Small) -> Numbers:
        """As `scores`, of rows of a model with the same directions."""
        return self._scores_along(of_8_bits(rows))

    def _scores_along(self, places: Numbers) -> Numbers:
        return np.concatenate([self._scores(part) for part in _parts(places)])

    def _scores(self, places: Numbers) -> Numbers:
        perhaps = _greatest(places[:, :ROUGHLY] @ self._rough_rows.T, PERHAPS)
        shares = np.array([self._shares(place, rows) for place, rows in zip(places, perhaps, strict=True)])
        result: Numbers = np.log(shares + UNHEARD).astype(np.float32)
        return result

    @cached_property
    def _rough_rows(self) -> Numbers:
        return of_8_bits(self.rows[:, :ROUGHLY])

    def _shares(self, place: Numbers, perhaps: Rows) -> Numbers:
        near = of_8_bits(self.rows[perhaps]) @ place
        nearest = _greatest(near, NEAREST)
        classes = self.classes[perhaps[nearest]]
        says = self.importance[classes] * np.exp(NARROW * (near[nearest] - near.max()))
        shares: Numbers = np.bincount(classes, says, minlength=len(self.importance)) / says.sum()
        return shares

    def save(self, folder: Path) -> None:
        np.savez(folder / "neighbours.npz", **{each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def load(cls, folder: Path) -> NeighbourModel | None:
        """None where none was saved."""
        file = folder / "neighbours.npz"
        if not file.exists():
            return None
        with np.load(file) as kept:
            return cls(**{each.name: kept[each.name] for each in fields(cls)})


def softmax(scores: Numbers) -> Numbers:
    """Probabilities, a row for each row of scores."""
    likely = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Numbers = likely / likely.sum(axis=-1, keepdims=True)
    return result


def _directions(encoded: Numbers) -> Numbers:
    """Those along which sentences differ most (principal components, not centred)."""
    _, vectors = np.linalg.eigh(encoded.T @ encoded)
    return np.ascontiguousarray(vectors[:, ::-1][:, :DIRECTIONS])


def _along(encoded: Numbers, directions: Numbers) -> Numbers:
    places = encoded @ directions
    result: Numbers = places / np.maximum(np.linalg.norm(places, axis=1, keepdims=True), 1e-6)
    return result


def _greatest(values: Numbers, count: int) -> Rows:
    """Where the so many greatest are, in no order; of a matrix those of each row."""
    first = max(0, values.shape[-1] - count)
    found: Rows = np.argpartition(values, first, axis=-1)[..., first:]
    return found


def in_8_bits(rows: Numbers) -> Small:
    return np.round(rows * 127).astype(np.int8)


def of_8_bits(rows: Small) -> Numbers:
    return rows.astype(np.float32) / 127


def _parts(rows: Numbers) -> list[Numbers]:
    return [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
