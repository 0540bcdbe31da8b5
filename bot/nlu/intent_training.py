"""Trains an `IntentModel` by scikit-learn, and finds by how much its scores are to be scaled from examples left out before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np

from bot.nlu.folding import plain, shape
from bot.nlu.intent_model import IntentModel, Scales
from bot.nlu.kept_encodings import encoded
from bot.nlu.linear_model import FEWEST_CHARACTERS, MOST_CHARACTERS, MOST_WORDS, WORD, LinearModel
from bot.nlu.sentence_encoder import Numbers, SentenceEncoder
from bot.nlu.softmax_model import SoftmaxModel, softmax

LEFT_OUT = 4  # one example of four of each intent
ROUGH = 0.5  # tolerance: a third less time than 0.05 takes, with the same accuracy on tests/nlu
TRUST = 10.0  # in how many examples' weight the usual scales are held: with few examples they change little

Example = tuple[str, str]  # text, intent
Rows = np.ndarray[Any, np.dtype[np.int64]]


def train(
    examples: Iterable[Example], encoder: SentenceEncoder | None, c: float, odds: dict[str, float], sure: float
) -> IntentModel:
    """The same examples in whichever order give the same model. c: the smaller, the less each example counts."""
    texts, intents = zip(*_unique(examples), strict=True)
    training = _Training(texts, intents, encoder, c)
    trial = training.fitted(training.kept)
    scales = training.scales(*trial)
    words, meaning = training.fitted(np.arange(len(texts)), start=trial[1]) if len(training.left_out) else trial
    return IntentModel(words, meaning, encoder, scales, odds, sure)


class _Training:
    def __init__(self, texts: Sequence[str], intents: Sequence[str], encoder: SentenceEncoder | None, c: float) -> None:
        self._c = c
        self._texts = texts
        self._intents = np.array(intents)
        self._importance = importance(intents)
        self._grams = _vectorizers()
        self._counts = self._grams.fit_transform([shape(text) for text in texts]).tocsr()
        self._meanings = encoded([plain(text) for text in texts], encoder) if encoder else None
        self._targets = (self._intents[:, None] == np.unique(self._intents)).astype(np.float32)
        self.kept, self.left_out = _parts(intents)

    def fitted(self, rows: Rows, start: SoftmaxModel | None = None) -> tuple[LinearModel, SoftmaxModel | None]:
        """Both models of these examples. start: the second one of nearly the same examples."""
        classifier = _classifier(self._c, self._importance)
        classifier.fit(self._counts[rows], self._intents[rows])
        words = LinearModel.of(self._grams, classifier)
        if self._meanings is None:
            return words, None
        weights = np.array([self._importance[intent] for intent in self._intents[rows]], dtype=np.float32)
        return words, SoftmaxModel.fit(self._meanings[rows], self._targets[rows], weights, start)

    def scales(self, words: LinearModel, meaning: SoftmaxModel | None) -> Scales:
        """Those that make the intents of the left out examples the least surprising."""
        rows, usual = self.left_out, Scales()
        if not len(rows):
            return usual
        said = self._counts[rows] @ words.weights + words.intercepts
        alone = _best([said], self._targets[rows], [usual.alone])
        if meaning is None or self._meanings is None:
            return Scales(alone=alone[0])
        meant = meaning.scores(self._meanings[rows])
        return Scales(alone[0], *_best([said, meant], self._targets[rows], list(astuple(usual)[1:])))


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
    first: dict[Example, str] = {}
    for text, intent in sorted(set(examples)):
        first.setdefault((shape(text), intent), text)
    return [(first[key], key[1]) for key in sorted(first)]


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


def _vectorizers() -> Any:
    # Only a training needs scikit-learn: the models predict without it.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    words = TfidfVectorizer(ngram_range=(1, MOST_WORDS), sublinear_tf=True, token_pattern=WORD.pattern)
    pieces = (FEWEST_CHARACTERS, MOST_CHARACTERS)
    return make_union(words, TfidfVectorizer(analyzer="char_wb", ngram_range=pieces, sublinear_tf=True))


def _classifier(c: float, weights: dict[str, float]) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=c, class_weight=weights, tol=ROUGH, random_state=0)
