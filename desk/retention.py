"""What is over at the desk goes after its time (`kept_days` of data/policies/desk.yml), a few rows at a time; what is open stays.

Several processes may do it at once: each row is looked at again in the transaction that deletes it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from database import transaction
from desk.models import AgentSession, AuditEntry, DeskDelivery, ReadMark, SignInAttempt
from desk.rules import Kept
from messaging import handoffs
from messaging.batches import delete_some_at_a_time, portions
from messaging.models import Handoff, HandoffEvent, HandoffNote

HANDOFFS_AT_ONCE = 100  # with all that happened to them


def purge(url: str, now: datetime, kept: Kept) -> dict[str, int]:
    """Delete all of it; how many rows, by what they are in words."""
    ended = or_(AgentSession.revoked_at < now - kept.sessions, AgentSession.expires_at < now - kept.sessions)
    tried = SignInAttempt.at < now - kept.sign_in_tries
    return {
        "ended conversations with people deleted": purge_handoffs(url, now - kept.handoffs),
        "rows of the audit log deleted": delete_some_at_a_time(url, AuditEntry.id, AuditEntry.at < now - kept.audit),
        "ended sessions of agents deleted": delete_some_at_a_time(url, AgentSession.id, ended),
        "tries of agents to sign in deleted": delete_some_at_a_time(url, SignInAttempt.id, tried),
    }


def purge_handoffs(url: str, before: datetime, at_once: int = HANDOFFS_AT_ONCE) -> int:
    """Delete what ended before, with its events, notes, and what other desks were told of it; how many handoffs.

    The newest one stays: SQLite would give its number to another, which ratings and the audit log would then be of.
    """
    newest = select(func.max(Handoff.id)).scalar_subquery()
    over = Handoff.status.notin_(handoffs.OPEN) & (Handoff.closed_at < before) & (Handoff.id < newest)
    done = sum(_delete(url, some, over) for some in portions(url, Handoff.id, over, at_once))
    nobodys = ReadMark.sender_id.notin_(select(Handoff.sender_id))
    delete_some_at_a_time(url, ReadMark.id, nobodys)
    return done


def _delete(url: str, ids: list[int], over: Any) -> int:
    """All or nothing of each: a report counts none of which only a part is left."""
    with transaction(url) as session:
        still = select(Handoff.id).where(Handoff.id.in_(ids), over).order_by(Handoff.id).with_for_update(skip_locked=True)
        gone = list(session.execute(still).scalars())
        # Whoever is erased later is found by the handoff, or by their number: it must not be the only way to these rows.
        of_nobody_known = (AuditEntry.handoff_id.in_(gone), AuditEntry.customer_id.is_(None))
        statements: list[Any] = [
            update(AuditEntry).where(*of_nobody_known).values(sender_id=None),
            *(delete(table).where(table.handoff_id.in_(gone)) for table in (HandoffEvent, HandoffNote, DeskDelivery)),
            delete(Handoff).where(Handoff.id.in_(gone)),
        ]
        for each in statements:
            session.execute(each.execution_options(synchronize_session=False))
    return len(gone)
