"""One row a conversation: on which channel it runs and who may answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from messaging.models import Conversation
from messaging.writes import insert_once, one_at_a_time

Owner = Literal["bot", "queue", "agent"]
ELSEWHERE = "another-app"  # assignee of a conversation that another assistant on the same number answers


def conversation(session: Session, sender_id: str, channel: str, now: datetime) -> Conversation:
    """The sender's conversation; a new one belongs to the bot."""
    insert_once(session, Conversation, {"sender_id": sender_id, "channel": channel, "owner": "bot", "created_at": now})
    return session.execute(
        select(Conversation).where(Conversation.sender_id == sender_id).execution_options(populate_existing=True)
    ).scalar_one()


def conversation_of(session: Session, sender_id: str) -> Conversation | None:
    """The sender's conversation as the database has it now, where there is one."""
    theirs = select(Conversation).where(Conversation.sender_id == sender_id)
    return session.execute(theirs.execution_options(populate_existing=True)).scalar_one_or_none()


def one_deed_at_a_time(session: Session, *sender_ids: str) -> None:
    """Hold back whoever else does something for these shoppers, until the transaction's end: the assistant by an action, a person
    by an act at the desk. Before any other lock: the one has the order when it wants the conversation, the other the conversation
    when it wants the order (docs/adr/0021-one-owner-at-a-time.md). Whoever moves, sends or saves a turn is not held back."""
    one_at_a_time(session, *(f"deed:{sender_id}" for sender_id in sender_ids))


def owner(session: Session, sender_id: str) -> Owner:
    """Who may answer: bot, queue (a person is awaited, the bot still helps) or agent (the bot is silent)."""
    found = session.execute(select(Conversation.owner).where(Conversation.sender_id == sender_id)).scalar_one_or_none()
    return found or "bot"


def channel_of(session: Session, sender_id: str) -> str | None:
    """On which channel it runs; None where nobody has written in it."""
    found = session.execute(select(Conversation.channel).where(Conversation.sender_id == sender_id)).scalar_one_or_none()
    return str(found) if found is not None else None


def take_recap(session: Session, sender_id: str) -> bool:
    """True once after a person gave the conversation back: the turn that is told so begins with a recap."""
    taken = (
        update(Conversation).where(Conversation.sender_id == sender_id, Conversation.recap_due.is_(True)).values(recap_due=False)
    )
    return bool(session.execute(taken.execution_options(synchronize_session=False)).rowcount)


def set_owner(session: Session, sender_id: str, owner: Owner, assignee: str | None = None, recap_due: bool = False) -> None:
    """Only handoffs change owners: they keep the two tables in step."""
    changed = update(Conversation).where(Conversation.sender_id == sender_id)
    session.execute(
        changed.values(owner=owner, assignee=assignee, recap_due=recap_due).execution_options(synchronize_session=False)
    )


def set_waiting(session: Session, sender_id: str, owner: Owner) -> None:
    """Whose it is while a person is awaited: `queue`, or `bot` out of hours. What another app has at present stays there."""
    session.execute(_WAITS, {"name": sender_id, "new_owner": owner})


def held_elsewhere(session: Session, sender_id: str, channel: str, now: datetime) -> None:
    """Another app answers on this number: the bot is silent. Where our own people have the conversation, it stays theirs."""
    conversation(session, sender_id, channel, now)
    session.execute(_GO, {"name": sender_id})


def held_here(session: Session, sender_id: str) -> None:
    """The conversation is ours again."""
    session.execute(_COME_BACK, {"name": sender_id})


_TABLE = Conversation.__table__
_NAMED = update(_TABLE).where(_TABLE.c.sender_id == bindparam("name"))
_IS_HERE = or_(_TABLE.c.assignee.is_(None), _TABLE.c.assignee != ELSEWHERE)
_WAITS = _NAMED.where(_IS_HERE).values(owner=bindparam("new_owner"), assignee=None, recap_due=False)
_GO = _NAMED.where(_TABLE.c.owner == "bot").values(owner="agent", assignee=ELSEWHERE)
_COME_BACK = _NAMED.where(_TABLE.c.owner == "agent", _TABLE.c.assignee == ELSEWHERE).values(owner="bot", assignee=None)
