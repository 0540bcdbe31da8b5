"""STUB until branch server-b is merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHANNEL = "webchat"
ROUTES = f"/webhooks/{CHANNEL}"


@dataclass(frozen=True)
class WebChatSettings:
    origins: tuple[str, ...] = ()
    jwt_secret: str = ""
    proxies: int = 0
    whatsapp: str = ""
    idle_seconds: float = 150.0

    @classmethod
    def of(cls, credentials: Mapping[str, Any] | None) -> WebChatSettings:
        return cls(**(credentials or {}))
