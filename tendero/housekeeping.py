"""What the calendar asks of a running shop: points that expire, returns that never came, and what nobody needs any more."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from commerce import loyalty, returns
from database import transaction
from messaging import channel_contacts, channel_links, codes, received_files, tasks_at_hand, web_visitors
from messaging.turns import ended


def tidy(url: str, now: datetime, home: Path) -> str:
    """Do all of it; what was done in words for the log, empty where there was nothing. Repeating it does nothing more."""
    with transaction(url) as session:
        expired = loyalty.expire_due(session, now)
        overdue = returns.expire_overdue(session, now.date())
        purged = codes.purge(session, now)
        unlinked = channel_links.purge(session, now)
        forgotten = tasks_at_hand.purge(session, now)
        nameless = channel_contacts.purge(session)
        unsaid = received_files.forget_unsaid(session, home, now)
    gone = ended.purge(url, now)
    visitors = web_visitors.purge(url, now)
    done = {
        "points expired": expired,
        "returns expired": len(overdue),
        "code requests deleted": purged,
        "links between channels deleted": unlinked,
        "tasks at hand forgotten": forgotten,
        "contacts without an address deleted": nameless,
        "rows of ended turns deleted": gone,
        "uploads that were never sent deleted": unsaid,
        "rows of web visitors deleted": visitors,
    }
    return ", ".join(f"{count} {what}" for what, count in done.items() if count)
