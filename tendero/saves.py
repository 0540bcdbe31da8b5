"""What is saved while somebody looks: when, in which files, and what it takes until an assistant that runs has it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from watchfiles import Change, watch

from tendero.fingerprints import NOT_TRAINED_ON, designer_files, ignored, trained_files
from tendero.obstacles import Obstacle
from tendero.stopping import Stopped

# train: it takes a training. read: the servers read it anew. restart: only a start takes it up.
Takes = Literal["train", "read", "restart"]

CODE = ("actions", "bot", "commerce", "database", "desk", "messaging")
READ_AT_THE_START = "data/demo-page/"
AT_THE_ROOT = ("config.yml", "domain.yml", "endpoints.yml", "credentials.yml")
QUIET, LONGEST = 250, 10_000  # milliseconds: nothing was saved for so long; or for longer something always was
ROUND = 50  # milliseconds


def saves(project: Path, polls: bool | None = None) -> Iterator[bool]:
    """Several times a second: whether something was saved, and then nothing more for a moment.

    polls: look at each file again and again, where the file system tells nobody what changes; None: as the environment's
    WATCHFILES_FORCE_POLLING says. Raises Stopped, Obstacle.
    """
    folders = [project / name for name in ("data", *CODE) if (project / name).is_dir()]
    below = watch(*folders, debounce=LONGEST, step=QUIET, rust_timeout=ROUND, yield_on_timeout=True, force_polling=polls)
    # Editors put a new file in the place of the old one: the folder sees that, the file that is gone does not.
    root = watch(
        project, watch_filter=_is_at_the_root, debounce=LONGEST, step=ROUND, rust_timeout=ROUND, yield_on_timeout=True,
        force_polling=polls, recursive=False,
    )  # fmt: skip
    try:
        while True:
            yield any([next(below), next(root)])
    except KeyboardInterrupt:  # what watchfiles makes of any exception in a signal's handler
        raise Stopped from None
    except OSError as error:
        raise Obstacle(
            f"The files cannot be watched ({error}). Set WATCHFILES_FORCE_POLLING=1 to look at them instead."
        ) from error


def contents(project: Path) -> dict[str, str]:
    """A digest of every file that matters, by its path from the root of the project."""
    found = {}
    for file in _files(project):
        with contextlib.suppress(FileNotFoundError):  # gone since it was listed
            found[file.relative_to(project).as_posix()] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Paths of what was written, made or deleted."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def takes(path: str) -> Takes:
    """What it takes until a change of this file is in use."""
    folder, _, rest = path.partition("/")
    if folder in CODE or path in ("endpoints.yml", "credentials.yml") or path.startswith(READ_AT_THE_START):
        return "restart"
    return "read" if folder == "data" and rest.partition("/")[0] in NOT_TRAINED_ON else "train"


def _files(project: Path) -> Iterator[Path]:
    code = (file for folder in CODE for file in (project / folder).rglob("*.py") if not ignored(file))
    settings = (file for name in ("endpoints.yml", "credentials.yml") if (file := project / name).is_file())
    return iter({*trained_files(project), *designer_files(project), *code, *settings})


def _is_at_the_root(_change: Change, path: str) -> bool:
    return Path(path).name in AT_THE_ROOT
