"""One `tendero run` for each TENDERO_HOME: a lock that the system takes back whatever happens to its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tendero.obstacles import Obstacle

FILE = "run.lock"


@contextmanager
def hold(home: Path, doing: str = "start another one") -> Iterator[None]:
    """Hold the home folder. Raises Obstacle where another process does."""
    with (home / FILE).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "of an unknown number"
            raise Obstacle(
                f"A Tendero runs on {home} (process {holder}), so I cannot {doing}. "
                "Stop it first (Ctrl-C in its terminal), or give another folder in TENDERO_HOME."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)
