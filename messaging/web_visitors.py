"""Whose a web conversation is, as the shop's own sign-in says, and for how long that is proof."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from database import transaction
from messaging.models import ChannelLink, ChatEntry, TaskAtHand, UsedSignIn, WebVisitor

UNSEEN_KEPT = timedelta(days=180)  # a browser that has not come back for so long does not come back
REVOKED_KEPT = timedelta(days=30)  # as long as messages (messaging.turns.ended)
AT_ONCE = 100  # visitors in a transaction


def signed_in(session: Session, sender_id: str, now: datetime) -> tuple[str, datetime] | None:
    """(the customer's number, until when it is proof), where the shop's sign-in holds."""
    holds = select(WebVisitor.customer, WebVisitor.customer_until).where(
        WebVisitor.sender_id == sender_id,
        WebVisitor.customer.is_not(None),
        WebVisitor.customer_until > now,
        or_(WebVisitor.revoked_at.is_(None), WebVisitor.revoked_at > now),
    )
    found = session.execute(holds).first()
    return (found.customer, found.customer_until) if found else None


def go_on_as(session: Session, sender_id: str, number: str, until: datetime) -> None:
    """The sign-in of the conversation before holds in this one, for the rest of its time."""
    theirs = update(WebVisitor).where(WebVisitor.sender_id == sender_id).values(customer=number, customer_until=until)
    session.execute(theirs.execution_options(synchronize_session=False))


def note_whose(session: Session, sender_id: str, number: str) -> None:
    """The conversation is this customer's, who has proven it otherwise: another whom the shop signs in here begins anew."""
    other = or_(WebVisitor.customer.is_(None), WebVisitor.customer != number)
    theirs = update(WebVisitor).where(WebVisitor.sender_id == sender_id, other).values(customer=number, customer_until=None)
    session.execute(theirs.execution_options(synchronize_session=False))


def end_sign_in(session: Session, sender_id: str, now: datetime) -> None:
    """The sign-in proves nothing any more; whose the conversation was stays known, so that it can be exported and erased."""
    ended = (
        update(WebVisitor).where(WebVisitor.sender_id == sender_id, WebVisitor.customer_until > now).values(customer_until=now)
    )
    session.execute(ended.execution_options(synchronize_session=False))


def purge(url: str, now: datetime) -> int:
    """Delete the visitors who cannot or do not come back, with their conversations, and expired sign-ins. How many rows."""
    unseen = WebVisitor.seen_at < now - UNSEEN_KEPT
    gone = or_(unseen, WebVisitor.revoked_at < now - REVOKED_KEPT)
    with transaction(url, is_optimistic=True) as session:  # looking for them needs no lock
        ids = list(session.execute(select(WebVisitor.sender_id).where(gone)).scalars())
    rows = sum(_delete(url, ids[start : start + AT_ONCE], gone) for start in range(0, len(ids), AT_ONCE))
    with transaction(url) as session:
        rows += session.execute(delete(UsedSignIn).where(UsedSignIn.expires_at < now)).rowcount
    return rows


def _delete(url: str, ids: list[str], gone: object) -> int:
    with transaction(url) as session:
        still = select(WebVisitor.sender_id).where(WebVisitor.sender_id.in_(ids), gone).with_for_update()
        theirs = list(session.execute(still).scalars())
        conditions = (
            ChatEntry.sender_id.in_(theirs),
            TaskAtHand.sender_id.in_(theirs),
            or_(ChannelLink.from_sender_id.in_(theirs), ChannelLink.to_sender_id.in_(theirs)),
            WebVisitor.sender_id.in_(theirs),
        )
        tables = (ChatEntry, TaskAtHand, ChannelLink, WebVisitor)
        statements = [delete(table).where(condition) for table, condition in zip(tables, conditions, strict=True)]
        return sum(session.execute(each.execution_options(synchronize_session=False)).rowcount for each in statements)
