"""One stage for all conversation tests: training and loading a model takes longer than playing many stories."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conversations.stage import Stage, trained_model


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """It ends with this folder's tests: its clock and its home must not be those of a shop that a later test starts."""
    home = tmp_path_factory.mktemp("stage")
    before = dict(os.environ)
    stage = Stage(home, trained_model())
    stage.open()
    yield stage
    stage.close()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
