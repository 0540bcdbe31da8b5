"""What a person of ours writes to a shopper: kept like any message, and sent like any reply on the shopper's own channel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from messaging import agent_names, channel_contacts, handoffs
from messaging.conversations import conversation_of
from messaging.handoffs.errors import NotYours
from messaging.handoffs.moving import lock_conversation
from messaging.masking import mask
from messaging.models import Handoff, InboundMessage, OutboundMessage
from messaging.turns import outbox, trace
from messaging.writes import insert_once

KIND = "agent"
LONGEST_ID = 64
PREFIX = "agent:"  # of the names of these messages in the inbox: agent:<handoff>:<the page's id>

Content = Mapping[str, Any]
Divide = Callable[[Content], Sequence[Content]]


@dataclass(frozen=True)
class Said:
    """turn_id: of the inbox's row. entries: by their names in the desk's protocol. is_new: False where it was said already."""

    turn_id: int
    entries: tuple[str, ...]
    is_new: bool
    channel: str
    sender_id: str

    @property
    def key(self) -> str:
        """Of the queue's lane `replies`, which has to be woken."""
        return outbox.key_of(self.channel, self.sender_id)


def say(
    session: Session,
    handoff: Handoff | int,
    agent: str,
    id: str,
    content: Content,
    now: datetime,
    *,
    divide: Divide = lambda content: [content],
) -> Said:
    """Keep it, and put it into the outbox, behind what waits there. The same `id` again adds nothing.

    id: the page's name of it, up to 64 characters. content: as replies have it (`messaging.replies`): `text`, `image`,
    `attachment`; cards and passwords in its text are masked. divide: into the messages that it takes on the channel.
    Raises NotYours unless this person has the conversation, in this very transaction; NoSuchHandoff; ValueError for an id that is
    too long. `TurnEngine.say_for_agent` does this and sends at once.
    """
    if not 0 < len(id) <= LONGEST_ID:
        raise ValueError(f"the name of a message has 1 to {LONGEST_ID} characters")
    handoff = handoff if isinstance(handoff, Handoff) else handoffs.by_id(session, handoff)
    lock_conversation(session, handoff.sender_id)
    talk = conversation_of(session, handoff.sender_id)
    name = f"{PREFIX}{handoff.id}:{id}"
    if (known := _said(session, handoff, name)) is not None:
        return known
    now_open = handoffs.open_for(session, handoff.sender_id)
    holder = talk.assignee if talk is not None and talk.owner == "agent" else None
    if holder != agent or now_open is None or now_open.id != handoff.id:
        raise NotYours(handoff.id, holder)
    turn_id, trace_id = _keep(session, handoff, agent, name, content, now)
    by = {"by": {"kind": "agent", "name": agent_names.for_shoppers(agent)}, "language": handoff.language}
    parts = [{**part, **by} for part in divide({**content, **_masked(content)})]
    about = {"turn_id": turn_id, "channel": handoff.channel, "sender_id": handoff.sender_id, "trace_id": trace_id}
    outbox.put(session, contents=parts, now=now, author="agent", **about)
    handoffs.note_agent_wrote(session, handoff.id, now)
    return Said(turn_id, _entries(turn_id, range(len(parts))), True, handoff.channel, handoff.sender_id)


def ids_of(session: Session, turn_ids: Collection[int]) -> dict[int, str]:
    """The page's ids of what people of ours wrote, by turn."""
    theirs = (InboundMessage.id.in_(turn_ids), InboundMessage.kind == KIND)
    rows = session.execute(select(InboundMessage.id, InboundMessage.provider_id).where(*theirs)).all() if turn_ids else []
    return {row.id: row.provider_id.removeprefix(PREFIX).partition(":")[2] for row in rows}


def is_window_open(session: Session, channel: str, sender_id: str, now: datetime) -> bool:
    """Whether this person may be written to freely now; where the channel has a window, else only by a template."""
    if channel not in channel_contacts.PREFIXES:
        return True
    closes_at = channel_contacts.window_closes_at(session, sender_id)
    return closes_at is not None and now < closes_at


def _keep(session: Session, handoff: Handoff, agent: str, name: str, content: Content, now: datetime) -> tuple[int, str]:
    """(turn, trace) of the inbox's row, which is nobody's to answer."""
    trace_id = trace.current() or trace.new()
    files = {key: content[key] for key in ("image", "attachment") if content.get(key)}
    row = {
        "channel": handoff.channel,
        "provider_id": name,
        "sender_id": handoff.sender_id,
        "kind": KIND,
        "text": mask(str(content.get("text") or "")).text,
        "details": {"agent": agent, "handoff": handoff.id, **files},
        "trace_id": trace_id,
        "received_at": now,
        "state": "done",
        "done_at": now,
        "tries": 0,
    }
    insert_once(session, InboundMessage, row)
    named = (InboundMessage.channel == handoff.channel, InboundMessage.provider_id == name)
    turn_id = int(session.execute(select(InboundMessage.id).where(*named)).scalar_one())
    own = update(InboundMessage).where(InboundMessage.id == turn_id).values(turn_id=turn_id)
    session.execute(own.execution_options(synchronize_session=False))
    return turn_id, trace_id


def _said(session: Session, handoff: Handoff, name: str) -> Said | None:
    named = (InboundMessage.sender_id == handoff.sender_id, InboundMessage.provider_id == name)
    row = session.execute(select(InboundMessage.id, InboundMessage.channel).where(*named)).one_or_none()
    if row is None:
        return None
    positions = select(OutboundMessage.position).where(OutboundMessage.turn_id == row.id).order_by(OutboundMessage.position)
    return Said(row.id, _entries(row.id, session.execute(positions).scalars()), False, row.channel, handoff.sender_id)


def _entries(turn_id: int, positions: Any) -> tuple[str, ...]:
    return tuple(f"o{turn_id}-{position}" for position in positions)


def _masked(content: Content) -> dict[str, str]:
    return {"text": mask(str(content["text"])).text} if content.get("text") else {}
