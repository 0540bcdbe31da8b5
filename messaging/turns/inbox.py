"""The inbox: messages are kept before they are acknowledged, and taken one turn at a time in each conversation.

InboxError
+-- Overloaded    too much is waiting: say so, and let the sender try again
+-- Superseded    somebody else has taken the turn over: nothing of this one is saved
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from messaging.conversations import conversation
from messaging.masking import mask
from messaging.models import Conversation, InboundMessage, OutboundMessage
from messaging.turns import outbox, trace
from messaging.writes import insert_once

OPEN = ("waiting", "taken")
ANSWER = "answer"  # detail: the response with which a message is answered, without asking what it means
REVOKED = "revoked"  # detail of a message that its sender took back before it was answered
ERASED = "erased"  # detail of a message whose words were erased before its turn was saved
LONGEST_BURST = 20  # messages in one turn
OF_THE_WHOLE = ("referral", "product", "late")  # details that one message of a burst has for all of it
AT_ONCE = timedelta(seconds=2)  # a burst: this close to the message before
COMMAND = "/"  # begins a message that names an intent
SHOWN = frozenset({"/share_picture", "/share_video", "/share_document"})  # commands for files that are shown along with words

Kind = Literal["message", "timer", "note"]  # a note needs no answer: it is kept for people to read


class InboxError(Exception):
    """The inbox cannot do this."""


class Overloaded(InboxError):
    """Too many messages wait."""


class Superseded(InboxError):
    """The turn belongs to somebody else by now."""


@dataclass(frozen=True)
class Inbound:
    """A message as a channel hands it in. provider_id: the channel's name of it, the same when it is delivered again."""

    channel: str
    provider_id: str
    sender_id: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "message"
    trace_id: str = ""


@dataclass(frozen=True)
class Receipt:
    """That the inbox has it. is_new: False where it had it already."""

    id: int
    sender_id: str
    is_new: bool


@dataclass(frozen=True)
class Claim:
    """A turn that is ours to do. tries: this one included. messages: in the order in which they came."""

    turn_id: int
    token: str
    sender_id: str
    channel: str
    kind: str
    text: str
    details: Mapping[str, Any]
    provider_id: str
    message_ids: tuple[int, ...]
    trace_id: str
    tries: int
    error: str | None
    received_at: datetime
    owner: str
    recap_due: bool


def receive(session: Session, inbound: Inbound, now: datetime, most_waiting: int | None = None) -> Receipt:
    """Keep the message; the same one again adds nothing. Cards and passwords are masked.

    most_waiting: Overloaded is raised where more messages than this wait; a message we have already is no new load.
    """
    values = _values(inbound, now)
    is_new = insert_once(session, InboundMessage, values)
    found = session.execute(_NAMED, {"channel": inbound.channel, "provider_id": values["provider_id"]}).one()
    if is_new and most_waiting is not None and waiting(session) > most_waiting:
        raise Overloaded(f"more than {most_waiting} messages wait")
    return Receipt(found.id, found.sender_id, is_new)


def note(session: Session, inbound: Inbound, now: datetime) -> bool:
    """Keep something that nobody answers (a reaction, say); False where it was kept already."""
    noted = {"kind": "note", "state": "done", "done_at": now}
    return insert_once(session, InboundMessage, {**_values(inbound, now), **noted})


def is_known(session: Session, channel: str, provider_id: str) -> bool:
    """Whether it was kept already."""
    return session.execute(_NAMED, {"channel": channel, "provider_id": provider_id}).one_or_none() is not None


def reword(session: Session, inbound: Inbound) -> bool:
    """Give a message that still waits other words, as its sender did; False where it does not wait (any more)."""
    changed = {"text": mask(inbound.text).text, "details": dict(inbound.details)}
    return _change_waiting(session, inbound.channel, inbound.provider_id, inbound.sender_id, changed)


def withdraw(session: Session, channel: str, provider_id: str, sender_id: str, now: datetime) -> bool:
    """The sender has taken back a message: where it still waits it is emptied, and nobody answers it."""
    emptied = {"text": "", "details": {REVOKED: True}, "kind": "note", "state": "done", "done_at": now}
    return _change_waiting(session, channel, provider_id, sender_id, emptied)


