"""What a training has freed goes back to the system."""

from __future__ import annotations

import ctypes

import pytest

from bot.nlu import memory


def test_c_library_is_asked_to_give_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Library:
        def malloc_trim(self, left: int) -> None:
            asked.append(left)

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library())
    memory.give_back()
    assert asked == [0]


def test_c_library_that_cannot_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    memory.give_back()
