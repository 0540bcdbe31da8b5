"""STUB until branch server-b is merged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sanic.request import Request

from bot.channels.webchat.settings import WebChatSettings

Kind = Literal["hello", "visitor", "message", "file"]


class Limits:
    def __init__(self, settings: WebChatSettings) -> None:
        self._settings = settings

    def address(self, request: Request) -> str:
        return str(request.ip)

    def allows(self, kind: Kind, visitor_id: str | None, address: str) -> float:
        return 0.0

    @contextmanager
    def connection(self, visitor_id: str | None = None, address: str = "") -> Iterator[bool]:
        yield True
