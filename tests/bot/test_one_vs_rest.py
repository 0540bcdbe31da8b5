"""Support vector machines that leave out what has no say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from bot.nlu import one_vs_rest
from bot.nlu.one_vs_rest import OneVsRest, hard

MIDDLES = np.array([[3, 0, 0], [0, 3, 0], [0, 0, 3]])


@pytest.fixture
def rows() -> csr_matrix:
    return csr_matrix(np.random.default_rng(7).normal(np.repeat(MIDDLES, 200, axis=0), 1))


CLASSES = np.repeat(np.eye(3, dtype=bool), 200, axis=0)
COSTS = (0.5, np.array([1.0, 2.0, 3.0]), 0.001)


def fit(rows: csr_matrix, is_hard: one_vs_rest.Truths | None = None) -> OneVsRest:
    return OneVsRest.fit(rows, CLASSES, *COSTS, is_hard)


def test_it_is_scikit_learns(rows: csr_matrix) -> None:
    c, importance, tolerance = COSTS
    theirs = LinearSVC(C=c, class_weight=dict(enumerate(importance)), tol=tolerance, random_state=0)
    theirs.fit(rows, CLASSES.argmax(axis=1))
    np.testing.assert_allclose(fit(rows).scores(rows), theirs.decision_function(rows), atol=0.01)


def test_what_is_far_on_the_right_side_changes_nothing(rows: csr_matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_vs_rest, "FEWEST", 10)
    whole = fit(rows)
    needed = hard(CLASSES, whole.scores(rows), 1.05)
    assert 0.34 < needed.mean() < 0.8
    np.testing.assert_allclose(fit(rows, needed).scores(rows), whole.scores(rows), atol=0.02)


def test_what_is_wrongly_left_out_changes_something(rows: csr_matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_vs_rest, "FEWEST", 10)
    whole = fit(rows)
    assert abs(fit(rows, hard(CLASSES, whole.scores(rows), 0.2)).scores(rows) - whole.scores(rows)).max() > 0.1


def test_class_that_nothing_is_like_is_still_told_from_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_vs_rest, "FEWEST", 2)
    classes = np.array([[True], [False], [False], [False]])
    scores = np.array([[1.0], [-9.0], [-8.0], [-7.0]], dtype=np.float32)
    assert hard(classes, scores, 1.0)[:, 0].tolist() == [True, False, True, True]


def test_of_few_rows_all_are_needed() -> None:
    assert hard(CLASSES, np.full(CLASSES.shape, -9, dtype=np.float32), 1.0).all()
