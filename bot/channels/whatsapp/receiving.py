"""What each update of a webhook does: kept in the database, in as few transactions as make sense, before Meta hears "200"."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from bot.channels.whatsapp.inbound_text import text_of
from bot.channels.whatsapp.languages import language_of
from bot.channels.whatsapp.payloads import contents_sent, payload_of
from bot.channels.whatsapp.settings import CHANNEL, WhatsAppSettings
from bot.channels.whatsapp.updates import (
    Call,
    Echo,
    Edit,
    Fault,
    Handover,
    Message,
    Moved,
    Note,
    Notice,
    Preference,
    Revoke,
    Sender,
    Status,
    Unreadable,
    Update,
)
from messaging import channel_links, consent, conversations, identities, received_files
from messaging.channel_contacts import contact, known, moved, phone_of, resolve
from messaging.models import ReceivedFile
from messaging.opt_out_words import Wish, wish_in
from messaging.turns import inbox, outbox
from messaging.turns.engine import Keep, TurnEngine, is_of_data
from messaging.turns.inbox import Inbound
from messaging.writes import insert_once

logger = logging.getLogger(__name__)

AT_ONCE = 20  # updates in one transaction: turns go on between two of them
LONGEST_PROVIDER_ID = 128
STATUSES = {"sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed"}
OPTED_OUT = 131050  # error code: the person wants no marketing
MARKETING: dict[str, Any] = {"purpose": "marketing", "channel": CHANNEL}
CONFIRMED: dict[Wish, str] = {"stop": "utter_marketing_stopped", "start": "utter_marketing_resumed"}
GOES_ON_HERE = "/go_on_here"  # what Rasa is told of a message that brings a code from the web chat
LATEST = timedelta(minutes=5)  # a phone's clock may be ahead; a message is not from the future
KEPT = (Message, Note, Edit, Revoke, Moved, Echo, Call, Preference, Handover)  # what is written down

T = TypeVar("T")


def provider_id_of(phone_number_id: str, message_id: str) -> str:
    """The inbox's name of a message. What would not fit is hashed: were it cut, two messages could be one."""
    whole = f"{phone_number_id}/{message_id}"
    return whole if len(whole) <= LONGEST_PROVIDER_ID else f"sha256/{hashlib.sha256(whole.encode()).hexdigest()}"


class Receiver:
    """key: of the ids of buttons. now: the clock."""

    def __init__(self, settings: WhatsAppSettings, key: bytes, now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)):
        self._settings = settings
        self._key = key
        self._now = now

    async def receive(self, engine: TurnEngine, updates: Sequence[Update]) -> None:
        """Keep them all. Raises Overloaded, or DBAPIError where the database is away: Meta has to deliver again what was not
        kept; what was is known then. An update that cannot be kept by itself is recorded, and stops none of the others."""
        ours = [update for update in updates if self._is_ours(update)]
        to_keep = [update for update in ours if isinstance(update, KEPT) or _opts_out(update)]
        for several in _portions(to_keep, AT_ONCE):
            await self._keep(engine, several)
        for update in ours:
            if isinstance(update, Status):
                await self._note_status(engine, update)
            else:
                _log(update)

    def _is_ours(self, update: Update) -> bool:
        is_ours = update.phone_number_id in ("", self._settings.phone_number_id)
        if not is_ours:
            logger.info("whatsapp: %s is about another number and stays unanswered", type(update).__name__)
        return is_ours

    async def _keep(self, engine: TurnEngine, updates: Sequence[Update]) -> None:
        def work(session: Session, keep: Keep) -> None:
            for update in updates:
                _Taking(self._settings, self._key, self._now(), session, keep).take(update)

        try:
            await engine.take_in(CHANNEL, work)
        except Exception as error:
            if not _is_of_the_update(error):
                raise
            if len(updates) > 1:
                for update in updates:
                    await self._keep(engine, [update])
            else:
                logger.exception("whatsapp: %s %s cannot be kept", type(updates[0]).__name__, getattr(updates[0], "id", ""))

    async def _note_status(self, engine: TurnEngine, status: Status) -> None:
        name = STATUSES.get(status.status)
        if name is None:
            logger.info("whatsapp: status %s of %s", status.status[:40], status.message_id)
            return
        try:
            await engine.note_status(CHANNEL, status.message_id, name, status.error, key=status.key, code=status.code)
        except Exception as error:
            if not _is_of_the_update(error):
                raise
            logger.exception("whatsapp: status of %s cannot be noted", status.message_id)


