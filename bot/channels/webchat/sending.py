"""Replies on their way to a web page: an entry of its conversation, which whoever has it open is told of."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.channels.webchat.hub import Hub
from bot.channels.webchat.names import of_reply, of_said, said_by
from bot.channels.webchat.shown import parts
from database import transaction
from messaging import chat_log
from messaging.turns.outbox import Channel, Outgoing, Undeliverable, assert_not_taken_over

logger = logging.getLogger(__name__)

ENTRY_COMES_WITHIN = 1.0  # seconds after the turn: an entry ends the typing by itself


class WebChatSender(Channel):
    """Runs where the turns run, the hub where the connections are."""

    lease = 10.0

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._begun: dict[str, str] = {}  # by conversation, the message that is being answered

    async def send(self, message: Outgoing) -> str | None:
        if not parts(message.content, address=str):
            raise Undeliverable("nothing of it can be shown on a web page")

        def keep(session: Session) -> None:
            assert_not_taken_over(session, message)
            chat_log.append(session, message.sender_id, *_entry(message), _now())
            if is_over:
                self._hub.tell_others(session, message.sender_id, "")

        is_over = message.sender_id not in self._begun
        await asyncio.to_thread(_in_transaction, keep)
        if is_over:
            self._hub.type(message.sender_id)
        self._hub.stir(message.sender_id)
        return message.opaque

    async def begin(self, provider_id: str) -> None:
        sender_id, id_ = said_by(provider_id)
        self._begun[sender_id] = provider_id
        self._hub.type(sender_id, "assistant")

        def note(session: Session) -> None:
            chat_log.note_read_by_shop(session, sender_id, of_said(id_))
            self._hub.tell_others(session, sender_id, "assistant")

        await self._note(note)
        self._hub.stir(sender_id)
        if sender_id not in self._begun:  # it has ended meanwhile, and others may have heard of that first
            await self._tell_others_that_it_ended(sender_id)

    async def end(self, provider_id: str, has_replies: bool) -> None:
        sender_id, _ = said_by(provider_id)
        if self._begun.get(sender_id) == provider_id:
            del self._begun[sender_id]
        if has_replies:
            await asyncio.sleep(ENTRY_COMES_WITHIN)
        if sender_id in self._begun:
            return  # on the next message
        self._hub.type(sender_id)
        await self._tell_others_that_it_ended(sender_id)

    async def show_typing(self, sender_id: str, provider_id: str, on: bool) -> None:
        by = "agent" if on else ""
        self._hub.type(sender_id, by)
        if not self._hub.is_alone:
            await self._note(lambda session: self._hub.tell_others(session, sender_id, by))

    async def _tell_others_that_it_ended(self, sender_id: str) -> None:
        if not self._hub.is_alone:
            await self._note(lambda session: self._hub.tell_others(session, sender_id, ""))

    async def _note(self, work: Callable[[Session], None]) -> None:
        try:
            await asyncio.to_thread(_in_transaction, work)
        except SQLAlchemyError as error:
            logger.info("who reads and types cannot be told: %s", type(error).__name__)


def _entry(message: Outgoing) -> tuple[chat_log.By, str, Mapping[str, Any]]:
    """Who says it, what it came of, and what is shown."""
    name = of_reply(message.opaque)
    by = message.content.get("by")
    if by is None:
        return "assistant", name, message.content
    content = {key: value for key, value in message.content.items() if key != "by"}
    return "agent", name, {**content, "name": by["name"]}


def _in_transaction(work: Callable[[Session], None]) -> None:
    with transaction() as session:
        work(session)


def _now() -> datetime:
    return datetime.now(timezone.utc)
