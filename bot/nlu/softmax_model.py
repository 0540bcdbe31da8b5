"""A multinomial logistic regression over dense rows of numbers, such as those of a sentence encoder: seconds for 10,000 rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.nlu.sentence_encoder import Numbers

PENALTY = 1e-5  # on large weights; by cross-validation, between 3e-6 and 1e-4
STEPS, FURTHER_STEPS = 60, 25  # of L-BFGS: from nothing, and from weights that are nearly right


@dataclass(frozen=True)
class SoftmaxModel:
    """weights: a row for each number of the encoder and one more for the intercept, a column for each class."""

    weights: Numbers

    @classmethod
    def fit(cls, rows: Numbers, classes: Numbers, importance: Numbers, start: SoftmaxModel | None = None) -> SoftmaxModel:
        """classes: a column for each, 1 where the row is of it. importance: of each row. start: a model of nearly these rows."""
        from scipy.optimize import minimize  # only a training needs it

        loss = _Loss(rows, classes, importance / importance.sum())
        first = start.weights if start else np.zeros((rows.shape[1] + 1, classes.shape[1]))
        options = {"maxiter": FURTHER_STEPS if start else STEPS, "ftol": 1e-4, "maxcor": 8}
        found = minimize(loss, first.ravel().astype(np.float64), jac=True, method="L-BFGS-B", options=options)
        return cls(found.x.reshape(first.shape).astype(np.float32))

    def scores(self, rows: Numbers) -> Numbers:
        result: Numbers = rows @ self.weights[:-1] + self.weights[-1]
        return result

    def save(self, folder: Path) -> None:
        np.save(folder / "softmax.npy", self.weights)

    @classmethod
    def load(cls, folder: Path) -> SoftmaxModel | None:
        """None where none was saved."""
        file = folder / "softmax.npy"
        return cls(np.load(file)) if file.exists() else None


@dataclass(frozen=True)
class _Loss:
    rows: Numbers
    classes: Numbers
    importance: Numbers

    def __call__(self, flat: Numbers) -> tuple[float, Numbers]:
        """The mean surprise with these weights, large ones penalised, and its slope."""
        weights = flat.reshape(self.rows.shape[1] + 1, -1).astype(np.float32)
        likely = softmax(SoftmaxModel(weights).scores(self.rows))
        surprise = -np.log(np.maximum((likely * self.classes).sum(axis=1), 1e-30))
        penalised = PENALTY * weights
        penalised[-1] = 0  # a common class may be common
        wrong = (likely - self.classes) * self.importance[:, None]
        slope = np.vstack([self.rows.T @ wrong, wrong.sum(axis=0)]) + penalised
        return float(surprise @ self.importance + (penalised * weights).sum() / 2), slope.ravel().astype(np.float64)


def softmax(scores: Numbers) -> Numbers:
    """Probabilities, a row for each row of scores."""
    likely = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Numbers = likely / likely.sum(axis=-1, keepdims=True)
    return result
