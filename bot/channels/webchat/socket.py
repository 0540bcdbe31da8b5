"""A visitor's WebSocket: frames are taken one after the other, and what is new in the conversation is sent."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from bot.channels.webchat.conversation import CROWDED, Conversation, Service, bye
from bot.channels.webchat.frames import parse
from bot.channels.webchat.websocket import WebSocket

logger = logging.getLogger(__name__)

MOST_WAITING = 32  # frames, before nothing more is read
LOOK_AGAIN = 5.0  # seconds, where the database could not be asked


class SocketLine:
    """As `hub.Line`. A task works for it only while there is something to do."""

    def __init__(self, service: Service, socket: WebSocket, origin: str, address: str) -> None:
        self._heard_at = time.monotonic()
        self._service = service
        self._socket = socket
        self._conversation = Conversation(service, self, origin, address)
        self._counted = service.limits.connection(address=address)
        self._waiting: deque[bytes] = deque()
        self._news = self._looks = self._is_held = False
        self._work: asyncio.Task[None] | None = None
        socket.heard, socket.ended, socket.can_go_on = self._hear, self._end, self._go_on

    def begin(self) -> None:
        self._socket.begin()
        self._service.hub.open(self)
        if not self._counted.__enter__():
            self.hang_up("too_many", CROWDED)
        elif self._service.hub.is_closed:
            self.hang_up("restart", 1)

    @property
    def heard_at(self) -> float:
        """Nobody is silent whose frames wait for us."""
        return self._heard_at if self._work is None else time.monotonic()

    @property
    def seen(self) -> int:
        return self._conversation.seen

    def wake(self, looks: bool) -> None:
        self._news, self._looks = True, self._looks or looks
        self._go_on()

    def hang_up(self, why: str, after: float) -> None:
        self._send(bye(why, after))

    def _hear(self, data: bytes) -> None:
        self._heard_at = time.monotonic()
        self._waiting.append(data)
        if len(self._waiting) >= MOST_WAITING and not self._is_held:
            self._is_held = True
            self._socket.hold()
        self._go_on()

    def _end(self) -> None:
        self._waiting.clear()
        self._conversation.leave()
        self._counted.__exit__(None, None, None)
        self._service.hub.close(self)

    def _go_on(self) -> None:
        if self._work is None and self._socket.is_open:
            self._work = asyncio.get_running_loop().create_task(self._do())

    async def _do(self) -> None:
        try:
            while self._socket.is_open and not self._socket.is_full and (self._waiting or self._news):
                if self._waiting:
                    self._send(*await self._conversation.take(parse(self._waiting.popleft())))
                    self._heard_at = time.monotonic()
                    self._news = self._looks = True
                else:
                    await self._send_news()
                if self._is_held and not self._waiting:
                    self._is_held = False
                    self._socket.let_go()
        finally:
            self._work = None
            if not self._socket.is_open:
                self._conversation.leave()  # a frame may have joined a conversation after the connection had ended

    async def _send_news(self) -> None:
        looks, self._news, self._looks = self._looks, False, False
        try:
            frames = await self._conversation.news(looks)
        except (SQLAlchemyError, OSError) as error:
            logger.warning("web chat: a conversation cannot be looked at: %s", type(error).__name__)
            asyncio.get_running_loop().call_later(LOOK_AGAIN, self.wake, True)
            return
        self._send(*frames)
        if any(frame["type"] == "entries" for frame in frames):
            self._news = self._looks = True  # perhaps not all

    def _send(self, *frames: dict[str, Any]) -> None:
        for frame in frames:
            self._socket.send(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))
            if frame["type"] == "bye":
                self._socket.close()
