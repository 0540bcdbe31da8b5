"""What a webhook can bring, as plain values: nothing of Meta's JSON goes further than the parser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Sender:
    """A person, by what the webhook tells of them: a user id, or a phone number, or both."""

    user_id: str = ""
    phone: str = ""
    name: str = ""
    username: str = ""

    @property
    def is_named(self) -> bool:
        return bool(self.user_id or self.phone)


@dataclass(frozen=True)
class File:
    """What came with a message. id: to download it by. sha256: hexadecimal digits."""

    id: str
    kind: str  # image | document | audio | voice | video | sticker
    mime_type: str = ""
    name: str = ""
    sha256: str | None = None


@dataclass(frozen=True)
class Choice:
    """A button or a row that was tapped. id: what we gave it when it was sent, or anything, where it was not ours."""

    id: str
    title: str


@dataclass(frozen=True)
class Update:
    """phone_number_id: the shop's number that it is about; empty where it is about none."""

    phone_number_id: str


@dataclass(frozen=True)
class Message(Update):
    """text: typed, or the words below a picture. details: the rest of it, fit for JSON, by the names that actions read."""

    id: str
    at: datetime | None
    sender: Sender
    type: str
    text: str = ""
    choice: Choice | None = None
    files: tuple[File, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    is_standby: bool = False  # another app has the conversation
    group_id: str = ""


@dataclass(frozen=True)
class Note(Update):
    """Something that a shopper did and nobody has to answer. about: the message it is about."""

    id: str
    at: datetime | None
    sender: Sender
    type: str
    text: str = ""
    about: str = ""


@dataclass(frozen=True)
class Edit(Update):
    """message: as it is now; its id is the edit's."""

    original_id: str
    message: Message


@dataclass(frozen=True)
class Revoke(Update):
    id: str
    at: datetime | None
    sender: Sender
    original_id: str


@dataclass(frozen=True)
class Moved(Update):
    """A person has another number, or another user id."""

    id: str
    old: Sender
    new: Sender


@dataclass(frozen=True)
class Echo(Update):
    """What the shop, or another app on its number, has written to a shopper."""

    id: str
    at: datetime | None
    recipient: Sender
    type: str
    text: str = ""


@dataclass(frozen=True)
class Call(Update):
    """A shopper calls, which opens the service window."""

    sender: Sender
    at: datetime | None


@dataclass(frozen=True)
class Status(Update):
    """What has become of a message of ours. key: what we sent along with it. code: Meta's, of the error."""

    message_id: str
    status: str
    recipient: Sender
    at: datetime | None = None
    key: str | None = None
    code: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Preference(Update):
    """A person wants marketing, or does not, as they told WhatsApp itself."""

    person: Sender
    at: datetime | None
    is_wanted: bool


@dataclass(frozen=True)
class Handover(Update):
    """Who answers this person from now on: we, or another app."""

    person: Sender
    is_ours: bool


@dataclass(frozen=True)
class Fault(Update):
    """An error that Meta reports about the number or the account."""

    code: int | None
    title: str


@dataclass(frozen=True)
class Notice(Update):
    """News of the account: about templates, quality, limits. event: in Meta's words."""

    field: str
    event: str


@dataclass(frozen=True)
class Unreadable(Update):
    """Something in the webhook that could not be made out. id: as far as it has one."""

    what: str
    id: str
    why: str
