"""What the calendar asks of a running shop: points that expire, returns that never came, and what nobody needs any more."""

from __future__ import annotations

from datetime import datetime

from commerce import loyalty, returns
from database import transaction
from messaging import channel_contacts, channel_links, codes, tasks_at_hand
from messaging.turns import ended


def tidy(url: str, now: datetime) -> str:
    """Do all of it; what was done in words for the log, empty where there was nothing. Repeating it does nothing more."""
    with transaction(url) as session:
        expired = loyalty.expire_due(session, now)
        overdue = returns.expire_overdue(session, now.date())
        purged = codes.purge(session, now)
        unlinked = channel_links.purge(session, now)
        forgotten = tasks_at_hand.purge(session, now)
        nameless = channel_contacts.purge(session)
    gone = ended.purge(url, now)
    done = {
        "points expired": expired,
        "returns expired": len(overdue),
        "code requests deleted": purged,
        "links between channels deleted": unlinked,
        "tasks at hand forgotten": forgotten,
        "contacts without an address deleted": nameless,
        "rows of ended turns deleted": gone,
    }
    return ", ".join(f"{count} {what}" for what, count in done.items() if count)
