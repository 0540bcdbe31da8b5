"""What each frame does, whichever way it came, and what a visitor's connection has to be told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.channels.spoken import SHARED, SIGNED_IN, typed
from bot.channels.webchat import files, sign_in, visitors
from bot.channels.webchat.frames import (
    LONGEST_TEXT,
    VERSION,
    Choose,
    End,
    Frame,
    Got,
    Hello,
    Identify,
    More,
    Ping,
    Place,
    Read,
    Refused,
    Restart,
    Say,
    SignOut,
    Typing,
    Unknown,
    Unlink,
    WhatsApp,
)
from bot.channels.webchat.hub import Hub, Line
from bot.channels.webchat.limits import Kind, Limits
from bot.channels.webchat.names import of_event, of_said, of_sign_in, opaque_of, provider_id_of
from bot.channels.webchat.settings import CHANNEL, WebChatSettings
from bot.channels.webchat.shown import choices, iso, shown
from bot.channels.webchat.visitors import Visitor
from database import transaction
from messaging import channel_links, chat_log, conversations, identities, tasks_at_hand, typing, web_visitors
from messaging.identities import Level
from messaging.masking import mask
from messaging.models import ChatEntry
from messaging.turns import outbox
from messaging.turns.engine import Keep, TurnEngine, is_of_data
from messaging.turns.inbox import Inbound, Overloaded

logger = logging.getLogger(__name__)

Json = dict[str, Any]
T = TypeVar("T")

NOTHING_SHOWN = Hello()
GOES_ON_WITHIN = timedelta(hours=1)  # since its last answer: an older task waits for the shopper, who may have other plans by now
BUSY, AWAY, CROWDED = 30, 5, 30  # seconds after which to come back
OF_THE_SHOP: tuple[chat_log.By, ...] = ("assistant", "agent")
STATES = {"delivered": ("pending", "sending", "sent"), "read": ("pending", "sending", "sent", "delivered")}  # before it
SAYS_AGAIN = 2.0  # seconds, in which that somebody still types is no news
FILES = {"types": list(files.TYPES), "most_bytes": files.LARGEST}


@dataclass(frozen=True)
class Service:
    """What all conversations of this process share. now: the clock."""

    hub: Hub
    engine: TurnEngine
    settings: WebChatSettings
    limits: Limits
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)


@dataclass(frozen=True)
class _Found:
    """newest: the last of these entries. read: how far the shop has read."""

    entries: list[Json]
    newest: int
    read: int


class _No(Exception):
    """This frame is not taken."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.why, self.after = why, after


