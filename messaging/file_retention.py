"""Files that shoppers sent go after a while, rows and bytes, a few at a time; what somebody still has to decide by stays.

Those that were uploaded and never sent go after a day.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from database import transaction
from messaging import file_references
from messaging.models import ReceivedFile
from messaging.received_files import FOLDER, UNSAID

IDLE = timedelta(days=1)  # what was written or fetched anew since then may be somebody's whose row is not there yet
UNSAID_KEPT = timedelta(days=1)
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


def purge_unsaid(url: str, home: Path, now: datetime, at_once: int = AT_ONCE) -> int:
    """Delete what was uploaded a day ago and is part of no message; how many."""
    unsaid = (ReceivedFile.message_id == UNSAID, ReceivedFile.received_at < now - UNSAID_KEPT)
    done, last = 0, at_once
    while last == at_once:
        with transaction(url) as session:
            some = select(ReceivedFile).where(*unsaid).limit(at_once).with_for_update()  # one that is said meanwhile stays
            references = [file_references.reference(file) for file in session.execute(some).scalars()]
            paths = file_references.erase(session, references)
        for path in paths:
            _delete_idle(home / path, now)
        last = len(references)
        done += last
    return done


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
