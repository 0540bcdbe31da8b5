"""Chatwoot's webhooks as small facts. What is not known, or not for us, is None: newer versions may add to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal

Status = Literal["pending", "open", "snoozed", "resolved"]
STATUSES: dict[str, Status] = {"pending": "pending", "open": "open", "snoozed": "snoozed", "resolved": "resolved"}
TYPES = {0: "incoming", 1: "outgoing", 2: "activity", 3: "template"}  # webhooks say the word, other places the number
OF_THE_CONVERSATION = frozenset(
    {"conversation_opened", "conversation_resolved", "conversation_status_changed", "conversation_updated"}
)
LONGEST_NAME = 64


@dataclass(frozen=True)
class Place:
    """A conversation over there. assignee: who has it; empty: nobody, or a bot."""

    account: int
    conversation: int
    status: Status
    assignee: str = ""


@dataclass(frozen=True)
class Said:
    """The shopper has written. kinds: of files that came along (image, audio, file ...). language: as their widget says it."""

    place: Place
    id: int
    text: str
    kinds: tuple[str, ...] = ()
    language: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Picked:
    """The shopper has tapped one of the choices of our message: title and value, as we sent them."""

    place: Place
    id: int  # of our message
    title: str
    value: str


@dataclass(frozen=True)
class Answered:
    """Somebody over there has written to the shopper."""

    place: Place
    id: int
    text: str
    agent: str


@dataclass(frozen=True)
class StatusIs:
    """Something about the conversation has changed; perhaps its status."""

    place: Place


Event = Said | Picked | Answered | StatusIs


def parse(content: Mapping[str, Any]) -> Event | None:
    event = content.get("event")
    try:
        if event in ("message_created", "message_updated"):
            return _message(content, is_new=event == "message_created")
        if event in OF_THE_CONVERSATION:
            return StatusIs(_place(content, content, event))
    except (KeyError, TypeError, ValueError):
        pass
    return None


def _message(content: Mapping[str, Any], is_new: bool) -> Event | None:
    place = _place(content["conversation"], content, "")
    kind = TYPES.get(content["message_type"], content["message_type"]) if _hashable(content["message_type"]) else ""
    if content.get("private"):
        return None
    if kind == "incoming" and is_new:
        return Said(
            place, _id(content["id"]), _text(content.get("content")), _kinds(content), _language(content), _instant(content)
        )
    if kind in ("outgoing", "template") and not is_new:
        return _picked(place, content)
    sender = content.get("sender")
    if kind == "outgoing" and isinstance(sender, Mapping) and sender.get("type") == "user":
        return Answered(place, _id(content["id"]), _text(content.get("content")), _name(sender))
    return None


def _picked(place: Place, content: Mapping[str, Any]) -> Picked | None:
    attributes = content.get("content_attributes")
    values = attributes.get("submitted_values") if isinstance(attributes, Mapping) else None
    first = values[0] if isinstance(values, list) and values else None
    if not isinstance(first, Mapping) or not first.get("value"):
        return None
    return Picked(place, _id(content["id"]), _text(first.get("title")), str(first["value"])[:500])


def _place(conversation: Mapping[str, Any], content: Mapping[str, Any], event: str) -> Place:
    """The account stands beside the conversation, within its contact's inbox, or in its messages, by version."""
    status = STATUSES[str(conversation["status"])]
    status = "resolved" if event == "conversation_resolved" else status
    meta = conversation.get("meta")
    assignee = meta.get("assignee") if isinstance(meta, Mapping) else None
    is_person = isinstance(assignee, Mapping) and assignee.get("type") in (None, "user")
    name = _name(assignee) if is_person and isinstance(assignee, Mapping) else ""
    return Place(_account(content, conversation), _id(conversation["id"]), status, name)


def _account(content: Mapping[str, Any], conversation: Mapping[str, Any]) -> int:
    account = content.get("account")
    if isinstance(account, Mapping):
        return _id(account["id"])
    for message in conversation.get("messages") or ():
        if isinstance(message, Mapping) and message.get("account_id"):
            return _id(message["account_id"])
    return _id(conversation["account_id"])


def _kinds(content: Mapping[str, Any]) -> tuple[str, ...]:
    attachments = content.get("attachments")
    found = [each.get("file_type") for each in attachments if isinstance(each, Mapping)] if isinstance(attachments, list) else []
    return tuple(str(each) for each in found if each)[:20]


def _language(content: Mapping[str, Any]) -> str:
    conversation = content["conversation"]
    for holder in (conversation.get("additional_attributes"), conversation.get("custom_attributes")):
        for key in ("conversation_language", "browser_language", "language"):
            browser = holder.get("browser") if isinstance(holder, Mapping) else None
            said = (holder.get(key) if isinstance(holder, Mapping) else None) or (
                browser.get(key) if isinstance(browser, Mapping) else None
            )
            if isinstance(said, str) and said[:2].isalpha():
                return said[:2].lower()
    return ""


def _instant(content: Mapping[str, Any]) -> datetime | None:
    at = content.get("created_at")
    try:
        if isinstance(at, (int, float)):
            return datetime.fromtimestamp(at, timezone.utc)
        parsed = datetime.fromisoformat(str(at).replace(" UTC", "+00:00").replace("Z", "+00:00"))
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


def _name(person: Mapping[str, Any]) -> str:
    return " ".join(str(person.get("available_name") or person.get("name") or "").split())[:LONGEST_NAME]


def _id(value: Any) -> int:
    number = int(value)
    if isinstance(value, bool) or not 0 < number < 2**53:
        raise ValueError(value)
    return number


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _hashable(value: Any) -> bool:
    return isinstance(value, (str, int))
