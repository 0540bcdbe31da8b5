"""What is kept of files is read again as a whole or not at all, and changes nothing for whoever is in the middle of something."""

from __future__ import annotations

from pathlib import Path

import pytest

from messaging import kept


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept, "_newest", {})
    file = tmp_path / "number"
    file.write_text("1")
    return file


def test_it_is_read_once_until_it_is_read_again(file: Path) -> None:
    @kept.kept
    def number() -> int:
        return int(file.read_text())

    assert number() == 1
    file.write_text("2")
    assert number() == 1
    kept.read_again()
    assert number() == 2


def test_what_is_made_of_something_else_that_is_kept_is_made_of_the_new(file: Path) -> None:
    @kept.kept
    def number() -> int:
        return int(file.read_text())

    @kept.kept
    def times(factor: int) -> int:
        return factor * number()

    assert (times(2), times(3)) == (2, 3)
    file.write_text("5")
    kept.read_again()
    assert (times(2), times(3)) == (10, 15)


def test_where_one_cannot_be_read_all_stay_as_they_were(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("1")
    first, second = (kept.kept(lambda of=of: int(of.read_text())) for of in (file, other))  # type: ignore[misc]
    assert (first(), second()) == (1, 1)
    file.write_text("2")
    other.write_text("no number")
    with pytest.raises(ValueError, match="no number"):
        kept.read_again()
    assert (first(), second()) == (1, 1)


def test_who_has_begun_with_the_old_ends_with_the_old(file: Path) -> None:
    @kept.kept
    def number() -> int:
        return int(file.read_text())

    number()
    with kept.as_it_is_now():
        file.write_text("2")
        kept.read_again()
        assert number() == 1
    assert number() == 2
