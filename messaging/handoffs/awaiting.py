"""Since when a shopper waits for a person's word: what service levels are counted from."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from messaging.handoffs import happened
from messaging.handoffs.finding import by_id
from messaging.handoffs.states import OPEN
from messaging.models import Handoff


def note_shoppers_wrote(session: Session, sender_ids: Collection[str], now: datetime) -> None:
    """For the open handoffs of these conversations: the shopper waits since now, unless they did already. What was put aside is
    woken."""
    if not sender_ids:
        return
    waiting = [row.id for row in session.execute(_OPEN_OF, {"senders": sorted(sender_ids)})]
    if not waiting:
        return
    session.execute(_WAITS, {"ids": waiting, "now": now})
    asleep = select(Handoff.id).where(Handoff.id.in_(waiting), Handoff.snoozed_until.is_not(None), Handoff.status == "assigned")
    for handoff_id in session.execute(asleep.order_by(Handoff.id)).scalars().all():
        handoff = by_id(session, handoff_id)
        handoff.snoozed_until = None
        happened.note(session, handoff, "woken", now, agent=handoff.assignee, why="shopper")


def note_agent_wrote(session: Session, handoff_id: int, now: datetime) -> None:
    """A person has answered."""
    answered = update(Handoff).where(Handoff.id == handoff_id)
    first = func.coalesce(Handoff.first_reply_at, now)
    values = {"awaiting_since": None, "first_reply_at": first, "last_reply_at": now}
    session.execute(answered.values(**values).execution_options(synchronize_session=False))


_TABLE = Handoff.__table__  # each message of a shopper's asks this: the statements are made once
_OF_SENDERS = (_TABLE.c.sender_id.in_(bindparam("senders", expanding=True)), _TABLE.c.status.in_(OPEN))
_OPEN_OF = select(_TABLE.c.id).where(*_OF_SENDERS).order_by(_TABLE.c.id).with_for_update()
_WAITS = (
    update(_TABLE)
    .where(_TABLE.c.id.in_(bindparam("ids", expanding=True)))
    .values(awaiting_since=func.coalesce(_TABLE.c.awaiting_since, bindparam("now", type_=_TABLE.c.awaiting_since.type)))
)
