"""Long polling: the same frames where no WebSocket goes through."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.channels.webchat import origins
from bot.channels.webchat.conversation import CROWDED, Conversation, Service, bye
from bot.channels.webchat.frames import Frame, Hello, Refused, read

LONGEST_WAIT = 25.0  # seconds
LARGEST_BODY = 256 * 1024
MOST_FRAMES = 50
MOST_PAGES = 10  # of entries, in one answer

Json = dict[str, Any]


class ExchangeLine:
    """As `hub.Line`, for one request."""

    def __init__(self) -> None:
        self.heard_at = float("inf")  # it ends by itself
        self._woken = asyncio.Event()
        self.looks = False
        self.bye: Json | None = None

    def wake(self, looks: bool) -> None:
        self.looks = self.looks or looks
        self._woken.set()

    def hang_up(self, why: str, after: float) -> None:
        self.bye = bye(why, after)
        self._woken.set()

    async def woken(self, seconds: float) -> bool:
        """Whether it was, before so many seconds had passed. What is woken for from now on is another time."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)
        was = self._woken.is_set()
        self._woken.clear()
        return was


async def exchange(request: Request, service: Service) -> HTTPResponse:
    body = await _body(request)
    if body is None:
        return _answer([{"type": "refused", "of": "", "why": "too_long"}], 413)
    address, line = service.limits.address(request), ExchangeLine()
    conversation = Conversation(service, line, origins.origin_of(request) or "", address)
    with service.limits.connection(address=address) as is_allowed:
        if not is_allowed:
            return _answer([bye("too_many", CROWDED)])
        service.hub.open(line)
        try:
            return _answer(await _exchanged(conversation, line, *_parsed(body)))
        finally:
            conversation.leave()
            service.hub.close(line)


async def _exchanged(conversation: Conversation, line: ExchangeLine, frames: list[Frame], wait: float) -> list[Json]:
    until = time.monotonic() + wait
    said: list[Json] = []
    for frame in frames:
        said += await conversation.take(frame)
    is_new = bool(frames) and isinstance(frames[0], Hello) and not frames[0].token  # its token must not wait
    while line.bye is None and conversation.has_begun:
        news = await _news(conversation)
        said += news
        rest = until - time.monotonic()
        if news or is_new or _is_worth_saying(said) or rest <= 0:
            break
        await line.woken(rest)
    return [*said, *([line.bye] if line.bye else [])]


async def _news(conversation: Conversation) -> list[Json]:
    said: list[Json] = []
    for _ in range(MOST_PAGES):
        news = await conversation.news()
        said += news
        if not any(frame["type"] == "entries" for frame in news):
            break
    return said


def _is_worth_saying(said: list[Json]) -> bool:
    return any(frame["type"] != "welcome" for frame in said)


async def _body(request: Request) -> bytes | None:
    """None: it is too long."""
    parts, size = [], 0
    while (part := await request.stream.read()) is not None:
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


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
