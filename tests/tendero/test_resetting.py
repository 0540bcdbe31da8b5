"""Reset forgets what Tendero made, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tendero.holding import hold
from tendero.obstacles import Obstacle
from tendero.resetting import reset


@pytest.fixture
def full(tmp_path: Path) -> Path:
    for name in ("tendero.db", "secret", "outbox/a.eml", "logs/rasa.log", "models/tendero-1.tar.gz", "my notes.txt"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(name)
    return tmp_path


def test_reset_forgets_state_and_keeps_models_and_strangers(full: Path) -> None:
    assert reset(full) == ["tendero.db", "secret", "outbox", "logs"]
    assert sorted(path.name for path in full.iterdir()) == ["models", "my notes.txt"]


def test_reset_forgets_models_when_asked(full: Path) -> None:
    assert "models" in reset(full, with_models=True)


def test_reset_of_nothing_does_nothing(tmp_path: Path) -> None:
    assert reset(tmp_path) == []


def test_home_has_one_holder(tmp_path: Path) -> None:
    with hold(tmp_path), pytest.raises(Obstacle, match=r"A Tendero runs on .* so I cannot reset it"), hold(tmp_path, "reset it"):
        pass


def test_home_is_free_after_its_holder(tmp_path: Path) -> None:
    with hold(tmp_path):
        pass
    with hold(tmp_path):
        pass
