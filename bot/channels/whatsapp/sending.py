"""Replies on their way to WhatsApp: one message of the outbox is one of Meta's, within its limits and windows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.channels.whatsapp.errors import Action, action_of
from bot.channels.whatsapp.graph import Graph, GraphError, GraphFailure, NoAnswer, NotReached
from bot.channels.whatsapp.pace import NumberPace, seconds_for_this_person
from bot.channels.whatsapp.payloads import signed
from bot.channels.whatsapp.rendering import CannotFit, body, divide
from bot.channels.whatsapp.settings import CHANNEL, WhatsAppSettings
from bot.channels.whatsapp.templates import Template, file_of_templates, templates
from bot.channels.whatsapp.uploads import FileMissing, forget_files, with_files
from database import home_folder, transaction
from messaging import consent
from messaging.channel_contacts import WINDOW
from messaging.models import ChannelContact
from messaging.replies import FROM_RASA, File
from messaging.secret import secret_key
from messaging.turns.outbox import Again, Channel, Held, Outgoing, TryAgain, Uncertain, Undeliverable, not_taken_over

logger = logging.getLogger(__name__)

BEFORE_IT_CLOSES = timedelta(minutes=1)  # a message takes a moment to arrive
TELLS_WITHIN = 20.0  # seconds: by then a status has come for a message that arrived, if our webhook can be reached
STOPPED, SLOWED = 60.0, 300.0  # seconds until one message is tried again
BUSY = 5.0
LONGEST_NAP = 2.0  # seconds that a sending waits for its place, instead of being put off
TOMORROW = timedelta(hours=24).total_seconds()
TRIES_OF_ONE = 2
INVALID = 100  # error code: something in the message, perhaps the id of a file that Meta has deleted meanwhile
ENDS_INVITATION = (Action.never, Action.opted_out, Action.next_day, Action.unreachable, Action.template)
BESIDE_WORDS = FROM_RASA - {"text"}
AGAIN_AFTER = {  # seconds, where Meta has taken a message and says later that it failed
    Action.retry: 5.0,
    Action.retry_once: 5.0,
    Action.wait: BUSY,
    Action.this_person: 16.0,
    Action.slow_down: SLOWED,
    Action.next_day: TOMORROW,
    Action.stop: STOPPED,
    Action.other_form: 0.0,
}


@dataclass(frozen=True)
class Recipient:
    """Where to, and what may be sent there now."""

    address: Mapping[str, str]  # `recipient` (user id) or `to` (phone)
    wrote_at: datetime | None  # their last message
    is_open: bool  # within 24 hours of that
    is_invited: bool  # by a template since then
    wait: float  # seconds, because of what was sent before

    def has_written_since(self, then: datetime | None) -> bool:
        return then is not None and self.wrote_at is not None and self.wrote_at > then


class WhatsAppSender(Channel):
    """Sends by `settings`' number. graph: for tests. per_second: messages of this process."""

    lease = 45.0
    reconciles = True
    settles = 4.0

    def __init__(self, settings: WhatsAppSettings, graph: Graph | None = None, per_second: float | None = None) -> None:
        self._settings = settings
        self._given = graph
        self._pace = NumberPace(per_second or settings.messages_per_second)

    @property
    def graph(self) -> Graph:
        if self._given is None:
            self._given = Graph(self._settings)  # connections belong to the event loop that first sends
        return self._given

    async def close(self) -> None:
        """End the connections to Meta."""
        if self._given is not None:
            await self._given.close()

    def divide(self, content: Mapping[str, Any], language: str = "") -> Sequence[Mapping[str, Any]]:
        try:
            return divide(content, language)
        except CannotFit as error:  # a turn is never lost to how its answer is shown
            logger.error("a reply is sent as its words only: %s", error)
            return divide({key: value for key, value in content.items() if key not in BESIDE_WORDS}, language)

    async def show_typing(self, sender_id: str, provider_id: str, on: bool) -> None:
        if on and provider_id:
            await self.begin(provider_id)

    async def begin(self, provider_id: str) -> None:
        if self._settings.missing:
            return
        try:
            await self.graph.show_read(provider_id.rpartition("/")[2])
        except GraphFailure as error:
            logger.info("a message is not shown as read: %s", error)

    async def send(self, message: Outgoing) -> str | None:
        if self._settings.missing:
            raise TryAgain(f"WhatsApp is not set up: {', '.join(self._settings.missing)}", STOPPED, "channel")
        recipient = await asyncio.to_thread(_recipient, message.sender_id)
        if recipient is None:
            raise Undeliverable("no address is known")
        await self._wait(recipient)
        try:
            return await self._sent_in_some_form(message, recipient)
        except GraphError as error:
            raise await self._after(error, message) from error
        except NotReached as error:
            raise TryAgain(f"Meta cannot be reached: {error}", BUSY, "channel") from error
        except NoAnswer as error:
            raise Uncertain(f"no answer from Meta: {error}", TELLS_WITHIN) from error

    async def _sent_in_some_form(self, message: Outgoing, recipient: Recipient) -> str:
        plain = replace(message, content=without_file(message.content))
        if message.again and not message.as_template:  # it was taken, and could not be delivered as it was
            return await self._sent(plain, recipient)
        try:
            return await self._sent(message, recipient)
        except GraphError as error:
            if action_of(error.code) is not Action.other_form or plain.content == message.content:
                raise
        return await self._sent(plain, recipient)

    async def _wait(self, recipient: Recipient) -> None:
        if recipient.wait > LONGEST_NAP:
            raise TryAgain("many messages to this person", recipient.wait)
        await asyncio.sleep(recipient.wait)
        if (rest := self._pace.seconds()) > 0:
            await asyncio.sleep(rest)

    async def _sent(self, message: Outgoing, recipient: Recipient) -> str:
        if recipient.is_open and (not message.as_template or recipient.has_written_since(message.sent_at)):
            try:
                return await self._sent_as_it_is(message, recipient)
            except GraphError as error:
                if action_of(error.code) is not Action.template:
                    raise
        return await self._sent_as_template(message, recipient)

    async def _sent_as_it_is(self, message: Outgoing, recipient: Recipient) -> str:
        rendered = await self._body(message)
        try:
            return await self._post(message, recipient, rendered)
        except GraphError as error:
            if error.code != INVALID or not await forget_files(rendered, self._settings.phone_number_id):
                raise
        return await self._post(message, recipient, await self._body(message))

    async def _body(self, message: Outgoing) -> Mapping[str, Any]:
        try:
            return await self._with_files(message.content)
        except FileMissing:
            words = {key: value for key, value in message.content.items() if key != "image"}
            if "image" not in message.content or not words.get("text"):
                raise
            logger.error("a picture is not there, and its words go alone: %s", message.content["image"])
            return await self._with_files(words)

    async def _with_files(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        key = secret_key(home_folder())
        try:
            rendered = body(content, lambda payload: signed(payload, key), _address)
        except CannotFit as error:
            raise Undeliverable(f"it cannot be said on WhatsApp: {error}") from error
        return await with_files(rendered, self.graph, self._settings.phone_number_id)

    async def _sent_as_template(self, message: Outgoing, recipient: Recipient) -> str:
        known = templates(file_of_templates())
        language = str(message.content.get("language") or "")
        if (own := known.of(str(message.content.get("utter_action") or ""), language)) is not None:
            return await self._post(message, recipient, _filled(own, message.content))
        if (invitation := known.invitation(language)) is None:
            raise _held(message, recipient, "no template asks them to")
        if not recipient.is_invited:
            await self._invite(message, recipient, invitation)
        raise _held(message, recipient, "is asked to")

    async def _invite(self, message: Outgoing, recipient: Recipient, invitation: Template) -> None:
        """What came of it is not the message's own fate: that is held."""
        try:
            await self._say(message, recipient, invitation.filled({}))
        except NoAnswer:
            logger.info("whether the template %s arrived is not known", invitation.name)  # once is enough
        except GraphError as error:
            if action_of(error.code) not in ENDS_INVITATION:
                raise
            logger.error("the template %s cannot be sent: %s", invitation.name, error)
            if action_of(error.code) in (Action.opted_out, Action.unreachable):
                await asyncio.to_thread(self._learn, message.sender_id, error.code)
            return
        await asyncio.to_thread(_note_invited, message.sender_id)

    async def _post(self, message: Outgoing, recipient: Recipient, content: Mapping[str, Any]) -> str:
        return await self._say(message, recipient, {**content, "biz_opaque_callback_data": message.opaque})

    async def _say(self, message: Outgoing, recipient: Recipient, content: Mapping[str, Any]) -> str:
        await not_taken_over(message)  # its files may have taken seconds
        return await self.graph.send({"recipient_type": "individual", **recipient.address, **content})

    async def _after(self, error: GraphError, message: Outgoing) -> Exception:
        """What comes of Meta's refusal."""
        action, words = action_of(error.code), str(error)
        if action in (Action.stop, Action.slow_down):
            logger.error("WhatsApp stops sending: %s", words)
            return TryAgain(words, STOPPED if action is Action.stop else SLOWED, "channel")
        if action is Action.wait:
            return TryAgain(words, error.retry_after or BUSY, "channel")
        if action is Action.this_person:
            return TryAgain(words, float(4 ** min(message.tries, 5)))
        if action is Action.next_day:
            return TryAgain(words, TOMORROW)
        if action is Action.retry or (action is Action.retry_once and message.tries < TRIES_OF_ONE):
            return TryAgain(words, error.retry_after)
        if action in (Action.opted_out, Action.unreachable):
            await asyncio.to_thread(self._learn, message.sender_id, error.code)
        else:
            logger.error("WhatsApp refuses a message: %s", words, extra={"trace_id": message.trace_id})
        return Undeliverable(words)

    # What is told later

    def after_failure(self, code: int | None) -> Again | None:
        action = action_of(code)
        if action is Action.template:
            return Again(as_template=True)
        return Again(AGAIN_AFTER[action]) if action in AGAIN_AFTER else None

    def learn(self, session: Session, sender_id: str, code: int | None, now: datetime) -> None:
        """That they want no advertising, `receiving` has written down by then: also where the message was not ours."""
        person = session.get(ChannelContact, sender_id)
        if person is not None and action_of(code) is Action.unreachable:
            person.unreachable = f"{code}"

    def _learn(self, sender_id: str, code: int | None) -> None:
        """From a refusal, of which no webhook tells."""
        with transaction() as session:
            self.learn(session, sender_id, code, _now())
            if action_of(code) is Action.opted_out:
                _note_opted_out(session, sender_id, f"whatsapp:{code}")


def _note_opted_out(session: Session, sender_id: str, source: str) -> None:
    about: dict[str, Any] = {"purpose": "marketing", "channel": CHANNEL}
    person = session.get(ChannelContact, sender_id)
    for contact in filter(None, (person.phone, person.user_id) if person else ()):
        if not consent.is_withdrawn(session, contact=str(contact), **about):
            consent.withdraw(session, contact=str(contact), source=source, now=_now(), **about)


def without_file(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with the address of its picture or document in its words; as it is where there is none on the web."""
    attachment = content.get("attachment")
    payload = attachment.get("payload") if isinstance(attachment, Mapping) else None
    file = content.get("image") or (payload.get("src") if isinstance(payload, Mapping) else attachment)
    if not isinstance(file, str) or not file.startswith(("https://", "http://")):
        has_words = bool(content.get("text")) and bool(content.get("image"))
        return {key: value for key, value in content.items() if key != "image"} if has_words else content
    words = "\n".join(filter(None, (str(content.get("text") or ""), file)))
    return {**{key: value for key, value in content.items() if key not in ("image", "attachment")}, "text": words}


def _address(file: File, _kind: str) -> Mapping[str, str]:
    """Where Meta gets it, or the path of what has to be uploaded first."""
    return {"link": file.address} if file.is_link else {"path": file.address}


def _filled(template: Template, values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return template.filled(values)
    except KeyError as error:
        raise Undeliverable(f"the template {template.name} needs {error}, which the answer does not have") from error


def _held(message: Outgoing, recipient: Recipient, why: str) -> Held:
    def has_written(session: Session) -> bool:
        # Locked: their next message, which opens the window, waits until this is written down.
        newest = select(ChannelContact.last_inbound_at).where(ChannelContact.sender_id == message.sender_id).with_for_update()
        return bool(session.execute(newest).scalar_one_or_none() != recipient.wrote_at)

    return Held(f"the shopper has not written for 24 hours, and {why}", has_written)


def _recipient(sender_id: str) -> Recipient | None:
    now = _now()
    with transaction(is_optimistic=True) as session:
        person = session.get(ChannelContact, sender_id)
        if person is None or not (person.user_id or person.phone):
            return None
        written = person.last_inbound_at
        return Recipient(
            address={"recipient": person.user_id} if person.user_id else {"to": person.phone},
            wrote_at=written,
            is_open=written is not None and now < written + WINDOW - BEFORE_IT_CLOSES,
            is_invited=person.invited_at is not None and (written is None or person.invited_at > written),
            wait=seconds_for_this_person(session, CHANNEL, sender_id, now),
        )


def _note_invited(sender_id: str) -> None:
    with transaction() as session:
        invited = update(ChannelContact).where(ChannelContact.sender_id == sender_id).values(invited_at=_now())
        session.execute(invited.execution_options(synchronize_session=False))


def _now() -> datetime:
    return datetime.now(timezone.utc)
