"""What is in the way is said with what to do about it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tendero import obstacles
from tendero.obstacles import Obstacle, check_home, check_port, check_python, listen_for_actions


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_taken_port_is_named_with_a_way_out(taken: int) -> None:
    with pytest.raises(Obstacle) as caught:
        check_port("127.0.0.1", taken, "PORT")
    assert f"Port {taken} is taken" in str(caught.value)
    assert f"PORT={taken + 1} make run" in str(caught.value)


def test_free_port_is_no_obstacle(taken: int) -> None:
    with listen_for_actions(first=20_000) as listening:
        free = listening.getsockname()[1]
    check_port("127.0.0.1", free, "PORT")


def test_address_of_another_machine_is_told() -> None:
    with pytest.raises(Obstacle, match="Set HOST to an address of this machine"):
        check_port("203.0.113.7", 5005, "PORT")


def test_name_that_is_no_address_is_told() -> None:
    with pytest.raises(Obstacle, match="Set HOST"):
        check_port("no such host", 5005, "PORT")


def test_action_port_passes_over_taken_ones(taken: int) -> None:
    with listen_for_actions(first=taken) as listening:
        assert listening.getsockname()[1] > taken


def test_two_shops_that_start_at_once_have_a_port_each() -> None:
    with listen_for_actions(first=22_000) as one, listen_for_actions(first=22_000) as other:
        assert one.getsockname() != other.getsockname()


def test_taken_action_port_is_named_with_a_way_out(taken: int) -> None:
    with pytest.raises(Obstacle, match=f"Port {taken} is taken.*ACTION_PORT="):
        listen_for_actions(taken)


def test_home_below_a_file_is_told_with_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Obstacle) as caught:
        check_home(tmp_path / "file" / "home")
    assert "cannot write there" in str(caught.value)
    assert "TENDERO_HOME" in str(caught.value)


def test_home_is_made_for_its_owner_only(tmp_path: Path) -> None:
    check_home(tmp_path / "home")
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0


def test_full_disk_is_told_in_megabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obstacles.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 12_000_000})())
    with pytest.raises(Obstacle, match="12 MB are free, Tendero needs 300 MB"):
        check_home(tmp_path)


@pytest.mark.parametrize("version", [(3, 9), (3, 12), (3, 13)])
def test_other_python_is_an_obstacle(version: tuple[int, int]) -> None:
    with pytest.raises(Obstacle, match=r"Python 3\.10 and 3\.11; this is Python 3\."):
        check_python(version)


@pytest.mark.parametrize("version", [(3, 10), (3, 11)])
def test_supported_python_is_none(version: tuple[int, int]) -> None:
    check_python(version)
