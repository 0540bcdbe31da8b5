"""Fixtures for the launcher's tests: a home folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tendero import migrating


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh TENDERO_HOME, with the default database in it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TENDERO_HOME", str(folder))
    monkeypatch.delenv("TENDERO_DATABASE_URL", raising=False)
    monkeypatch.delenv("TENDERO_SMTP_URL", raising=False)
    return folder


@pytest.fixture
def shop(home: Path) -> str:
    """The default database in the home folder, with its tables."""
    home.mkdir()
    url = f"sqlite:///{home / 'tendero.db'}"
    migrating.upgrade(url)
    return url


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()
