"""A linear SVM for each class against all the others, fitted to those rows only that are hard to tell.

What is far on the right side of a border has no say in where an SVM draws it; of our examples seven in eight are, and a rougher
model already tells which. Without them scikit-learn takes a third of the time, and never holds all the weights in 64 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.nlu.memory import give_back
from bot.nlu.sentence_encoder import Numbers

FEWEST = 2000  # rows of other classes that are kept beside those of a class, hard or not
AT_ONCE = 10_000  # rows that are copied to 32 bits

Truths = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class OneVsRest:
    """weights: a row for each feature, a column for each class; in 16 bits, as a model keeps them."""

    weights: Any
    intercepts: Numbers

    @classmethod
    def fit(
        cls, rows: Any, classes: Truths, c: float, importance: Numbers, tolerance: float, is_hard: Truths | None = None
    ) -> OneVsRest:
        """rows: a sparse matrix, in 64 bits. classes: a column for each, true where the row is of it. c: the smaller, the less a
        row counts. importance: of the rows of each class. is_hard: for which class a row is needed; None: all are for all."""
        weights = np.zeros((rows.shape[1], classes.shape[1]), dtype=np.float16)
        intercepts = np.zeros(classes.shape[1], dtype=np.float32)
        for column, fitted in enumerate(_fitted(rows, classes, c, importance, tolerance, is_hard)):
            weights[:, column], intercepts[column] = fitted.coef_[0], fitted.intercept_[0]
        return cls(weights, intercepts)

    def scores(self, rows: Any) -> Numbers:
        """Of each class, for each row of a sparse matrix: above 0 it is likelier than all others."""
        give_back()
        weights = self.weights.astype(np.float32)
        parts = (rows[first : first + AT_ONCE].astype(np.float32) for first in range(0, rows.shape[0], AT_ONCE))
        return np.vstack([part @ weights for part in parts]) + self.intercepts


def hard(classes: Truths, scores: Numbers, margin: float) -> Truths:
    """Which rows are needed for which class: its own, and those of others that a rougher model does not put farther than this on
    the right side of the border. From 1 on they have no say any more; a rough model can be wrong by some tenths."""
    of_others = np.where(classes, -np.inf, scores)
    if len(scores) <= FEWEST:
        return np.ones_like(classes)
    enough = np.partition(of_others, -FEWEST, axis=0)[-FEWEST]
    needed: Truths = classes | (of_others >= np.minimum(enough, -margin))
    return needed


def _fitted(rows: Any, classes: Truths, c: float, importance: Numbers, tolerance: float, is_hard: Truths | None) -> Iterator[Any]:
    from sklearn.svm import LinearSVC  # only a training needs it

    for column, weight in enumerate(importance):
        classifier = LinearSVC(C=c, class_weight={True: weight}, tol=tolerance, random_state=0)
        needed = slice(None) if is_hard is None else is_hard[:, column]
        give_back()
        yield classifier.fit(rows[needed], classes[needed, column])
