"""Child processes: their words are kept, their death is told, and they go when they are told to."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tendero.children import Child, ChildDied, answers
from tendero.obstacles import listen_for_actions


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python module `task` to run."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "task.py"


def wait_for(child: Child, word: str) -> None:
    deadline = time.monotonic() + 20
    while word not in " ".join(child.log.newest) and time.monotonic() < deadline:
        time.sleep(0.05)


def test_dead_child_is_told_with_its_error_and_its_log(module: Path, tmp_path: Path) -> None:
    module.write_text("print('hello')\nraise ValueError('no beans left')\n")
    child = Child("coffee server", "task", [], tmp_path / "logs" / "task.log")
    assert child.wait(20) == 1
    with pytest.raises(ChildDied) as caught:
        child.raise_if_dead()
    assert "The coffee server ended by itself (exit code 1): ValueError: no beans left" in str(caught.value)
    assert str(tmp_path / "logs" / "task.log") in str(caught.value)
    child.stop()
    assert "hello" in (tmp_path / "logs" / "task.log").read_text()


def test_running_child_is_not_dead_and_ends_when_told(module: Path, tmp_path: Path) -> None:
    module.write_text("import time\nprint('ready', flush=True)\ntime.sleep(600)\n")
    child = Child("server", "task", [], tmp_path / "task.log")
    wait_for(child, "ready")
    child.raise_if_dead()
    child.stop()
    assert not child.is_running


def test_child_that_does_not_listen_is_ended_after_the_grace(module: Path, tmp_path: Path) -> None:
    module.write_text(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\ntime.sleep(600)\n"
    )
    child = Child("server", "task", [], tmp_path / "task.log")
    wait_for(child, "ready")
    child.stop(grace_seconds=0.2)
    assert not child.is_running


def test_child_gets_its_arguments_and_a_quiet_rasa(module: Path, tmp_path: Path) -> None:
    module.write_text("import os, sys\nprint(sys.argv[1:], os.environ['RASA_TELEMETRY_ENABLED'], os.environ['GREETING'])\n")
    child = Child("server", "task", ["--port", "1"], tmp_path / "task.log", GREETING="hi")
    child.wait(20)
    assert list(child.log.newest) == ["['--port', '1'] false hi"]
    child.stop()


def test_port_without_a_server_does_not_answer() -> None:
    with listen_for_actions(first=21_000) as listening:
        free = listening.getsockname()[1]
    assert not answers("127.0.0.1", free, "/")
