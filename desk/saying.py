"""An agent's message, on its way to the shopper: a text, files, or a template where nothing else may be sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from database import home_folder
from desk import agent_templates, audit, conversation, files
from desk.asked import Asked
from desk.database_work import reading
from desk.errors import DeskError, bad_request
from desk.files import Stored, UnknownFile
from desk.requests import Fields
from messaging import agent_messages, handoffs
from messaging.agent_messages import Said
from messaging.handoffs.errors import NotYours
from messaging.models import Handoff, InboundMessage
from messaging.turns.engine import TurnEngine

Json = dict[str, Any]

LONGEST_ID, LONGEST_TEXT = 60, 4000
MOST_FILES = 10


async def say(engine: TurnEngine, asked: Asked, fields: Fields) -> Json:
    """The protocol's answer: the first entry, and all. The same `id` again is the same message. Raises DeskError."""
    id_ = fields.text("id", LONGEST_ID)
    parts = await reading(lambda session: _parts(session, asked, fields, id_))
    turns = []
    for number, content in enumerate(parts):
        turns.append((await _said(engine, asked, id_ if number == 0 else f"{id_}.{number}", content)).turn_id)
    for stored in await reading(lambda session: _files(session, asked, fields)):
        files.note_sent(stored, home_folder())

    def entries(session: Session) -> list[Json]:
        return conversation.entries_of_turn(session, asked.handoff(session), asked, turns)

    found = await reading(entries)
    return {"entry": found[0], "entries": found}


async def _said(engine: TurnEngine, asked: Asked, id_: str, content: Json) -> Said:
    def note(session: Session, said: Said) -> None:
        facts = {"turn": said.turn_id, "kind": next(iter(content)), "characters": len(str(content.get("text") or ""))}
        row = handoffs.by_id(session, asked.handoff_id)
        audit.note(session, asked.me, "sent_message", handoff=row, details=facts, now=asked.now)

    try:
        return await engine.say_for_agent(asked.handoff_id, asked.me.name, id_, content, note)
    except NotYours as error:
        raise DeskError(409, "not_yours", by=error.by) from None
    except ValueError:
        raise DeskError(422, "refused", rule="channel_only_answers", values={}) from None


def _parts(session: Session, asked: Asked, fields: Fields, id_: str) -> list[Json]:
    """As replies have them, each a message of its own. Raises DeskError."""
    row = asked.handoff(session)
    text, template = fields.text_or_none("text", LONGEST_TEXT), fields.text_or_none("template")
    sent = _files(session, asked, fields)
    if template is not None:
        if text is not None or sent:
            raise bad_request("template")
        return [_template(session, asked, row, template)]
    if text is None and not sent:
        raise bad_request("text")
    if not _may_write(session, row, asked, id_):
        raise DeskError(409, "window_closed", templates=agent_templates.offered(session, row, asked.me, asked.now))
    return [*([{"text": text}] if text is not None else []), *(stored.content for stored in sent)]


def _files(session: Session, asked: Asked, fields: Fields) -> list[Stored]:
    ids = fields.values.get("files") or []
    if not isinstance(ids, list) or len(ids) > MOST_FILES or not all(isinstance(each, str) for each in ids):
        raise bad_request("files")
    row = asked.handoff(session)
    try:
        return [files.of_agent(asked.me, row, each, home_folder()) for each in dict.fromkeys(ids)]
    except UnknownFile:
        raise bad_request("files") from None


def _template(session: Session, asked: Asked, row: Handoff, name: str) -> Json:
    found = agent_templates.contents(session, row, asked.me, asked.now)
    if name not in found:
        raise bad_request("template")
    return found[name]


def _may_write(session: Session, row: Handoff, asked: Asked, id_: str) -> bool:
    """What was said already is not said again: its answer may have been lost."""
    if agent_messages.is_window_open(session, row.channel, row.sender_id, asked.now):
        return True
    known = select(InboundMessage.id).where(InboundMessage.provider_id == f"agent:{row.id}:{id_}")
    return session.execute(known.where(InboundMessage.channel == row.channel)).scalar_one_or_none() is not None
