"""A web conversation as its pages show it: entries whose numbers rise by one, each written once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from messaging.models import ChatEntry, WebVisitor
from messaging.writes import insert_once, one_at_a_time

PAGE = 50  # entries
NEWS = "tendero_webchat"  # PostgreSQL's notification that there is something new in a conversation: its sender_id

By = Literal["shopper", "assistant", "agent", "shop"]


def append(session: Session, sender_id: str, by: By, name: str, content: Mapping[str, Any], now: datetime) -> tuple[int, bool]:
    """(its number, whether it is new) of the entry that came of `name`: the same name again adds nothing."""
    one_at_a_time(session, f"chat:{sender_id}")
    known = session.execute(_NAMED, {"sender_id": sender_id, "name": name}).scalar_one_or_none()
    if known is not None:
        return known, False
    seq = newest(session, sender_id) + 1
    row = {"sender_id": sender_id, "seq": seq, "by": by, "name": name, "content": dict(content), "at": now}
    insert_once(session, ChatEntry, row)
    tell(session, sender_id)
    return seq, True


def tell(session: Session, sender_id: str) -> None:
    """There is something new in the conversation: for whoever has it open, in any process, once this is committed."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_TELL, {"sender_id": sender_id})


def newest(session: Session, sender_id: str) -> int:
    """The newest entry's number; 0 where there is none."""
    return int(session.execute(_NEWEST, {"sender_id": sender_id}).scalar_one() or 0)


def named(session: Session, sender_id: str, name: str) -> ChatEntry | None:
    """The entry that came of `name`."""
    theirs = select(ChatEntry).where(ChatEntry.sender_id == sender_id, ChatEntry.name == name)
    return session.execute(theirs).scalar_one_or_none()


def entry(session: Session, sender_id: str, seq: int) -> ChatEntry | None:
    theirs = select(ChatEntry).where(ChatEntry.sender_id == sender_id, ChatEntry.seq == seq)
    return session.execute(theirs).scalar_one_or_none()


def after(session: Session, sender_id: str, seq: int, most: int = PAGE) -> list[ChatEntry]:
    """The entries after this one, the oldest first; at most so many of them."""
    later = select(ChatEntry).where(ChatEntry.sender_id == sender_id, ChatEntry.seq > seq).order_by(ChatEntry.seq)
    return list(session.execute(later.limit(most)).scalars())


def before(session: Session, sender_id: str, seq: int | None = None, most: int = PAGE) -> list[ChatEntry]:
    """The newest entries before this one (None: of all), the oldest of them first."""
    earlier = select(ChatEntry).where(ChatEntry.sender_id == sender_id).order_by(ChatEntry.seq.desc()).limit(most)
    earlier = earlier if seq is None else earlier.where(ChatEntry.seq < seq)
    return list(session.execute(earlier).scalars())[::-1]


def names_up_to(session: Session, sender_id: str, seq: int, by: Collection[By], most: int = PAGE) -> list[str]:
    """What the newest entries of these, this one and those before it, came of."""
    theirs = (ChatEntry.sender_id == sender_id, ChatEntry.seq <= seq, ChatEntry.by.in_(by))
    return list(session.execute(select(ChatEntry.name).where(*theirs).order_by(ChatEntry.seq.desc()).limit(most)).scalars())


def note_read_by_shop(session: Session, sender_id: str, name: str) -> int | None:
    """The shop has read the entry of this name, and all before it. How far it has read by now; None: that is not new."""
    seq = session.execute(_NAMED, {"sender_id": sender_id, "name": name}).scalar_one_or_none()
    if seq is None:
        return None
    further = update(WebVisitor).where(WebVisitor.sender_id == sender_id, WebVisitor.read_seq < seq).values(read_seq=seq)
    if not session.execute(further.execution_options(synchronize_session=False)).rowcount:
        return None
    tell(session, sender_id)
    return seq


def read_by_shop(session: Session, sender_id: str) -> int:
    """How far the shop has read."""
    return session.execute(_READ, {"sender_id": sender_id}).scalar_one_or_none() or 0


class Row(NamedTuple):
    """An entry, among those of all conversations: later ones have a higher id, mostly."""

    id: int
    sender_id: str
    seq: int


def later(session: Session, row: int) -> list[Row]:
    """Those of all conversations after this one."""
    return [Row(*each) for each in session.execute(_LATER, {"row": row})]


def newest_row(session: Session) -> int:
    return int(session.execute(select(func.max(ChatEntry.id))).scalar_one() or 0)


_NAMED = select(ChatEntry.seq).where(ChatEntry.sender_id == bindparam("sender_id"), ChatEntry.name == bindparam("name"))
_NEWEST = select(func.max(ChatEntry.seq)).where(ChatEntry.sender_id == bindparam("sender_id"))
_READ = select(WebVisitor.read_seq).where(WebVisitor.sender_id == bindparam("sender_id"))
_LATER = select(ChatEntry.id, ChatEntry.sender_id, ChatEntry.seq).where(ChatEntry.id > bindparam("row")).order_by(ChatEntry.id)
_TELL = select(func.pg_notify(NEWS, bindparam("sender_id")))
