"""Files that shoppers sent go after a while, rows and bytes, a few at a time; what somebody still has to decide by stays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from database import transaction
from messaging import file_references
from messaging.models import ReceivedFile
from messaging.received_files import FOLDER

IDLE = timedelta(days=1)  # what was written or fetched anew since then may be somebody's whose row is not there yet
AT_ONCE = 200  # rows in a transaction


def purge(
    url: str,
    home: Path,
    now: datetime,
    kept: timedelta,
    needed: Callable[[Session], Collection[str]],
    at_once: int = AT_ONCE,
) -> int:
    """Delete the files that came longer than `kept` ago; how many. needed: the references of those that stay all the same.

    The bytes go unless another row has the same ones.
    """
    old = _old(url, now - kept, needed)
    for start in range(0, len(old), at_once):
        with transaction(url) as session:
            paths = file_references.erase(session, old[start : start + at_once])
        for path in paths:
            _delete_idle(home / path, now)
    return len(old)


def purge_drafts(home: Path, now: datetime) -> int:
    """Delete what was half written when its process died; how many there were."""
    return sum(_delete_idle(draft, now) for draft in (home / FOLDER).glob("*/.*"))


def _old(url: str, before: datetime, needed: Callable[[Session], Collection[str]]) -> Sequence[str]:
    with transaction(url, is_optimistic=True) as session:  # looking for them needs no lock
        files = session.execute(select(ReceivedFile.id).where(ReceivedFile.received_at < before))
        references = [file_references.reference(file) for file in files]
        stay = needed(session) if references else ()
    return [each for each in references if each not in stay]


def _delete_idle(file: Path, now: datetime) -> bool:
    try:
        if file.stat().st_mtime >= (now - IDLE).timestamp():
            return False
        file.unlink()
    except FileNotFoundError:  # on the disk of another server
        return False
    return True