def _change_waiting(session: Session, channel: str, provider_id: str, sender_id: str, values: Mapping[str, Any]) -> bool:
    named = (InboundMessage.channel == channel, InboundMessage.provider_id == provider_id, InboundMessage.sender_id == sender_id)
    waits = update(InboundMessage).where(*named, InboundMessage.state == "waiting", InboundMessage.turn_id.is_(None))
    return bool(session.execute(waits.values(**values).execution_options(synchronize_session=False)).rowcount)


def _values(inbound: Inbound, now: datetime) -> dict[str, Any]:
    return {
        "channel": inbound.channel,
        "provider_id": inbound.provider_id[:128],
        "sender_id": inbound.sender_id[:128],
        "kind": inbound.kind,
        "text": mask(inbound.text).text,
        "details": dict(inbound.details),
        "trace_id": inbound.trace_id or trace.current() or trace.new(),
        "received_at": now,
        "state": "waiting",
        "tries": 0,
    }


def waiting(session: Session) -> int:
    """How many messages have no reply yet."""
    return int(session.execute(_HOW_MANY_WAIT).scalar_one())


def oldest_waiting(session: Session) -> datetime | None:
    """Since when the longest waiting message waits."""
    return session.execute(select(func.min(InboundMessage.received_at)).where(InboundMessage.state.in_(OPEN))).scalar_one()


@dataclass(frozen=True)
class Backlog:
    """What waits for a turn and what waits to be sent, and for how long the oldest of each has (seconds)."""

    messages: float
    oldest_message: float
    replies: float
    oldest_reply: float


def backlog(session: Session, now: datetime) -> Backlog:
    """How far behind this database's workers are."""
    unsent = OutboundMessage.state.in_(outbox.OPEN)
    since = oldest_waiting(session)
    replies, oldest = session.execute(select(func.count(), func.min(OutboundMessage.created_at)).where(unsent)).one()
    ages = [(now - at).total_seconds() if at is not None else 0.0 for at in (since, oldest)]
    return Backlog(waiting(session), max(ages[0], 0.0), replies, max(ages[1], 0.0))


def senders_waiting(session: Session) -> list[str]:
    """The conversations in which something waits, the longest waiting first: what a new process begins with."""
    grouped = select(InboundMessage.sender_id).where(InboundMessage.state.in_(OPEN)).group_by(InboundMessage.sender_id)
    return list(session.execute(grouped.order_by(func.min(InboundMessage.id))).scalars())


def claim(session: Session, sender_id: str, now: datetime, bursts: Collection[str] = ()) -> Claim | None:
    """Take the conversation's next turn, also one that another process has begun; None where nothing waits.

    That only one process does this for a conversation at a time is the queue's business; where it is not so, the older one
    can save nothing any more. A turn that was begun before has the same messages again. bursts: the channels on which
    messages that came within a moment make one turn.
    """
    rows = session.execute(_NEXT, {"sender_id": sender_id}).all()
    if not rows:
        return None
    batch = _batch(rows, rows[0].channel in bursts)
    token = secrets.token_hex(16)
    session.execute(_TAKE, {"ids": [row.id for row in batch], "turn": batch[0].id, "token": token})
    talk = session.execute(_TALK, {"sender_id": sender_id}).one_or_none()
    return _claim(batch, token, talk or conversation(session, sender_id, batch[0].channel, now))


def finish(session: Session, claim: Claim, now: datetime, error: str | None = None) -> str:
    """The turn is done; the conversation's owner at this moment. error: it failed for good. Raises Superseded."""
    values = {"as": "failed" if error else "done", "now": now, "because": error and error[:300]}
    if session.execute(_FINISH, {**values, "turn": claim.turn_id, "token": claim.token}).rowcount != len(claim.message_ids):
        raise Superseded(f"turn {claim.turn_id} was taken over")
    return session.execute(_OWNER, {"sender_id": claim.sender_id}).scalar_one_or_none() or "bot"


def is_finished_by(session: Session, claim: Claim) -> bool:
    """Whether it was this claim that finished the turn."""
    mine = (InboundMessage.id == claim.turn_id, InboundMessage.claim == claim.token, InboundMessage.state.notin_(OPEN))
    return session.execute(select(InboundMessage.id).where(*mine)).scalar_one_or_none() is not None


def note_failure(session: Session, claim: Claim, error: str) -> None:
    """Why this try failed, for `tendero inbox`; the next try comes."""
    noted = update(InboundMessage).where(InboundMessage.turn_id == claim.turn_id, InboundMessage.claim == claim.token)
    session.execute(noted.values(error=error[:300]).execution_options(synchronize_session=False))


