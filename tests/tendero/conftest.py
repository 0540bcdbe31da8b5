"""Fixtures for the launcher's tests: a home folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh TENDERO_HOME, with the default database in it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TENDERO_HOME", str(folder))
    monkeypatch.delenv("TENDERO_DATABASE_URL", raising=False)
    monkeypatch.delenv("TENDERO_SMTP_URL", raising=False)
    return folder


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()
