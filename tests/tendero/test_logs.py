"""Logs of the servers, and the line among them that says what went wrong."""

from __future__ import annotations

from pathlib import Path

from tendero.logs import Log, useful_line

TRACEBACK = [
    "2026-11-22 07:49:02 INFO     root  - Starting Rasa server on http://127.0.0.1:5005",
    "Traceback (most recent call last):",
    '  File "webchat.py", line 45, in blueprint',
    "    raise SanicException(",
    "sanic.exceptions.SanicException: Blueprint instance named 'x' uses an invalid format.",
    "",
]


def test_useful_line_is_the_exception() -> None:
    assert useful_line(TRACEBACK) == "sanic.exceptions.SanicException: Blueprint instance named 'x' uses an invalid format."


def test_useful_line_is_the_last_error_before_later_chatter() -> None:
    lines = ["2026 ERROR rasa - Could not load model", "2026 INFO rasa - Server stopped"]
    assert useful_line(lines) == "2026 ERROR rasa - Could not load model"


def test_useful_line_without_an_error_is_the_last_with_text() -> None:
    assert useful_line(["first", "the end", "  "]) == "the end"


def test_silent_process_is_said_to_be_silent() -> None:
    assert useful_line([]) == "it said nothing"


def test_colours_are_not_kept(tmp_path: Path) -> None:
    log = Log(tmp_path / "logs" / "rasa.log")
    log.write("\x1b[93mcareful\x1b[0m\n")
    log.close()
    assert (tmp_path / "logs" / "rasa.log").read_text() == "careful\n"


def test_log_is_rotated(tmp_path: Path) -> None:
    log = Log(tmp_path / "rasa.log")
    log._file.maxBytes = 100
    for number in range(60):
        log.write(f"line {number}")
    log.close()
    assert sorted(file.name for file in tmp_path.glob("rasa.log*")) == ["rasa.log", "rasa.log.1", "rasa.log.2", "rasa.log.3"]
