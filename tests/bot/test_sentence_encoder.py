"""One encoder for all components of a process, that knows its newest texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bot.nlu import sentence_encoder
from bot.nlu.sentence_encoder import Numbers, RememberingEncoder


class Lengths:
    name = "lengths"
    languages = frozenset(["en"])

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> Numbers:
        self.asked.append(list(texts))
        return np.array([[len(text), 1] for text in texts], dtype=np.float32).reshape(-1, 2)


@pytest.fixture
def lengths() -> Lengths:
    return Lengths()


@pytest.fixture
def encoder(lengths: Lengths, monkeypatch: pytest.MonkeyPatch) -> RememberingEncoder:
    monkeypatch.setattr(sentence_encoder, "MOST_REMEMBERED", 3)
    return RememberingEncoder(lengths)


def test_it_is_known_as_the_one_within(encoder: RememberingEncoder) -> None:
    assert (encoder.name, encoder.languages) == ("lengths", {"en"})


def test_text_of_before_is_not_encoded_again(encoder: RememberingEncoder, lengths: Lengths) -> None:
    encoder.encode(["a", "bb"])
    assert encoder.encode(["ccc", "bb", "ccc"])[:, 0].tolist() == [3, 2, 3]
    assert lengths.asked == [["a", "bb"], ["ccc"]]


def test_what_was_asked_for_longest_ago_is_forgotten(encoder: RememberingEncoder, lengths: Lengths) -> None:
    encoder.encode(["a", "bb", "ccc"])
    encoder.encode(["a"])
    encoder.encode(["dddd"])
    encoder.encode(["a", "ccc", "dddd"])
    encoder.encode(["bb"])
    assert lengths.asked == [["a", "bb", "ccc"], ["dddd"], ["bb"]]


def test_many_at_once_are_not_remembered(encoder: RememberingEncoder, lengths: Lengths) -> None:
    encoder.encode(["a"])
    assert encoder.encode(["a", "bb", "ccc", "dddd"])[:, 0].tolist() == [1, 2, 3, 4]
    encoder.encode(["bb"])
    assert lengths.asked == [["a"], ["a", "bb", "ccc", "dddd"], ["bb"]]


def test_no_text_has_no_row(encoder: RememberingEncoder) -> None:
    assert encoder.encode([]).shape == (0, 2)