class Conversation:
    """One connection's view of one visitor's conversation. line: what the hub wakes. origin, address: of whoever connected.

    Not for several callers at once.
    """

    def __init__(self, service: Service, line: Line, origin: str, address: str) -> None:
        self._service = service
        self._line = line
        self._origin = origin
        self._address = address
        self._visitor: Visitor | None = None
        self._language = self._page = ""
        self._seen = 0  # the newest entry that this connection has
        self._read = 0  # how far it knows the shop to have read
        self._typing = ""  # who types, as far as it knows
        self._noted = {"delivered": 0, "read": 0}
        self._types = (False, time.monotonic())  # whether the shopper types, and when that was passed on
        self._counted = ExitStack()

    @property
    def has_begun(self) -> bool:
        """Whether it is known who is there."""
        return self._visitor is not None

    @property
    def seen(self) -> int:
        """The newest entry that this connection has."""
        return self._seen

    @property
    def sender_id(self) -> str:
        return self._visitor.sender_id if self._visitor else ""

    def leave(self) -> None:
        """The connection has ended, or goes on in another conversation."""
        self._counted.close()
        if self._visitor is not None:
            self._service.hub.leave(self._visitor.sender_id, self._line)
            self._visitor = None

    # What comes in

    async def take(self, frame: Frame) -> list[Json]:
        """What the frame is answered with; what came of it in the conversation is among the `news`."""
        try:
            return await self._take(frame)
        except _No as no:
            return [_refusal(frame, no.why, no.after)]
        except files.UnknownFile:
            return [_refusal(frame, "unknown_file")]
        except Overloaded:
            return [_refusal(frame, "busy", BUSY)]
        except Exception as error:
            if is_of_data(error):
                logger.exception("web chat: a %s cannot be kept", frame.type)
                return [_refusal(frame, "bad_frame")]
            is_expected = isinstance(error, SQLAlchemyError | OSError)
            logger.error("web chat: a %s was not taken: %s", frame.type, type(error).__name__, exc_info=not is_expected)
            return [_refusal(frame, "not_now", AWAY)]

    async def _take(self, frame: Frame) -> list[Json]:
        match frame:
            case Ping():
                return [{"type": "pong"}]
            case Hello():
                return await self._hello(frame)
            case Refused(why=why):
                raise _No(why)
            case Unknown():
                return []
        if self._visitor is None:
            raise _No("bad_frame")
        if isinstance(frame, Say | Choose | Place | End | Restart | WhatsApp | Unlink | Identify | SignOut):
            self._keep_within_limits("message")
        if isinstance(frame, More):
            self._keep_within_limits("hello")
        return await self._take_from(self._visitor, frame)

    async def _take_from(self, visitor: Visitor, frame: Frame) -> list[Json]:
        match frame:
            case Say():
                return await self._say(visitor, frame)
            case Choose():
                return await self._choose(visitor, frame)
            case Place():
                return await self._place(visitor, frame)
            case Got(seq):
                await self._note(visitor, seq, "delivered")
            case Read(seq):
                await self._note(visitor, seq, "read")
            case More(before):
                return [await self._page_before(visitor, before)]
            case Identify(jwt):
                return await self._identify(visitor, jwt)
            case SignOut():
                return await self._sign_out(visitor)
            case Restart():
                return await self._restart(visitor)
            case End():
                await self._end(visitor)
            case WhatsApp():
                return [await self._offer_whatsapp(visitor)]
            case Unlink():
                await self._change(visitor, lambda session, now: channel_links.undo(session, visitor.sender_id, now))
            case Typing(on):
                await self._type(visitor, on)
        return []

    def _keep_within_limits(self, kind: Kind) -> None:
        if wait := self._service.limits.allows(kind, self.sender_id or None, self._address):
            raise _No("too_many", wait)

    # Who is there

    async def _hello(self, frame: Hello) -> list[Json]:
        self._keep_within_limits("hello" if frame.token else "visitor")
        now = self._service.now()
        self._language, self._page = frame.language, frame.page

        def resume(session: Session) -> Visitor | None:
            if not frame.token:
                return visitors.begin(session, self._origin, frame.language, now)
            return visitors.resume(session, frame.token, self._origin, now)

        visitor = await _in_transaction(resume)
        if visitor is None:
            raise _No("unknown_visitor")
        refusals = []
        if frame.jwt:
            try:
                visitor = await self._signed_in(visitor, frame.jwt)
            except _No as no:
                refusals = [_refusal(Identify(frame.jwt), no.why, no.after)]
        return [*(await self._become(visitor, frame)), *refusals]

    async def _become(self, visitor: Visitor, hello: Hello = NOTHING_SHOWN) -> list[Json]:
        """From now on this connection is in that visitor's conversation."""
        hub = self._service.hub
        if self._visitor is not None and self._visitor.sender_id != visitor.sender_id:
            hello = NOTHING_SHOWN  # what it has shown is another conversation's
        self.leave()
        if not self._counted.enter_context(self._service.limits.connection(visitor_id=visitor.sender_id)):
            return [bye("too_many", CROWDED)]
        self._visitor = visitor
        hub.join(visitor.sender_id, self._line)  # before the look: what comes between the two is seen later
        page, newest, read = await _read(lambda session: self._first_page(session, visitor, hello.after))
        self._noted = {"delivered": 0, "read": 0}
        self._seen = newest if hello.after is None else hello.after
        self._read = read if hello.shown_read is None else min(hello.shown_read, read)
        types = hub.typing(visitor.sender_id)
        self._typing = types if hello.shows_typing in (None, bool(types)) else "" if types else "assistant"
        return [self._welcome(visitor, newest, read), *([page] if page else [])]

    def _first_page(self, session: Session, visitor: Visitor, after: int | None) -> tuple[Json | None, int, int]:
        read = chat_log.read_by_shop(session, visitor.sender_id)
        if after is not None:
            return None, chat_log.newest(session, visitor.sender_id), read
        entries = chat_log.before(session, visitor.sender_id)
        return self._to_page(entries), entries[-1].seq if entries else 0, read

    def _welcome(self, visitor: Visitor, newest: int, read: int) -> Json:
        return {
            "type": "welcome",
            "v": VERSION,
            "token": visitor.token_to_keep,
            "conversation": visitors.public_name(visitor.sender_id),
            "seq": newest,
            "language": self._language_of(visitor),
            "signed_in": visitor.customer is not None,
            "read": read,
            "text_most": LONGEST_TEXT,
            "files": FILES,
            "whatsapp": bool(self._service.settings.whatsapp),
        }

    def _language_of(self, visitor: Visitor) -> str:
        return self._language or visitor.language

    async def _identify(self, visitor: Visitor, jwt: str) -> list[Json]:
        known = await self._signed_in(visitor, jwt)
        return await self._become(known, Hello(after=self._seen, shown_read=self._read))

    async def _signed_in(self, visitor: Visitor, jwt: str) -> Visitor:
        """Who it is now. A task that may have waited for that goes on: the turn is kept in the same transaction, and once."""
        now, settings, known = self._service.now(), self._service.settings, visitor

        def show(session: Session, keep: Keep) -> None:
            nonlocal known
            before = visitors.current(session, visitor.sender_id, now)
            known = sign_in.show(session, visitor, jwt, settings, now)
            if before is not None and (known.sender_id, known.customer) == (before.sender_id, before.customer):
                return
            name = of_event(f"signed_in/{now.isoformat()}")
            chat_log.append(session, known.sender_id, "shop", name, {"event": "signed_in"}, now)
            chat_log.tell(session, visitor.sender_id)
            if _has_waited_for_it(session, known, now):
                named = provider_id_of(known.sender_id, of_sign_in(shown_as))
                keep(Inbound(CHANNEL, named, known.sender_id, SIGNED_IN, self._told(known)))

        try:
            shown_as = sign_in.id_of(jwt, settings, now)
            await self._service.engine.take_in(CHANNEL, show)
        except sign_in.SignInRefused as refused:
            raise _No(refused.why) from refused
        except Overloaded as busy:
            raise _No("busy", BUSY) from busy
        self._service.hub.stir(visitor.sender_id)
        return known

    async def _sign_out(self, visitor: Visitor) -> list[Json]:
        return await self._replace(visitor, lambda session, now: sign_in.end(session, visitor, now))

    async def _restart(self, visitor: Visitor) -> list[Json]:
        def restart(session: Session, now: datetime) -> Visitor:
            new = visitors.begin(session, self._origin, self._language_of(visitor), now)
            if known := web_visitors.signed_in(session, visitor.sender_id, now):
                web_visitors.go_on_as(session, new.sender_id, *known)
            visitors.revoke(session, visitor.sender_id, now)
            return visitors.current(session, new.sender_id, now) or new

        return await self._replace(visitor, restart)

    async def _replace(self, visitor: Visitor, begin: Callable[[Session, datetime], Visitor]) -> list[Json]:
        """A new visitor in the place of this one, whom nobody can be any more: other connections look, and are ended."""
        self._keep_within_limits("visitor")
        now = self._service.now()

        def replace(session: Session) -> Visitor:
            chat_log.tell(session, visitor.sender_id)
            return begin(session, now)

        new = await _in_transaction(replace)
        shown = await self._become(new)
        self._service.hub.stir(visitor.sender_id)
        return shown

    # What the shopper says

    async def _say(self, visitor: Visitor, frame: Say) -> list[Json]:
        content: Json = {"id": frame.id, **({"text": mask(frame.text).text} if frame.text else {})}

        def inbound(session: Session) -> tuple[str, Json, Json]:
            if not frame.files:
                return typed(frame.text), {}, content
            message = provider_id_of(visitor.sender_id, frame.id)
            attached = files.attach(session, visitor.sender_id, frame.files, message, self._service.now())
            text = typed(frame.text) if frame.text else files.command_for(attached)
            return text, {"files": attached}, {**content, "files": [_file(each) for each in attached]}

        return await self._take_in(visitor, frame.id, inbound)

    async def _choose(self, visitor: Visitor, frame: Choose) -> list[Json]:
        def inbound(session: Session) -> tuple[str, Json, Json]:
            entry = chat_log.entry(session, visitor.sender_id, frame.seq)
            offered = choices(entry.content) if entry is not None else []
            if frame.choice >= len(offered):
                raise _No("unknown_choice")
            chosen = offered[frame.choice]
            said = {"id": frame.id, "text": chosen.title, "chose": {"seq": frame.seq, "choice": frame.choice}}
            return chosen.payload, {"tapped": chosen.title}, said

        return await self._take_in(visitor, frame.id, inbound)

    async def _place(self, visitor: Visitor, frame: Place) -> list[Json]:
        place = {"latitude": frame.latitude, "longitude": frame.longitude}
        said = {"id": frame.id, "place": place}
        return await self._take_in(visitor, frame.id, lambda _session: (SHARED["location"], {"location": place}, said))

    async def _take_in(self, visitor: Visitor, id_: str, inbound: Callable[[Session], tuple[str, Json, Json]]) -> list[Json]:
        """The entry once more where this connection has it already; else it is among the news.

        inbound: the text for the assistant, details of it, and the entry's content; called where it is new.
        """
        now, name, told = self._service.now(), of_said(id_), self._told(visitor)

        def work(session: Session, keep: Keep) -> None:
            if visitors.current(session, visitor.sender_id, now) is None:
                raise _No("unknown_visitor")
            if chat_log.named(session, visitor.sender_id, name) is not None:
                return
            text, details, content = inbound(session)
            _, is_new = chat_log.append(session, visitor.sender_id, "shopper", name, content, now)
            if is_new:
                keep(Inbound(CHANNEL, provider_id_of(visitor.sender_id, id_), visitor.sender_id, text, {**told, **details}))

        if not await self._service.engine.take_in(CHANNEL, work):
            return await _read(lambda session: self._again(session, visitor, name))
        self._service.hub.stir(visitor.sender_id)
        return []

    def _told(self, visitor: Visitor) -> Json:
        """Details of each message: where it comes from."""
        origin = (("language", self._language_of(visitor)), ("page", self._page))
        return {key: value for key, value in origin if value}

    def _again(self, session: Session, visitor: Visitor, name: str) -> list[Json]:
        entry = chat_log.named(session, visitor.sender_id, name)
        if entry is None or entry.seq > self._seen:
            return []
        return [{"type": "entries", "entries": self._shown([entry]), "more": False}]

    async def _type(self, visitor: Visitor, on: bool) -> None:
        """For people who answer; the assistant needs no time to read."""
        now = time.monotonic()
        if (on, True) == (self._types[0], now - self._types[1] < SAYS_AGAIN):
            return
        self._types = (on, now)
        typing.tell(visitor.sender_id, on)
        if not self._service.hub.is_alone:
            await _in_transaction(lambda session: typing.tell_others(session, visitor.sender_id, on))

    # What the shopper has seen

    async def _note(self, visitor: Visitor, seq: int, status: str) -> None:
        if seq <= self._noted[status]:
            return

        def unsettled(session: Session) -> list[str]:
            names = chat_log.names_up_to(session, visitor.sender_id, seq, OF_THE_SHOP)
            return outbox.among(session, filter(None, map(opaque_of, names)), STATES[status])

        for opaque in await _read(unsettled):
            await self._service.engine.note_status(CHANNEL, opaque, status, key=opaque)
        self._noted[status] = seq

    async def _page_before(self, visitor: Visitor, seq: int) -> Json:
        return await _read(lambda session: self._to_page(chat_log.before(session, visitor.sender_id, seq)))

    def _to_page(self, entries: list[ChatEntry]) -> Json:
        return {"type": "entries", "entries": self._shown(entries), "more": bool(entries) and entries[0].seq > 1}

    def _shown(self, entries: list[ChatEntry]) -> list[Json]:
        now = self._service.now()
        return [shown(entry, lambda path: files.address(path, now)) for entry in entries]

    # The conversation as a whole

    async def _end(self, visitor: Visitor) -> None:
        def end(session: Session, now: datetime) -> None:
            newest = chat_log.newest(session, visitor.sender_id)
            last = chat_log.entry(session, visitor.sender_id, newest)
            if last is not None and last.content.get("event") != "ended":
                name = of_event(f"ended/{newest}")
                chat_log.append(session, visitor.sender_id, "shop", name, {"event": "ended"}, now)

        await self._change(visitor, end)

    async def _offer_whatsapp(self, visitor: Visitor) -> Json:
        number, now = self._service.settings.whatsapp, self._service.now()
        if not number:
            raise _No("not_configured")
        code = await _in_transaction(lambda session: channel_links.offer(session, visitor.sender_id, now))
        if code is None:
            raise _No("too_many", channel_links.WINDOW.total_seconds())
        text = channel_links.text_with(code, self._language_of(visitor))
        until = now + channel_links.CODE_LIFETIME
        return {"type": "whatsapp", "link": f"https://wa.me/{number}?text={quote(text, safe='')}", "until": iso(until)}

    async def _change(self, visitor: Visitor, work: Callable[[Session, datetime], Any]) -> None:
        now = self._service.now()
        await _in_transaction(lambda session: work(session, now))
        self._service.hub.stir(visitor.sender_id)

    # What has come

    async def news(self, looks: bool = True) -> list[Json]:
        """What this connection does not know yet; call it again until there is none. looks: else only who types has changed.

        Raises what the database raises.
        """
        visitor = self._visitor
        if visitor is None:
            return []
        frames: list[Json] = []
        if looks:
            seen = self._seen
            found = await _read(lambda session: self._look(session, visitor.sender_id, seen))
            if found is None:
                return [bye("restart", 0)]
            if found.entries:
                frames.append({"type": "entries", "entries": found.entries, "more": False})
                self._seen = found.newest
            if found.read > self._read:
                frames.append({"type": "marks", "read": found.read})
                self._read = found.read
        types = self._service.hub.typing(visitor.sender_id)
        if types != self._typing:
            frames.append({"type": "typing", "on": bool(types), "by": types or self._typing})
            self._typing = types
        return frames

    def _look(self, session: Session, sender_id: str, seen: int) -> _Found | None:
        """None: nobody is this visitor any more."""
        visitor = visitors.current(session, sender_id, self._service.now())
        if visitor is None:
            return None
        entries = chat_log.after(session, sender_id, seen)
        return _Found(self._shown(entries), entries[-1].seq if entries else seen, visitor.read_seq)


