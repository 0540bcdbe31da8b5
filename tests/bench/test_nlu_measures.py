"""What is measured of predicted intents."""

from __future__ import annotations

import pytest

from bench.nlu.measures import Prediction, calibration_error, macro_f1, quality

RIGHT = Prediction("en", "greet", "greet", 0.9)
WRONG = Prediction("es", "greet", "thank", 0.9)
NAMED = Prediction("en", "out_of_scope", "out_of_scope", 0.9)
UNSURE = Prediction("en", "out_of_scope", "thank", 0.2)
MISSED = Prediction("es", "out_of_scope", "thank", 0.8)
REJECTED = Prediction("en", "thank", "out_of_scope", 0.6)


def test_accuracy_is_told_by_language() -> None:
    found = quality([RIGHT, NAMED, WRONG, RIGHT])
    assert [found["accuracy en"], found["accuracy es"], found["accuracy"]] == [1.0, 0.0, 0.75]


def test_message_that_is_no_matter_of_ours_is_rejected_by_name_or_because_nothing_is_sure() -> None:
    found = quality([NAMED, UNSURE, MISSED, MISSED])
    assert [found["out-of-scope recall"], found["out-of-scope named"]] == [0.5, 0.25]


def test_false_rejection_is_a_matter_of_ours_that_is_rejected() -> None:
    assert quality([RIGHT, WRONG, REJECTED, RIGHT, NAMED])["false rejections"] == 0.25


def test_macro_f1_counts_every_intent_alike() -> None:
    assert macro_f1([RIGHT, RIGHT, RIGHT, REJECTED]) == pytest.approx(0.5)


def test_calibration_error_is_how_far_confidence_is_from_accuracy() -> None:
    assert calibration_error([RIGHT, RIGHT, WRONG, MISSED]) == pytest.approx(((2.7 - 2) + 0.8) / 4)


def test_secret_that_no_classifier_is_asked_for_counts_apart() -> None:
    found = quality(
        [RIGHT, Prediction("en", "share_secret", "inform", 0.9), Prediction("en", "share_secret", "share_secret", 1.0)]
    )
    assert [found["accuracy"], found["secrets told"]] == [1.0, 0.5]
