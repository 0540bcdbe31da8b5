from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from messaging.secret import SecretError, secret_key


def test_environment_goes_first_and_writes_nothing(tmp_path: Path) -> None:
    assert secret_key(tmp_path, {"TENDERO_SECRET": "0123456789abcdef"}) == b"0123456789abcdef"
    assert list(tmp_path.iterdir()) == []


def test_secret_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "var"
    first = secret_key(home, {})
    assert len(first) == 64
    assert secret_key(home, {}) == first
    assert stat.S_IMODE((home / "secret").stat().st_mode) == 0o600
    assert [file.name for file in home.iterdir()] == ["secret"]


def test_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: secret_key(tmp_path, {}), range(8)))) == 1


def test_short_secret_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="TENDERO_SECRET has 5 characters"):
        secret_key(tmp_path, {"TENDERO_SECRET": "abcde"})
    (tmp_path / "secret").write_text("")
    with pytest.raises(SecretError, match="secret has 0 characters"):
        secret_key(tmp_path, {})
