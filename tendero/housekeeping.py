"""What the calendar asks of a running shop: points that expire, returns that never came, and what nobody needs any more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from commerce import claims, loyalty, returns
from database import transaction
from desk import alerts, retention
from desk import files as desk_files
from desk import privacy as desk_privacy
from desk.rules import rules_as_written
from messaging import (
    channel_contacts,
    channel_links,
    codes,
    file_references,
    file_retention,
    handoffs,
    tasks_at_hand,
    web_visitors,
)
from messaging.turns import ended
from tendero.obstacles import Obstacle

FILES_KEPT = timedelta(days=180)
DAYS_OF_FILES = "TENDERO_FILES_KEPT_DAYS"
FEWEST_DAYS = 7  # what came in of late is still evidence of a new claim, or shown to the person who takes over


def files_kept(environ: Mapping[str, str]) -> timedelta:
    """How long files that shoppers sent are kept. Raises Obstacle."""
    said = environ.get(DAYS_OF_FILES) or str(FILES_KEPT.days)
    if not re.fullmatch("[0-9]{1,5}", said) or int(said) < FEWEST_DAYS:
        raise Obstacle(f"{DAYS_OF_FILES} is {said!r}, and has to be a number of days, {FEWEST_DAYS} or more.")
    return timedelta(days=int(said))


def tidy(url: str, now: datetime, home: Path, kept: timedelta = FILES_KEPT) -> str:
    """Do all of it; what was done in words for the log, empty where there was nothing. Repeating it does nothing more.

    kept: files that shoppers sent, from when they came in.
    """
    with transaction(url) as session:
        expired = loyalty.expire_due(session, now)
        overdue = returns.expire_overdue(session, now.date())
        purged = codes.purge(session, now)
        unlinked = channel_links.purge(session, now)
        forgotten = tasks_at_hand.purge(session, now)
        nameless = channel_contacts.purge(session)
        unnamed = desk_privacy.forget_erased(session)
        sent = alerts.purge(session, now)
    gone = ended.purge(url, now)
    files = file_retention.purge(url, home, now, kept, _needed)
    unsaid = file_retention.purge_unsaid(url, home, now)
    drafts = file_retention.purge_drafts(home, now)
    agents_files = desk_files.purge(home, now, kept)
    visitors = web_visitors.purge(url, now)
    at_the_desk = retention.purge(url, now, rules_as_written().kept)  # last: its file may be half written by a designer
    done = {
        "points expired": expired,
        "returns expired": len(overdue),
        "code requests deleted": purged,
        "links between channels deleted": unlinked,
        "tasks at hand forgotten": forgotten,
        "contacts without an address deleted": nameless,
        "rows of the desk without the customer who was erased": unnamed,
        "sent alerts of the desk deleted": sent,
        "rows of ended turns deleted": gone,
        "received files deleted": files,
        "uploads that were never sent deleted": unsaid,
        "half-written files deleted": drafts,
        "files of agents deleted": agents_files,
        "rows of web visitors deleted": visitors,
        **at_the_desk,
    }
    return ", ".join(f"{count} {what}" for what, count in done.items() if count)


def _needed(session: Session) -> set[str]:
    """References to the files of matters that are not settled."""
    return {*claims.evidence_of_open(session), *file_references.references_in(handoffs.collected_by_open(session))}
