"""Since when a shopper waits for a person's word: what service levels are counted from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from messaging.handoffs import happened
from messaging.handoffs.finding import by_id
from messaging.handoffs.states import OPEN
from messaging.models import Handoff


def note_shopper_wrote(session: Session, sender_id: str, now: datetime) -> None:
    """For the conversation's open handoff, where there is one: the shopper waits since now, unless they did already. What was put
    aside is woken."""
    if not session.execute(_WAITS, {"of_sender": sender_id, "since": now}).rowcount:
        return
    asleep = select(Handoff.id).where(Handoff.sender_id == sender_id, Handoff.snoozed_until.is_not(None))
    for handoff_id in session.execute(asleep.where(Handoff.status == "assigned")).scalars().all():
        handoff = by_id(session, handoff_id)
        handoff.snoozed_until = None
        happened.note(session, handoff, "woken", now, agent=handoff.assignee, why="shopper")


def note_agent_wrote(session: Session, handoff_id: int, now: datetime) -> None:
    """A person has answered."""
    answered = update(Handoff).where(Handoff.id == handoff_id)
    first = func.coalesce(Handoff.first_reply_at, now)
    values = {"awaiting_since": None, "first_reply_at": first, "last_reply_at": now}
    session.execute(answered.values(**values).execution_options(synchronize_session=False))


_TABLE = Handoff.__table__  # each message of a shopper's asks this: the statement is made once
_WAITS = (
    update(_TABLE)
    .where(_TABLE.c.sender_id == bindparam("of_sender"), _TABLE.c.status.in_(OPEN))
    .values(awaiting_since=func.coalesce(_TABLE.c.awaiting_since, bindparam("since", type_=_TABLE.c.awaiting_since.type)))
)
