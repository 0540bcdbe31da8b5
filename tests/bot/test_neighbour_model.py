"""What is near in meaning has a say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.nlu import neighbour_model
from bot.nlu.neighbour_model import NeighbourModel
from bot.nlu.sentence_encoder import Numbers

TRACK, REFUND, GREET = range(3)
ENCODED = np.array([[1, 0, 0], [1, 0.1, 0], [0, 1, 0], [0.1, 1, 0], [0, 0, 1]], dtype=np.float32)
CLASSES = np.array([TRACK, TRACK, REFUND, REFUND, GREET], dtype=np.int16)
ALIKE = np.ones(3)


def shares(model: NeighbourModel, *text: float) -> Numbers:
    shares: Numbers = np.exp(model.scores(np.array([text], dtype=np.float32))[0]) - neighbour_model.UNHEARD
    return shares


@pytest.fixture
def model() -> NeighbourModel:
    return NeighbourModel.fit(ENCODED, CLASSES, ALIKE)


def test_the_nearer_the_more_it_counts(model: NeighbourModel) -> None:
    of_refund = shares(model, 0.2, 1, 0)
    assert of_refund[REFUND] > 0.99
    between = shares(model, 1, 1, 0)
    assert between[TRACK] == pytest.approx(between[REFUND], abs=0.01)
    assert of_refund.sum() == pytest.approx(1, abs=1e-5)


def test_only_the_nearest_have_a_say(model: NeighbourModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbour_model, "NEAREST", 2)
    assert shares(model, 1, 1, 0.9)[GREET] == pytest.approx(0, abs=1e-6)


def test_few_directions_tell_which_may_be_near_and_all_how_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbour_model, "ROUGHLY", 1)
    monkeypatch.setattr(neighbour_model, "PERHAPS", 4)
    model = NeighbourModel.fit(ENCODED, CLASSES, ALIKE)
    wanted = ENCODED @ np.array([1, 1, 0], dtype=np.float32)
    rough = np.abs(model.rows[:, 0].astype(int))
    assert rough.argmin() == wanted.argmin() == len(ENCODED) - 1  # what four of five leave out
    assert shares(model, 1, 0.3, 0).argmax() == TRACK
    assert shares(model, 0.3, 1, 0).argmax() == REFUND


def test_example_of_a_rare_intent_counts_more() -> None:
    model = NeighbourModel.fit(ENCODED, CLASSES, np.array([1.0, 3.0, 1.0]))
    between = shares(model, 1, 1, 0)
    assert between[REFUND] == pytest.approx(3 * between[TRACK], rel=0.1)


def test_without_some_rows_they_say_nothing(model: NeighbourModel) -> None:
    assert shares(model.only(CLASSES != REFUND), 0, 1, 0)[REFUND] == pytest.approx(0, abs=1e-6)
    assert shares(model.only(np.array([0, 4])), 0, 0, 1).argmax() == GREET


def test_many_texts_are_told_as_each_by_itself(model: NeighbourModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbour_model, "AT_ONCE", 2)
    np.testing.assert_allclose(model.scores(ENCODED), np.vstack([model.scores(row[None]) for row in ENCODED]), atol=1e-5)


def test_sixteen_bits_and_few_directions_tell_the_same_intents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbour_model, "DIRECTIONS", 3)
    wide = np.hstack([ENCODED, 0.01 * np.ones((5, 9), dtype=np.float32)])
    model = NeighbourModel.fit(wide.astype(np.float16), CLASSES, ALIKE)
    assert model.rows.shape == (5, 3)
    assert model.scores(wide).argmax(axis=1).tolist() == CLASSES.tolist()


def test_text_of_which_the_encoder_makes_nothing_breaks_nothing(model: NeighbourModel) -> None:
    assert np.isfinite(model.scores(np.zeros((1, 3), dtype=np.float32))).all()


def test_loaded_model_says_what_was_saved(model: NeighbourModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    loaded = NeighbourModel.load(tmp_path)
    assert loaded is not None
    np.testing.assert_array_equal(shares(loaded, 1, 0.5, 0.1), shares(model, 1, 0.5, 0.1))
    assert loaded.rows.dtype == np.int8


def test_nothing_saved_is_no_model(tmp_path: Path) -> None:
    assert NeighbourModel.load(tmp_path) is None
