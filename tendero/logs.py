"""Logs of child processes: colours taken out, rotated, and read back for the line that says what went wrong."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from logging import LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

LARGEST, KEPT = 5_000_000, 3  # bytes a file, older files
REMEMBERED = 200  # lines

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ERROR = re.compile(
    r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|NotFound|Warning|InvalidRule)\b\s*:?|\bERROR\b"
)


class _PatientFile(RotatingFileHandler):
    """A full disk must not stop the shop: what cannot be written is still among the newest lines."""

    def handleError(self, record: LogRecord) -> None:
        return


class Log:
    """A rotated file and the newest lines of this run. One writer."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.newest: deque[str] = deque(maxlen=REMEMBERED)
        self._file = _PatientFile(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", delay=True)

    def write(self, line: str) -> None:
        text = _COLOUR.sub("", line).rstrip()
        self.newest.append(text)
        self._file.emit(LogRecord("", 0, "", 0, text, None, None))

    def close(self) -> None:
        self._file.close()


def useful_line(lines: Sequence[str]) -> str:
    """The line that most probably says what went wrong: the last error, else the last line with text."""
    texts = [line.strip() for line in lines if line.strip()]
    errors = [line for line in lines if _ERROR.search(line)]
    return (errors or texts or ["it said nothing"])[-1].strip()