@dataclass(frozen=True)
class _Taking:
    """One update, within the transaction that keeps it."""

    settings: WhatsAppSettings
    key: bytes
    now: datetime
    session: Session
    keep: Keep

    def take(self, update: Update) -> None:
        match update:
            case Message():
                self._message(update)
            case Edit():
                self._edit(update)
            case Revoke():
                self._revoke(update)
            case Note():
                self._keep_note(update, self._person(update.sender), update.type, update.text, update.about)
            case Echo():
                self._echo(update)
            case Moved():
                self._moved(update)
            case Call():
                sender_id = self._person(update.sender, self._wrote_at(update.at))
                outbox.let_go(self.session, CHANNEL, sender_id, self.now)  # the window is open, and no turn does it
            case Preference():
                self._preference(update)
            case Handover():
                self._handover(update)
            case Status() if _opts_out(update):
                self._decided(update.recipient, False, update.at or self.now, "whatsapp error 131050")

    # Messages

    def _message(self, message: Message) -> None:
        sender_id = self._person(message.sender, self._wrote_at(message.at))
        inbound = self._inbound(message, sender_id)
        wish = None if message.group_id else self._wish(message, sender_id)
        if message.is_standby or message.group_id:
            if inbox.note(self.session, inbound, self.now):  # told again, it says nothing of who has the conversation by now
                self._note_wish(message, wish)
                if message.is_standby:
                    conversations.held_elsewhere(self.session, sender_id, CHANNEL, self.now)
            return
        if self.keep(_answered(inbound, wish)).is_new:
            conversations.held_here(self.session, sender_id)
            self._keep_files(message, sender_id)
            self._note_wish(message, wish)

    def _edit(self, edit: Edit) -> None:
        """The edit is a note where the message still waits, else a message: told again, it is neither."""
        sender_id = self._person(edit.message.sender, self._wrote_at(edit.message.at))
        inbound = self._inbound(edit.message, sender_id)
        if inbox.is_known(self.session, CHANNEL, inbound.provider_id):
            return
        original = provider_id_of(edit.phone_number_id, edit.original_id)
        wish = self._wish(edit.message, sender_id)
        if not inbox.reword(self.session, _answered(replace(inbound, provider_id=original), wish)):
            self._message(edit.message)
            return
        self._note_wish(edit.message, wish)
        inbox.note(self.session, replace(inbound, details={**inbound.details, "edited": original}), self.now)
        self._keep_files(edit.message, sender_id)

    def _revoke(self, revoke: Revoke) -> None:
        sender_id = self._person(revoke.sender)
        original = provider_id_of(revoke.phone_number_id, revoke.original_id)
        inbox.withdraw(self.session, CHANNEL, original, sender_id, self.now)
        received_files.take_back(self.session, CHANNEL, sender_id, original)
        self._keep_note(revoke, sender_id, "revoke", "", revoke.original_id)

    def _echo(self, echo: Echo) -> None:
        sender_id = known(self.session, CHANNEL, user_id=echo.recipient.user_id, phone=echo.recipient.phone)
        if sender_id is not None:
            self._keep_note(echo, sender_id, f"echo of {echo.type}", echo.text, "")

    def _keep_note(self, update: Note | Revoke | Echo, sender_id: str, kind: str, text: str, about: str) -> None:
        details = {"whatsapp": _origin(update, kind, update.at), **({"about": about} if about else {})}
        provider_id = provider_id_of(update.phone_number_id, update.id)
        inbox.note(self.session, Inbound(CHANNEL, provider_id, sender_id, text, details), self.now)

    def _inbound(self, message: Message, sender_id: str) -> Inbound:
        text, more = text_of(message, lambda id: payload_of(id, self.key, contents_sent(self.session, sender_id)))
        details: dict[str, Any] = {"whatsapp": _origin(message, message.type, message.at), **message.details, **more}
        link = channel_links.code_in(self.session, message.text) if message.choice is None else None
        if link is not None:
            text = GOES_ON_HERE
            details |= {"link": link.mark, "words": link.words}
        if message.files:
            details["files"] = [
                {"provider_id": file.id, "kind": file.kind, "mime_type": file.mime_type, "file_name": file.name}
                for file in message.files
            ]
        if message.at is not None and self.now - message.at > timedelta(hours=self.settings.late_after_hours):
            details["late"] = True
        spoken = link.language if link is not None else None
        if language := spoken or language_of(message.sender.user_id, phone_of(message.sender.phone)):
            details["language"] = language
        return Inbound(CHANNEL, provider_id_of(message.phone_number_id, message.id), sender_id, text, details)

    def _keep_files(self, message: Message, sender_id: str) -> None:
        for file in message.files:
            row = {
                "channel": CHANNEL,
                "provider_id": file.id,
                "sender_id": sender_id,
                "message_id": provider_id_of(message.phone_number_id, message.id),
                "kind": file.kind,
                "mime_type": file.mime_type[:100],
                "file_name": file.name[-200:],  # what kind of file it is stands at its end
                "promised_hash": file.sha256,
                "state": "waiting",
                "tries": 0,
                "received_at": self.now,
            }
            insert_once(self.session, ReceivedFile, row)

    # Persons

    def _person(self, sender: Sender, wrote_at: datetime | None = None) -> str:
        return resolve(
            self.session,
            CHANNEL,
            user_id=sender.user_id,
            phone=sender.phone,
            name=sender.name,
            username=sender.username,
            now=self.now,
            wrote_at=wrote_at,
        )

    def _wrote_at(self, at: datetime | None) -> datetime:
        return min(at or self.now, self.now + LATEST)

    def _moved(self, update: Moved) -> None:
        sender_id = known(self.session, CHANNEL, user_id=update.old.user_id, phone=update.old.phone)
        if sender_id is None:
            logger.info("whatsapp: %s: somebody whom we do not know has moved", update.id)
            return
        details = {"whatsapp": _origin(update, "system", None)}
        told = Inbound(CHANNEL, provider_id_of(update.phone_number_id, update.id), sender_id, "", details)
        if inbox.note(self.session, told, self.now):  # told again, it could be about whoever has the number by now
            moved(
                self.session,
                CHANNEL,
                old_user_id=update.old.user_id,
                old_phone=update.old.phone,
                new_user_id=update.new.user_id,
                new_phone=update.new.phone,
                now=self.now,
            )

    def _handover(self, update: Handover) -> None:
        sender_id = self._person(update.person)
        if update.is_ours:
            conversations.held_here(self.session, sender_id)
        else:
            conversations.held_elsewhere(self.session, sender_id, CHANNEL, self.now)

    # Consent

    def _wish(self, message: Message, sender_id: str) -> Wish | None:
        """START takes a STOP back; to somebody who never said STOP it is a word like any other."""
        wish = wish_in(message.text) if message.type in ("text", "button", "interactive") else None
        contacts = self._contacts(message.sender, sender_id)
        if wish == "start" and not any(consent.is_withdrawn(self.session, contact=each, **MARKETING) for each in contacts):
            return None
        return wish

    def _note_wish(self, message: Message, wish: Wish | None) -> None:
        if wish:
            self._decided(message.sender, wish == "start", message.at or self.now, f"whatsapp: {wish} as a message")

    def _contacts(self, person: Sender, sender_id: str | None) -> list[str]:
        """The addresses that the webhook names, and those that we know the person by."""
        row = contact(self.session, sender_id) if sender_id else None
        named = (phone_of(person.phone), person.user_id, row and row.phone, row and row.user_id)
        return list(dict.fromkeys(each for each in named if each))

    def _preference(self, update: Preference) -> None:
        self._decided(update.person, update.is_wanted, update.at or self.now, "whatsapp preferences")

    def _decided(self, person: Sender, granted: bool, at: datetime, source: str) -> None:
        sender_id = known(self.session, CHANNEL, user_id=person.user_id, phone=person.phone)
        who = identities.identity(self.session, CHANNEL, sender_id, self.now) if sender_id else identities.ANONYMOUS
        for each in self._contacts(person, sender_id):
            consent.note_once(
                self.session, granted=granted, source=source, at=at, contact=each, customer_id=who.customer_id, **MARKETING
            )


