"""What designers have decided, kept in the shop's database: whoever reviews next, on whatever machine, goes on from there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from messaging.models import ReviewedMessage
from messaging.writes import insert_or_update


def decided(session: Session) -> frozenset[str]:
    """The ids of all messages that were dealt with."""
    return frozenset(session.execute(select(ReviewedMessage.id)).scalars())


def keep(session: Session, ids: Iterable[str], place: str | None, now: datetime) -> None:
    """place: what the messages became examples of; None: they were skipped."""
    for each in ids:
        insert_or_update(session, ReviewedMessage, ["id"], {"id": each, "place": place, "at": now})


def forget(session: Session, ids: Iterable[str]) -> None:
    """Undo a decision: the messages are shown again."""
    session.execute(delete(ReviewedMessage).where(ReviewedMessage.id.in_(list(ids))).execution_options(synchronize_session=False))
