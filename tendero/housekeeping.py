"""What the calendar asks of a running shop: points that expire, returns that never came, code requests that no limit counts."""

from __future__ import annotations

from datetime import datetime

from commerce import loyalty, returns
from database import transaction
from messaging import codes


def tidy(url: str, now: datetime) -> str:
    """Do all of it; what was done in words for the log, empty where there was nothing. Repeating it does nothing more."""
    with transaction(url) as session:
        expired = loyalty.expire_due(session, now)
        overdue = returns.expire_overdue(session, now.date())
        purged = codes.purge(session, now)
    done = {"points expired": expired, "returns expired": len(overdue), "code requests deleted": purged}
    return ", ".join(f"{count} {what}" for what, count in done.items() if count)
