"""A conversation as the desk shows it: all that is known, its entries, and how far an agent has read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from desk import acts, agent_templates, errors, files, packet, shopper
from desk.asked import Asked
from desk.items import items_of, read_marks
from desk.models import ReadMark
from desk.same_person import talks_of
from desk.transcript import Rows, Transcript, event
from messaging.models import Handoff, HandoffEvent, HandoffNote, InboundMessage, OutboundMessage
from messaging.writes import insert_once

Json = dict[str, Any]


def shown(session: Session, row: Handoff, asked: Asked, language: str) -> Json:
    """The answer to `GET handoffs/<id>`. language: of the agent."""
    transcript = transcript_of(session, row, asked.now)
    entries, has_more = transcript.page()
    happened = select(HandoffEvent).where(HandoffEvent.handoff_id == row.id).order_by(HandoffEvent.id)
    return {
        "item": item(session, row.id, asked),
        "shopper": shopper.shown(session, row, asked.now, language),
        "packet": packet.shown(session, row, language, transcript.address),
        "acts": acts.offered(session, asked.me, row, asked.now, language),
        "events": [_event(each) for each in session.execute(happened).scalars()],
        "entries": entries,
        "has_more": has_more,
        "templates": agent_templates.offered(session, row, asked.me, asked.now),
    }


def item(session: Session, handoff_id: int, asked: Asked) -> Json:
    """As the list has it."""
    found = items_of(session, [handoff_id], asked.now)[0]
    return found.for_agent(read_marks(session, asked.me.id, [found.sender_id]).get(found.sender_id, 0))


def page(session: Session, row: Handoff, asked: Asked, before: str) -> Json:
    """Older entries. Raises DeskError for an entry that there is not."""
    try:
        entries, has_more = transcript_of(session, row, asked.now).page(before)
    except LookupError:
        raise errors.bad_request("before") from None
    return {"entries": entries, "has_more": has_more}


def transcript_of(session: Session, row: Handoff, now: datetime) -> Transcript:
    handoff_id = int(row.id)
    return Transcript(session, row, talks_of(session, row, now), lambda name: files.address(handoff_id, name, now))


def entries_of_turn(session: Session, row: Handoff, asked: Asked, turn_ids: list[int]) -> list[Json]:
    """What an agent has written, as entries."""
    said = select(OutboundMessage.id).where(OutboundMessage.turn_id.in_(turn_ids))
    return transcript_of(session, row, asked.now).entries_of(Rows(o=list(session.execute(said).scalars())))


def note_entry(session: Session, row: Handoff, asked: Asked, name: str) -> Json:
    noted = select(HandoffNote.id).where(HandoffNote.sender_id == row.sender_id, HandoffNote.name == name)
    found = transcript_of(session, row, asked.now).entries_of(Rows(n=[session.execute(noted).scalar_one()]))
    return found[0]


def read(session: Session, asked: Asked, entry: str) -> tuple[str, int]:
    """Read up to this entry: (conversation, the newest message that was read). Raises DeskError."""
    row = asked.handoff(session)
    try:
        at = transcript_of(session, row, asked.now).instant_of(entry)
    except LookupError:
        raise errors.bad_request("entry") from None
    until = select(func.max(InboundMessage.id)).where(InboundMessage.sender_id == row.sender_id, InboundMessage.received_at <= at)
    up_to = int(session.execute(until).scalar_one() or 0)
    mark = {"agent_id": asked.me.id, "sender_id": row.sender_id, "read_up_to": up_to}
    if not insert_once(session, ReadMark, mark):
        _raise_mark(session, mark)
    return row.sender_id, up_to


def _raise_mark(session: Session, mark: Json) -> None:
    theirs = (ReadMark.agent_id == mark["agent_id"], ReadMark.sender_id == mark["sender_id"])
    further = update(ReadMark).where(*theirs, ReadMark.read_up_to < mark["read_up_to"]).values(read_up_to=mark["read_up_to"])
    session.execute(further.execution_options(synchronize_session=False))


def _event(row: HandoffEvent) -> Json:
    told = event(row)
    return {"kind": row.kind, "by": row.by, "at": row.at.isoformat(), "details": told["details"]}
