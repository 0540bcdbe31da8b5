"""What the connector is told in credentials.yml, or by the environment: a key that is not there is TENDERO_OTHER_DESK_<KEY>."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.channels.credentials import told

DESK = "webhook"  # in `Handoff.external`
SHORTEST_SECRET = 32


@dataclass(frozen=True)
class OtherDeskSettings:
    """Without an address and a secret there is no other desk. channels: whose handoffs go there; empty: every channel's but
    Chatwoot's."""

    url: str = ""
    secret: str = field(default="", repr=False)
    title: str = "Desk"  # how colleagues know it
    channels: tuple[str, ...] = ()

    @classmethod
    def of(cls, credentials: Mapping[str, Any] | None, environ: Mapping[str, str] = os.environ) -> OtherDeskSettings:
        """Raises ValueError for a key that there is not, or a value that cannot be."""
        values = told(cls, "desk.adapters.webhook.OtherDeskInput", "TENDERO_OTHER_DESK", credentials, environ)
        channels = values.pop("channels")
        named = channels if isinstance(channels, list) else str(channels).replace(",", " ").split()
        known = {name: str(value).strip() for name, value in values.items() if value}
        settings = cls(**known, channels=tuple(map(str, named)))
        if settings.secret and len(settings.secret) < SHORTEST_SECRET:
            raise ValueError(f"TENDERO_OTHER_DESK_SECRET needs {SHORTEST_SECRET} signs or more")
        if settings.url and not settings.url.startswith(("https://", "http://")):
            raise ValueError("TENDERO_OTHER_DESK_URL has to begin with https://")
        return settings

    @property
    def is_there(self) -> bool:
        return bool(self.url and self.secret)
