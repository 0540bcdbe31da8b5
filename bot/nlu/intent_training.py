"""Trains an `IntentModel` by scikit-learn, and finds by how much its scores are to be scaled from examples left out before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any, NamedTuple

import numpy as np

from bot.nlu.folding import plain, shape
from bot.nlu.gram_weights import weighted
from bot.nlu.intent_model import IntentModel, Scales
from bot.nlu.kept_encodings import encoded
from bot.nlu.linear_model import LinearModel
from bot.nlu.memory import give_back
from bot.nlu.neighbour_model import NeighbourModel, softmax
from bot.nlu.one_vs_rest import OneVsRest, hard
from bot.nlu.sentence_encoder import Numbers, SentenceEncoder

TRUST = 10.0  # in how many examples' weight the usual scales are held: with few examples they change little
LEFT_OUT = 4  # one example of four of each intent
MOST_TRIED = 2_000  # of those left out: more tell nothing more about by how much to scale what is near
SOME = 12_000  # examples of which a first model is fitted, that tells which of the others are hard


class Fit(NamedTuple):
    """tolerance: of the solution. margin: as `hard` has it."""

    tolerance: float
    margin: float


ROUGH = Fit(tolerance=2.0, margin=0.95)  # of a trial
FINE = Fit(tolerance=0.5, margin=1.05)  # of the model itself, which another example must not change elsewhere

Example = tuple[str, str, str | None]  # text, intent, language if known
Rows = np.ndarray[Any, np.dtype[np.int64]]


def train(
    examples: Iterable[Example], encoder: SentenceEncoder | None, c: float, odds: dict[str, float], sure: float
) -> IntentModel:
    """The same examples in whichever order give the same model. c: the smaller, the less each example counts."""
    training = _Training(_unique(examples), encoder, c)
    said = training.tried()
    return IntentModel(training.words(said), training.near, encoder, training.scales(said), odds, sure)


class _Training:
    def __init__(self, examples: Sequence[Example], encoder: SentenceEncoder | None, c: float) -> None:
        texts, intents, languages = zip(*examples, strict=True)
        self._c = c
        self._intents = np.array(intents)
        self._classes = np.unique(self._intents)
        of_each = importance(intents)
        self._importance = np.array([of_each[intent] for intent in self._classes])
        self._targets = self._intents[:, None] == self._classes
        self.kept, self.left_out = _parts(intents)
        self.all = np.arange(len(intents))
        self._encoded = self._of_known_languages(languages, encoder)
        self.near = self._near(texts, encoder)
        self._grams, self._counts = weighted([shape(text) for text in texts])

    def _of_known_languages(self, languages: Sequence[str | None], encoder: SentenceEncoder | None) -> Rows:
        """The rows that are encoded: of languages that the encoder knows."""
        return np.flatnonzero([encoder is not None and (each is None or each in encoder.languages) for each in languages])

    def _near(self, texts: Sequence[str], encoder: SentenceEncoder | None) -> NeighbourModel | None:
        if encoder is None or not len(self._encoded):
            return None
        meanings = encoded([plain(texts[row]) for row in self._encoded], encoder)
        classes = np.searchsorted(self._classes, self._intents[self._encoded]).astype(np.int16)
        return NeighbourModel.fit(meanings, classes, self._importance)

    def tried(self) -> Numbers:
        """What a rough model of words says of every example, which has not seen those that are left out."""
        some = self._some(max(1, len(self.kept) // SOME))
        said = self._fitted(some, ROUGH).scores(self._counts) if len(some) < len(self.kept) else None
        return self._fitted(self.kept, ROUGH, said).scores(self._counts)

    def _some(self, step: int) -> Rows:
        """One of so many of each intent."""
        intents = self._intents[self.kept]
        return np.sort(np.concatenate([self.kept[intents == intent][::step] for intent in self._classes]))

    def words(self, said: Numbers) -> LinearModel:
        """said: what the trial's model says of every example. What that leaves out wrongly, the second fit has again."""
        said = self._fitted(self.all, FINE, said).scores(self._counts) if len(self.left_out) else said
        fitted = self._fitted(self.all, FINE, said)
        return LinearModel([str(each) for each in self._classes], *self._grams, fitted.weights, fitted.intercepts)

    def _fitted(self, rows: Rows, fit: Fit, said: Numbers | None = None) -> OneVsRest:
        """Of these rows; said: what another model says of every example, which tells those that are needed."""
        if said is None:
            counts, targets, needed = self._counts[rows], self._targets[rows], None
        else:  # of most of the rows no copy is made
            counts, targets, needed = self._counts, self._targets, np.zeros_like(self._targets)
            needed[rows] = hard(targets[rows], said[rows], fit.margin)
        give_back()
        return OneVsRest.fit(counts, targets, self._c, self._importance, fit.tolerance, needed)

    def scales(self, said: Numbers) -> Scales:
        """Those that make the intents of the left out examples the least surprising."""
        rows, usual = self.left_out, Scales()
        if not len(rows):
            return usual
        alone = _best([said[rows]], self._targets[rows], [usual.alone])
        is_left_out = np.isin(self._encoded, rows)
        tried = np.flatnonzero(is_left_out)
        if self.near is None or not len(tried) or is_left_out.all():
            return Scales(alone=alone[0])
        tried = tried[:: max(1, len(tried) // MOST_TRIED)]
        near = self.near.only(~is_left_out).scores_of_examples(self.near.rows[tried])
        meant = self._encoded[tried]
        return Scales(alone[0], *_best([said[meant], near], self._targets[meant], list(astuple(usual)[1:])))


def _best(scores: list[Numbers], targets: Numbers, usual: list[float]) -> list[float]:
    from scipy.optimize import minimize

    def surprise(logarithms: Numbers) -> float:
        likely = softmax(sum(np.exp(log) * each for log, each in zip(logarithms, scores, strict=True)))
        right = np.maximum((likely * targets).sum(axis=1), 1e-9)
        return float(-np.log(right).sum() + TRUST * ((logarithms - np.log(usual)) ** 2).sum())

    found = minimize(surprise, np.log(usual), method="Nelder-Mead", options={"xatol": 0.01, "fatol": 0.1, "maxiter": 60})
    return [float(value) for value in np.exp(found.x)]


def _unique(examples: Iterable[Example]) -> list[Example]:
    """One for each shape and intent, sorted, so that the order of files on a disk changes nothing."""
    first: dict[tuple[str, str], Example] = {}
    for example in sorted(set(examples), key=lambda each: (each[0], each[1], each[2] or "")):
        first.setdefault((shape(example[0]), example[1]), example)
    return [first[key] for key in sorted(first)]


def _parts(intents: Sequence[str]) -> tuple[Rows, Rows]:
    """The rows that are kept, and those left out for a trial."""
    rows = defaultdict(list)
    for row, intent in enumerate(intents):
        rows[intent].append(row)
    left_out = {row for each in rows.values() for row in each[LEFT_OUT - 1 :: LEFT_OUT]}
    return np.array([row for row in range(len(intents)) if row not in left_out]), np.array(sorted(left_out), dtype=int)


def importance(intents: Iterable[str]) -> dict[str, float]:
    """The rarer an intent, the more an example counts, but by the square root: the FAQ has very many, and they must count too."""
    counts = Counter(intents)
    most = max(counts.values())
    return {intent: (most / count) ** 0.5 for intent, count in counts.items()}
