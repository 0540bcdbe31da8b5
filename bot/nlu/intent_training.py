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
MOST_ENCODED = 600  # examples of an intent: more cost time and memory, and the sentence encoder learns nothing more from them
ROUGH, FINE = 2.0, 0.5  # tolerances: of a trial; and of the model itself, which another example must not change elsewhere
TRUST = 10.0  # in how many examples' weight the usual scales are held: with few examples they change little

Example = tuple[str, str, str | None]  # text, intent, language if known
Rows = np.ndarray[Any, np.dtype[np.int64]]


def train(
    examples: Iterable[Example], encoder: SentenceEncoder | None, c: float, odds: dict[str, float], sure: float
) -> IntentModel:
    """The same examples in whichever order give the same model. c: the smaller, the less each example counts."""
    training = _Training(_unique(examples), encoder, c)
    words, meaning = training.fitted(training.kept, ROUGH)
    scales = training.scales(words, meaning)
    if len(training.left_out):
        del words  # one of the two at a time is enough memory
        words, meaning = training.fitted(np.arange(len(training)), FINE, start=meaning)
    return IntentModel(words, meaning, encoder, scales, odds, sure)


class _Training:
    def __init__(self, examples: Sequence[Example], encoder: SentenceEncoder | None, c: float) -> None:
        texts, intents, languages = zip(*examples, strict=True)
        self._c = c
        self._intents = np.array(intents)
        self._importance = importance(intents)
        self._targets = (self._intents[:, None] == np.unique(self._intents)).astype(np.float32)
        self.kept, self.left_out = _parts(intents)
        self._encoded, self._meanings = _encoded(texts, self._of_each_intent(languages, encoder), encoder)
        self._grams = _vectorizers()
        self._counts = self._grams.fit_transform([shape(text) for text in texts]).tocsr()

    def __len__(self) -> int:
        return len(self._intents)

    def _of_each_intent(self, languages: Sequence[str | None], encoder: SentenceEncoder | None) -> Rows:
        """The rows that are encoded: of languages that the encoder knows, and not too many of an intent, spread over all."""
        known = np.array([encoder is not None and (each is None or each in encoder.languages) for each in languages])
        rows = (np.flatnonzero(known & (self._intents == intent)) for intent in np.unique(self._intents))
        return np.sort(np.concatenate([_spread(each, MOST_ENCODED) for each in rows]))

    def fitted(self, rows: Rows, tolerance: float, start: SoftmaxModel | None = None) -> tuple[LinearModel, SoftmaxModel | None]:
        """Both models of these examples. start: the second one of nearly the same examples."""
        classifier = _classifier(self._c, self._importance, tolerance)
        classifier.fit(self._counts[rows], self._intents[rows])
        words = LinearModel.of(self._grams, classifier)
        meant, meanings = self._meanings_of(rows)
        if not len(meant):
            return words, None
        weights = np.array([self._importance[intent] for intent in self._intents[meant]], dtype=np.float32)
        return words, SoftmaxModel.fit(meanings, self._targets[meant], weights, start)

    def scales(self, words: LinearModel, meaning: SoftmaxModel | None) -> Scales:
        """Those that make the intents of the left out examples the least surprising."""
        rows, usual = self.left_out, Scales()
        if not len(rows):
            return usual
        alone = _best([self._said(rows, words)], self._targets[rows], [usual.alone])
        meant, meanings = self._meanings_of(rows)
        if meaning is None or not len(meant):
            return Scales(alone=alone[0])
        scores = [self._said(meant, words), meaning.scores(meanings)]
        return Scales(alone[0], *_best(scores, self._targets[meant], list(astuple(usual)[1:])))

    def _said(self, rows: Rows, words: LinearModel) -> Numbers:
        result: Numbers = self._counts[rows] @ words.weights.astype(np.float32) + words.intercepts
        return result

    def _meanings_of(self, rows: Rows) -> tuple[Rows, Numbers]:
        """Those of the rows that are encoded, and what they are encoded to."""
        is_among = np.isin(self._encoded, rows)
        return self._encoded[is_among], self._meanings[is_among]


def _spread(rows: Rows, most: int) -> Rows:
    """So many of the rows at most, as far from each other as can be."""
    return rows[np.linspace(0, len(rows), min(len(rows), most), endpoint=False).astype(int)]


def _encoded(texts: Sequence[str], rows: Rows, encoder: SentenceEncoder | None) -> tuple[Rows, Numbers]:
    if encoder is None or not len(rows):
        return np.array([], dtype=int), np.zeros((0, 0), dtype=np.float32)
    return rows, encoded([plain(texts[row]) for row in rows], encoder)


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


def _vectorizers() -> Any:
    # Only a training needs scikit-learn: the models predict without it.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    words = TfidfVectorizer(ngram_range=(1, MOST_WORDS), sublinear_tf=True, token_pattern=WORD.pattern)
    pieces = (FEWEST_CHARACTERS, MOST_CHARACTERS)
    return make_union(words, TfidfVectorizer(analyzer="char_wb", ngram_range=pieces, sublinear_tf=True))


def _classifier(c: float, weights: dict[str, float], tolerance: float = FINE) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=c, class_weight=weights, tol=tolerance, random_state=0)
