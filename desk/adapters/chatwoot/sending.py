"""Replies on their way to Chatwoot: one message of the outbox is one of theirs."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from bot.channels.whatsapp.payloads import signed, told_apart
from bot.channels.whatsapp.uploads import own_file
from database import home_folder, transaction
from desk.adapters.chatwoot.api import Api, ApiError, ApiFailure, File, NoAnswer, NotReached
from desk.adapters.chatwoot.parsing import TYPES
from desk.adapters.chatwoot.settings import CHANNEL, ChatwootSettings, address_of
from messaging import replies
from messaging.models import OutboundMessage
from messaging.replies import ReplyError, parse_reply, to_content
from messaging.secret import secret_key
from messaging.turns.outbox import Channel, Outgoing, TryAgain, Undeliverable, not_taken_over

logger = logging.getLogger(__name__)

BUSY, STOPPED = 5.0, 60.0  # seconds
CLOCKS_DIFFER = timedelta(minutes=2)  # between their machine and ours


@dataclass(frozen=True)
class Body:
    """What their API gets. files: paths of ours that go along."""

    content: str = ""
    choices: tuple[replies.Choice, ...] = ()
    files: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


class ChatwootSender(Channel):
    """api: for tests."""

    lease = 45.0

    def __init__(self, settings: ChatwootSettings, api: Api | None = None) -> None:
        self._settings = settings
        self.api = api or Api(settings)

    def divide(self, content: Mapping[str, Any], language: str = "") -> Sequence[Mapping[str, Any]]:
        """A picture above a question is a message of its own there."""
        beside = {key: value for key, value in content.items() if key not in replies.FROM_RASA}
        try:
            parts = [to_content(each) for part in parse_reply(content) for each in _apart(part)]
        except ReplyError as error:
            logger.error("a reply is sent as its words only: %s", error)
            parts = [{"text": str(content.get("text") or "")}]
        return [{**beside, **part} for part in parts]

    async def send(self, message: Outgoing) -> str | None:
        if self._settings.missing:
            raise TryAgain(f"Chatwoot is not set up: {', '.join(self._settings.missing)}", STOPPED, "channel")
        account, conversation = _place(message.sender_id)
        body = _body(message.content)
        try:
            told = await self._told_before(message, (account, conversation), body) if message.tries > 1 else None
            if told is None:
                told = await self._say(message, (account, conversation), body)
        except ApiError as error:
            raise _after(error) from error
        except (NotReached, NoAnswer) as error:  # the next try looks first whether it has arrived
            raise TryAgain(f"Chatwoot: {error}", BUSY) from error
        return f"{account}-{told}"

    async def begin(self, provider_id: str) -> None:
        await self._show(provider_id, True)

    async def end(self, provider_id: str, has_replies: bool) -> None:
        await self._show(provider_id, False)

    async def close(self) -> None:
        await self.api.close()

    async def _show(self, provider_id: str, is_on: bool) -> None:
        """That the assistant writes: it is only shown, and nothing comes of it where it cannot be."""
        account, _, rest = provider_id.partition("-")
        conversation = rest.partition("-")[0]
        if self._settings.missing or not (account.isdigit() and conversation.isdigit()):
            return
        try:
            await self.api.show_typing((int(account), int(conversation)), is_on)
        except ApiFailure as error:
            logger.info("chatwoot: typing is not shown: %s", error)

    async def _say(self, message: Outgoing, place: tuple[int, int], body: Body) -> int:
        told: dict[str, Any] = {"content": body.content, "message_type": "outgoing", "private": False}
        if body.choices:
            values = told_apart(signed(choice.payload, secret_key(home_folder())) for choice in body.choices)
            items = [{"title": choice.title, "value": value} for choice, value in zip(body.choices, values, strict=True)]
            told |= {"content_type": "input_select", "content_attributes": {"items": items}}
        files = await asyncio.to_thread(lambda: [_file(path) for path in body.files])
        await not_taken_over(message)
        return await self.api.say(place, told, files)

    async def _told_before(self, message: Outgoing, place: tuple[int, int], body: Body) -> int | None:
        """Whether an earlier try has arrived, though no answer came: among the newest messages there, one of the bot's with these
        words that is no other reply of ours."""
        found = await self.api.messages(place)
        known = await asyncio.to_thread(_known, message.sender_id)
        since = message.created_at - CLOCKS_DIFFER
        for each in reversed(found):
            is_ours = TYPES.get(each.get("message_type"), each.get("message_type")) == "outgoing" and _is_of_a_bot(each)
            is_same = str(each.get("content") or "") == body.content and bool(each.get("attachments")) == bool(body.files)
            if is_ours and is_same and _at(each) >= since.timestamp() and f"{place[0]}-{each.get('id')}" not in known:
                return int(each["id"])
        return None


def _is_of_a_bot(message: Mapping[str, Any]) -> bool:
    sender = message.get("sender")
    kind = message.get("sender_type") or (sender.get("type") if isinstance(sender, Mapping) else None)
    return str(kind or "").lower() in ("agentbot", "agent_bot")


def _at(message: Mapping[str, Any]) -> float:
    at = message.get("created_at")
    if isinstance(at, (int, float)):
        return float(at)
    try:
        return datetime.fromisoformat(str(at).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0


def _known(sender_id: str) -> set[str]:
    theirs = select(OutboundMessage.provider_id).where(OutboundMessage.sender_id == sender_id, OutboundMessage.channel == CHANNEL)
    with transaction(is_optimistic=True) as session:
        return {str(name) for name in session.execute(theirs.order_by(OutboundMessage.id.desc()).limit(200)).scalars() if name}


def _place(sender_id: str) -> tuple[int, int]:
    try:
        return address_of(sender_id)
    except ValueError as error:
        raise Undeliverable("it is no conversation of Chatwoot's") from error


def _after(error: ApiError) -> TryAgain | Undeliverable:
    if error.status in (401, 403):
        return TryAgain("Chatwoot does not take the bot's token", STOPPED, "channel")
    if error.status in (408, 409, 425, 429):
        return TryAgain(f"Chatwoot: {error}", error.retry_after or BUSY, "channel" if error.status == 429 else "recipient")
    return Undeliverable(f"Chatwoot: {error}")


# A reply as what their API takes


def _apart(part: replies.Part) -> Iterator[replies.Part]:
    if isinstance(part, replies.Framed) and part.picture is not None:
        yield replies.Media("image", part.picture)
        yield replace(part, picture=None)
    elif isinstance(part, replies.Cards):
        for card in part.cards:
            if card.picture is not None:
                yield replies.Media("image", card.picture)
            choices = replies.Choices(text=card.text, choices=card.choices) if card.choices else replies.Text(card.text)
            yield choices
    else:
        yield part


def _body(content: Mapping[str, Any]) -> Body:
    """Raises Undeliverable where there is nothing of it to show."""
    try:
        bodies = [body for part in parse_reply(content) if (body := _shown(part)) is not None]
    except ReplyError as error:
        raise Undeliverable(str(error)) from error
    if not bodies:
        raise Undeliverable("nothing of it can be shown in Chatwoot")
    words = "\n\n".join(body.content for body in bodies if body.content)
    return Body(words, tuple(_all(bodies, lambda body: body.choices)), tuple(_all(bodies, lambda body: body.files)))


def _all(bodies: Iterable[Body], what: Callable[[Body], Iterable[Any]]) -> Iterator[Any]:
    for body in bodies:
        yield from what(body)


def _shown(part: replies.Part) -> Body | None:
    match part:
        case replies.Text(text):
            return Body(text)
        case replies.Media(_, file, caption):
            if file.is_link:
                return Body("\n".join(filter(None, (caption, file.address))))
            return Body(caption, files=(file.address,))
        case replies.Choices():
            return Body(_words(part), choices=part.choices)
        case replies.Link():
            return Body("\n".join((_words(part), f"{part.title}: {part.url}")).strip())
        case replies.Location(latitude, longitude, name, address):
            where = f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=17/{latitude}/{longitude}"
            return Body("\n".join(filter(None, (name, address, where))))
        case replies.Contacts(people):
            return Body("\n".join(" ".join((person.name, *person.phones, *person.emails)) for person in people))
        case replies.Framed():
            return Body(_words(part)) if _words(part) else None
    return None


def _words(part: replies.Framed) -> str:
    return "\n".join(filter(None, (part.header, part.text, part.footer)))


def _file(path: str) -> File:
    file = own_file(path)
    return file.name, file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream"