def state_of(session: Session, message_id: int) -> tuple[str, int | None]:
    """The message's state and its turn."""
    row = session.execute(_STATE, {"id": message_id}).one()
    return row.state, row.turn_id


def replies(session: Session, turn_id: int) -> list[dict[str, Any]]:
    """What was replied in this turn, in order; without what was withheld because a person answers."""
    return [dict(content) for content in session.execute(_REPLIES, {"turn": turn_id}).scalars()]


# What every turn asks, made once: making a statement costs more than SQLite takes to answer it.

_TABLE = InboundMessage.__table__
_IS_OPEN = InboundMessage.state.in_(OPEN)
_OF_TURN = (_TABLE.c.turn_id == bindparam("turn"), _TABLE.c.claim == bindparam("token"))
_NAMED = select(InboundMessage.id, InboundMessage.sender_id).where(
    InboundMessage.channel == bindparam("channel"), InboundMessage.provider_id == bindparam("provider_id")
)
_HOW_MANY_WAIT = select(func.count()).select_from(InboundMessage).where(_IS_OPEN)
_NEXT = select(_TABLE).where(_TABLE.c.sender_id == bindparam("sender_id"), _IS_OPEN).order_by(_TABLE.c.id)
_NEXT = _NEXT.limit(LONGEST_BURST).with_for_update()
_TAKE = (
    update(_TABLE)
    .where(_TABLE.c.id.in_(bindparam("ids", expanding=True)))
    .values(state="taken", turn_id=bindparam("turn"), claim=bindparam("token"), tries=_TABLE.c.tries + 1)
)
_FINISH = (
    update(_TABLE)
    .where(*_OF_TURN, _TABLE.c.state == "taken")
    .values(state=bindparam("as"), done_at=bindparam("now"), error=bindparam("because"))
)
_OF_SENDER = Conversation.sender_id == bindparam("sender_id")
_TALK = select(Conversation.owner, Conversation.recap_due).where(_OF_SENDER)
_OWNER = select(Conversation.owner).where(_OF_SENDER).with_for_update()
_STATE = select(InboundMessage.state, InboundMessage.turn_id).where(InboundMessage.id == bindparam("id"))
_REPLIES = (
    select(OutboundMessage.content)
    .where(OutboundMessage.turn_id == bindparam("turn"), OutboundMessage.state != "withheld")
    .order_by(OutboundMessage.position)
)


def _batch(rows: Sequence[Row], takes_bursts: bool) -> list[Row]:
    first = rows[0]
    if first.turn_id is not None:
        return [row for row in rows if row.turn_id == first.turn_id]
    batch = [first]
    for row in rows[1:] if takes_bursts and first.kind == "message" else ():
        begun = row.turn_id is not None  # committed before `first`, though it came later: it keeps the name of its turn
        is_apart = row.kind != "message" or row.channel != first.channel or row.received_at - batch[-1].received_at > AT_ONCE
        if begun or is_apart or not (_joins(batch[-1]) and _joins(row)):
            break
        batch.append(row)
    return batch


def _joins(row: Row) -> bool:
    """Whether it is words or something shown along with words. A command ("/affirm") is a turn of its own."""
    return ANSWER not in row.details and (not row.text.startswith(COMMAND) or row.text in SHOWN)


def _words(batch: Sequence[Row]) -> str:
    """Pictures sent along with words need no command of their own; several pictures need one."""
    texts = [row.text for row in batch]
    return "\n".join([text for text in texts if text not in SHOWN] or texts[:1])


def _details(batch: Sequence[Row]) -> dict[str, Any]:
    """The last one's, with the files of all and what any of them tells of where the shopper comes from."""
    told = {key: row.details[key] for row in batch for key in OF_THE_WHOLE if key in row.details}
    details = {**told, **batch[-1].details}
    files = [file for row in batch for file in row.details.get("files", ())]
    return {**details, "files": files} if files else details


def _claim(batch: Sequence[Row], token: str, talk: Conversation | Row) -> Claim:
    first, last = batch[0], batch[-1]
    return Claim(
        turn_id=first.id,
        token=token,
        sender_id=first.sender_id,
        channel=first.channel,
        kind=first.kind,
        text=_words(batch),
        details=_details(batch),
        provider_id=last.provider_id,
        message_ids=tuple(row.id for row in batch),
        trace_id=first.trace_id,
        tries=first.tries + 1,
        error=first.error,
        received_at=first.received_at,
        owner=talk.owner,
        recap_due=talk.recap_due,
    )
