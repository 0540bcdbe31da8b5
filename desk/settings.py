"""What the desk is told in credentials.yml, or by the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sanic.request import Request

from bot.channels.credentials import written_in
from bot.channels.webchat.settings import count_of_proxies
from desk.oidc import OidcSettings

ROUTES = "/webhooks/desk"
PAGE = "/desk"


@dataclass(frozen=True)
class DeskSettings:
    proxies: int = 0  # how many of ours stand before us, each of which adds to X-Forwarded-For
    oidc: OidcSettings | None = None  # None: everybody signs in with a password

    @classmethod
    def of(cls, credentials: Mapping[str, Any] | None, environ: Mapping[str, str] = os.environ) -> DeskSettings:
        """`proxies`, else DESK_PROXIES, else WEBCHAT_PROXIES: it is the same server. Raises ValueError for what cannot be."""
        written = written_in("desk.connector.DeskInput", credentials, ["proxies"])
        told = written.get("proxies") or environ.get("DESK_PROXIES") or environ.get("WEBCHAT_PROXIES") or 0
        return cls(count_of_proxies(str(told), "desk"), OidcSettings.of(environ))


def settings_of(request: Request) -> DeskSettings:
    """Those of the desk that this request came to."""
    settings: DeskSettings = request.app.ctx.desk_settings
    return settings