def _has_waited_for_it(session: Session, visitor: Visitor, now: datetime) -> bool:
    """Whether there is a task in which the assistant may have asked who writes; whoever was proven before was not asked."""
    task = tasks_at_hand.of(session, visitor.sender_id)
    is_recent = task is not None and now - task.at < GOES_ON_WITHIN
    was_known = identities.identity(session, CHANNEL, visitor.sender_id, now).level is Level.proven
    return is_recent and not was_known and conversations.owner(session, visitor.sender_id) != "agent"


def bye(why: str, after: float) -> Json:
    return {"type": "bye", "why": why, "after": after}


def _file(attached: Mapping[str, Any]) -> Json:
    """As the entry keeps it."""
    named = (("id", "provider_id"), ("name", "file_name"), ("type", "mime_type"), ("size", "size"))
    return {key: attached[there] for key, there in named}


def _refusal(frame: Frame, why: str, after: float | None = None) -> Json:
    of, id_ = (frame.of, frame.id) if isinstance(frame, Refused) else (frame.type, getattr(frame, "id", ""))
    named = {**({"id": id_} if id_ else {}), "why": why, **({"after": after} if after is not None else {})}
    return {"type": "refused", "of": of, **named}


async def _in_transaction(work: Callable[[Session], T]) -> T:
    def run() -> T:
        with transaction(in_a_hurry=True) as session:
            return work(session)

    return await asyncio.to_thread(run)


async def _read(work: Callable[[Session], T]) -> T:
    def run() -> T:
        with transaction(is_optimistic=True) as session:
            return work(session)

    return await asyncio.to_thread(run)
