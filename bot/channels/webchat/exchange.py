"""Long polling: the same frames where no WebSocket goes through."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from typing import Any

from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.bodies import body_of
from bot.channels.webchat import origins
from bot.channels.webchat.conversation import AWAY, CROWDED, Conversation, Service, bye
from bot.channels.webchat.frames import Frame, Hello, Refused, read

logger = logging.getLogger(__name__)

LONGEST_WAIT = 25.0  # seconds
LARGEST_BODY = 256 * 1024
MOST_FRAMES = 50
MOST_PAGES = 10  # of entries, in one answer

Json = dict[str, Any]


class ExchangeLine:
    """As `hub.Line`, for one request."""

    heard_at = float("inf")  # it ends by itself

    def __init__(self, service: Service, request: Request, address: str) -> None:
        self.conversation = Conversation(service, self, origins.origin_of(request) or "", address)
        self._woken = asyncio.Event()
        self._looks = True
        self._bye: Json | None = None

    @property
    def seen(self) -> int:
        return self.conversation.seen

    def wake(self, looks: bool) -> None:
        self._looks = self._looks or looks
        self._woken.set()

    def hang_up(self, why: str, after: float) -> None:
        self._bye = bye(why, after)
        self._woken.set()

    async def exchanged(self, frames: list[Frame], wait: float) -> list[Json]:
        """The answer to these frames, once there is something to say."""
        until = time.monotonic() + wait
        said = await self._taken(frames)
        is_new = bool(frames) and isinstance(frames[0], Hello) and not frames[0].token  # its token must not wait
        while self._bye is None and self.conversation.has_begun:
            self._woken.clear()
            looks, self._looks = self._looks, False
            said += await self._news(looks)
            rest = until - time.monotonic()
            if is_new or any(frame["type"] != "welcome" for frame in said) or rest <= 0:
                break
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._woken.wait(), rest)
        return [*said, *([self._bye] if self._bye else [])]

    async def _taken(self, frames: list[Frame]) -> list[Json]:
        said: list[Json] = []
        for frame in frames:
            said += await self.conversation.take(frame)
            if not self.conversation.has_begun:
                break  # who that is has to be found out first
        return said

    async def _news(self, looks: bool) -> list[Json]:
        said: list[Json] = []
        for _ in range(MOST_PAGES):
            said += (news := await self.conversation.news(looks))
            if not any(frame["type"] == "entries" for frame in news):
                break
        return said


async def exchange(request: Request, service: Service) -> HTTPResponse:
    body = await body_of(request, LARGEST_BODY)
    if body is None:
        return _answer([{"type": "refused", "of": "", "why": "too_long"}], 413)
    address = service.limits.address(request)
    with service.limits.connection(address=address) as is_allowed:
        if not is_allowed:
            return _answer([bye("too_many", CROWDED)])
        line = ExchangeLine(service, request, address)
        service.hub.open(line)
        try:
            return _answer(await line.exchanged(*_parsed(body)))
        except SQLAlchemyError as error:
            logger.warning("web chat: a conversation cannot be looked at: %s", type(error).__name__)
            return _answer([{"type": "refused", "of": "hello", "why": "not_now", "after": AWAY}])
        finally:
            line.conversation.leave()
            service.hub.close(line)


def _parsed(body: bytes) -> tuple[list[Frame], float]:
    bad: tuple[list[Frame], float] = ([Refused("", "bad_frame")], 0.0)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return bad
    if not isinstance(content, dict) or not isinstance(found := content.get("frames"), list) or len(found) > MOST_FRAMES:
        return bad
    wait = content.get("wait", 0)
    is_number = isinstance(wait, int | float) and not isinstance(wait, bool)
    return [read(each) for each in found], min(max(float(wait), 0.0), LONGEST_WAIT) if is_number and wait == wait else 0.0


def _answer(frames: list[Json], status: int = 200) -> HTTPResponse:
    body = json.dumps({"frames": frames}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return response.raw(body, status=status, content_type="application/json", headers={"Cache-Control": "no-store"})
