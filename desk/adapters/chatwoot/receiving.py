"""What Chatwoot tells, in our tables: messages into the inbox, and whose the conversation is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.channels.spoken import SHARED, typed
from bot.channels.whatsapp.payloads import contents_sent, payload_of
from database import home_folder
from desk.adapters.chatwoot.parsing import Answered, Event, Picked, Place, Said
from desk.adapters.chatwoot.settings import CHANNEL, TITLE, sender_of
from desk.adapters.other_desk import is_with, mark, named
from messaging import conversations, handoffs
from messaging.conversations import conversation
from messaging.handoffs.moving import lock_conversation
from messaging.masking import mask
from messaging.models import Handoff, InboundMessage, OutboundMessage
from messaging.secret import secret_key
from messaging.turns.engine import Keep
from messaging.turns.inbox import Inbound, is_known
from messaging.writes import insert_once

LONGEST_TEXT = 10_000
JUST_NOW = timedelta(seconds=10)  # a message that says "pending" may have been written before it was opened
KINDS = {"image": "image", "video": "video", "audio": "audio", "file": "document", "location": "location", "contact": "contacts"}
RECENT_CHOICES = 3  # replies


def receive(session: Session, keep: Keep, event: Event, now: datetime) -> None:
    """Once or again: the same event again changes nothing."""
    sender_id = sender_of(event.place.account, event.place.conversation)
    conversation(session, sender_id, CHANNEL, now)
    lock_conversation(session, sender_id)  # before the handoff, as everywhere: else two could wait for each other
    match event:
        case Said():
            if not is_known(session, CHANNEL, _name(event.place, event.id)):
                _settle(session, sender_id, event.place, now, event.at)
            keep(_said(session, sender_id, event))
        case Picked():
            _keep_picked(session, keep, sender_id, event)
        case Answered():
            _settle(session, sender_id, event.place, now, None)
            _note_answer(session, sender_id, event, now)
        case _:
            _settle(session, sender_id, event.place, now, None)


def _name(place: Place, message: int, what: str = "") -> str:
    return f"{place.account}-{place.conversation}-{message}{what}"


# Messages


def _said(session: Session, sender_id: str, event: Said) -> Inbound:
    payload, title = _tapped(session, sender_id, event.text)
    details: dict[str, Any] = {"tapped": title} if payload else {}
    details |= {"language": event.language} if event.language else {}
    text = payload or typed(event.text)
    if not text.strip():
        text = next((SHARED[KINDS[kind]] for kind in event.kinds if kind in KINDS), "/share_unsupported")
    return Inbound(CHANNEL, _name(event.place, event.id), sender_id, text, details)


def _tapped(session: Session, sender_id: str, text: str) -> tuple[str, str]:
    """(payload, title) of a choice that was offered of late and is answered by its title: many of Chatwoot's channels do that."""
    said = text.strip().casefold()
    for content in list(contents_sent(session, sender_id, RECENT_CHOICES)) if said else ():
        for button in content.get("buttons") or ():
            if str(button.get("title") or "").strip().casefold() == said and button.get("payload"):
                return str(button["payload"]), str(button["title"])
    return "", ""


def _keep_picked(session: Session, keep: Keep, sender_id: str, event: Picked) -> None:
    """A value that we did not send is none, and so is one of somebody else's message."""
    is_named = OutboundMessage.provider_id == f"{event.place.account}-{event.id}"
    is_it = or_(is_named, OutboundMessage.state == "sending")  # it has arrived before we knew its name
    ours = select(OutboundMessage.id).where(OutboundMessage.channel == CHANNEL, OutboundMessage.sender_id == sender_id, is_it)
    payload = payload_of(event.value, secret_key(home_folder()), contents_sent(session, sender_id))
    if payload is not None and session.execute(ours.limit(1)).first():
        name = _name(event.place, event.id, "-picked")
        keep(Inbound(CHANNEL, name, sender_id, payload, {"tapped": event.title}))


def _note_answer(session: Session, sender_id: str, event: Answered, now: datetime) -> None:
    """What somebody over there has written is there for whoever reads the conversation here."""
    row: dict[str, Any] = {
        "channel": CHANNEL,
        "provider_id": _name(event.place, event.id),
        "sender_id": sender_id,
        "kind": "agent",
    }
    row |= {
        "text": mask(event.text).text[:LONGEST_TEXT],
        "details": {"agent": named(event.agent, TITLE)},
        "trace_id": "0" * 32,
        "received_at": now,
    }
    is_new = insert_once(session, InboundMessage, {**row, "state": "done", "done_at": now, "tries": 0})
    handoff = handoffs.open_for(session, sender_id)
    if is_new and handoff is not None:
        handoffs.note_agent_wrote(session, handoff.id, now)


# Whose it is


def _settle(session: Session, sender_id: str, place: Place, now: datetime, written_at: datetime | None) -> None:
    """Ours as theirs. written_at: of the message that says so; None: it is an event of the status."""
    handoff = handoffs.open_for(session, sender_id)
    match place.status:
        case "open" | "snoozed":
            _is_theirs(session, sender_id, handoff, place, now)
        case "resolved":
            if handoff is not None and _is_taken(handoff):
                handoffs.resolve(session, handoff.id, now, by=str(handoff.assignee))
            conversations.held_here(session, sender_id)
        case "pending":
            if handoff is not None and _is_taken(handoff) and _is_later(written_at, handoff):
                handoffs.give_back(session, handoff.id, now, by=str(handoff.assignee))
            conversations.held_here(session, sender_id)


def _is_theirs(session: Session, sender_id: str, handoff: Handoff | None, place: Place, now: datetime) -> None:
    if handoff is None:
        conversations.held_elsewhere(session, sender_id, CHANNEL, now)
    elif handoff.status in handoffs.UNTAKEN:
        handoffs.take(session, handoff.id, named(place.assignee, TITLE), now, announce=False)  # it shows there who writes
        handoff.external = mark(CHANNEL, place.account, place.conversation)


def _is_taken(handoff: Handoff) -> bool:
    return handoff.status == "assigned" and is_with(handoff, CHANNEL)


def _is_later(written_at: datetime | None, handoff: Handoff) -> bool:
    return written_at is None or handoff.assigned_at is None or written_at > handoff.assigned_at + JUST_NOW
