"""Encodings of a training that are kept for the next one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bot.nlu import kept_encodings
from bot.nlu.kept_encodings import encoded
from bot.nlu.sentence_encoder import Numbers


class Lengths:
    """An encoder that keeps what it was asked."""

    name = "lengths-1"
    languages = frozenset(["en"])

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Numbers:
        self.asked += texts
        return np.array([[len(text) / 7, 1] for text in texts], dtype=np.float32)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_encodings, "FEWEST", 1)


def test_only_what_is_new_is_encoded(tmp_path: Path) -> None:
    encoded(["a", "bb"], Lengths(), tmp_path)
    encoder = Lengths()
    encoded(["bb", "ccc", "a"], encoder, tmp_path)
    assert encoder.asked == ["ccc"]


def test_what_another_has_asked_for_is_kept(tmp_path: Path) -> None:
    for texts in (["a", "bb"], ["ccc"], ["dddd", "bb"]):
        encoded(texts, Lengths(), tmp_path)
    encoder = Lengths()
    encoded(["a", "bb", "ccc", "dddd"], encoder, tmp_path)
    assert encoder.asked == []


def test_what_somebody_else_keeps_meanwhile_stays(tmp_path: Path) -> None:
    class Interrupted(Lengths):
        def encode(self, texts: Sequence[str]) -> Numbers:
            encoded(["bb"], Lengths(), tmp_path)
            return super().encode(texts)

    encoded(["a"], Interrupted(), tmp_path)
    encoder = Lengths()
    encoded(["a", "bb"], encoder, tmp_path)
    assert encoder.asked == []


@pytest.mark.parametrize(("trainings", "forgotten"), [(3, []), (4, ["a"])])
def test_what_nobody_asks_for_any_more_is_forgotten(
    trainings: int, forgotten: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_encodings, "LONGEST", 3)
    encoded(["a", "bb"], Lengths(), tmp_path)
    for training in range(trainings):
        encoded(["bb", "c" * (training + 3)], Lengths(), tmp_path)
    encoder = Lengths()
    encoded(["a", "bb"], encoder, tmp_path)
    assert encoder.asked == forgotten


def test_numbers_are_the_same_whether_kept_or_new(tmp_path: Path) -> None:
    new = encoded(["a", "bb", "a"], Lengths(), tmp_path)
    assert (encoded(["a", "bb", "a"], Lengths(), tmp_path) == new).all()


def test_another_encoder_finds_nothing_kept(tmp_path: Path) -> None:
    encoded(["a"], Lengths(), tmp_path)
    other = Lengths()
    other.name = "lengths-2"
    encoded(["a"], other, tmp_path)
    assert other.asked == ["a"]


def test_file_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "encoded-lengths-1.npz").write_bytes(b"broken")
    assert encoded(["a"], Lengths(), tmp_path).shape == (1, 2)