def _answered(inbound: Inbound, wish: Wish | None) -> Inbound:
    """With the answer to a wish that is seen to here."""
    return replace(inbound, details={**inbound.details, inbox.ANSWER: CONFIRMED[wish]}) if wish else inbound


def _is_of_the_update(error: Exception) -> bool:
    """Whether the update itself cannot be kept: then it would be so each time that Meta delivers it.

    Anything else may be over by then: a full disk, a database in the middle of a migration, a process that stops.
    """
    of_values = (ValueError, TypeError, LookupError, AttributeError, RecursionError, AssertionError)
    return is_of_data(error) or isinstance(error, of_values)


def _opts_out(update: Update) -> bool:
    return isinstance(update, Status) and update.code == OPTED_OUT and update.recipient.is_named


def _origin(update: Any, kind: str, at: datetime | None) -> dict[str, Any]:
    told = {"type": kind, "id": update.id, "phone_number_id": update.phone_number_id}
    return {**told, "at": at.isoformat()} if at is not None else told


def _log(update: Update) -> None:
    match update:
        case Unreadable():
            logger.warning("whatsapp: a %s (%s) could not be read: %s", update.what, update.id[:LONGEST_PROVIDER_ID], update.why)
        case Fault():
            logger.error("whatsapp: Meta reports error %s: %s", update.code, update.title[:200])
        case Notice():
            logger.warning("whatsapp: news of the account: %s %s", update.field[:60], update.event[:60])


def _portions(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
