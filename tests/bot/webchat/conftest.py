"""An installation of its own: a home, and a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

KEY = "a secret of the tests, long enough"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.setenv("TENDERO_SECRET", KEY)
