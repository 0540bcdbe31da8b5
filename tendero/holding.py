"""One `tendero run` for each TENDERO_HOME: a lock that the system takes back whatever happens to its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tendero.obstacles import Obstacle

FILE = "run.lock"
WATCH_FILE = "watch.lock"
HOLDER = "<number>"


def is_held(home: Path) -> bool:
    """Whether a shop runs on it, or is about to."""
    try:
        with (home / FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def hold(home: Path, doing: str = "start another one") -> Iterator[None]:
    """Hold the home folder. Raises Obstacle where another process does."""
    with _held(
        home / FILE,
        f"A Tendero runs on {home} (process {HOLDER}), so I cannot {doing}. "
        "Stop it first (Ctrl-C in its terminal), or give another folder in TENDERO_HOME.",
    ):
        yield


@contextmanager
def hold_watch(home: Path) -> Iterator[None]:
    """Be the only one that watches for this home folder. Raises Obstacle where another process does."""
    with _held(home / WATCH_FILE, f"A `tendero watch` runs already on {home} (process {HOLDER})."):
        yield


@contextmanager
def _held(lock: Path, refusal: str) -> Iterator[None]:
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "of an unknown number"
            raise Obstacle(refusal.replace(HOLDER, holder)) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)
