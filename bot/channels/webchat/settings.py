"""What the connector is told in credentials.yml, or by the environment: a key that is not written there is WEBCHAT_<KEY>."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bot.channels.credentials import told

CHANNEL = "webchat"  # as conversations, identities and the outbox name it
ROUTES = f"/webhooks/{CHANNEL}"
SHORTEST_SECRET = 32  # bytes, as RFC 7518 asks of HS256
MOST_PROXIES = 9
IDLE = 150.0  # seconds: browsers let a page in the background speak once a minute
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class WebChatSettings:
    origins: tuple[str, ...] = ()  # of pages that may use the chat, beside the assistant's own: "https://shop.example"
    jwt_secret: str = field(default="", repr=False)  # shared with the shop's server; empty: nobody is signed in by it
    proxies: int = 0  # how many of ours stand before us, each of which adds to X-Forwarded-For
    whatsapp: str = ""  # the number that a conversation goes on with, digits only
    idle_seconds: float = IDLE  # a connection that says nothing for so long is closed

    @classmethod
    def of(cls, credentials: Mapping[str, Any] | None, environ: Mapping[str, str] = os.environ) -> WebChatSettings:
        """Raises ValueError for a key that there is not, or a value that cannot be; it never quotes a secret."""
        values = told(cls, "bot.channels.webchat.WebChatInput", "WEBCHAT", credentials, environ)
        return cls(
            origins=_origins(values["origins"]),
            jwt_secret=_secret(str(values["jwt_secret"]).strip()),
            proxies=count_of_proxies(str(values["proxies"] or 0), "web chat"),
            whatsapp=re.sub(r"\D", "", str(values["whatsapp"])),
            idle_seconds=_seconds(str(values["idle_seconds"] or IDLE)),
        )


def normal_origin(text: str) -> str | None:
    """As browsers write it: lower case, without a port that goes without saying. None: it is no origin ("null", "*", a path)."""
    try:
        parts = urlsplit(text.strip())
        port, host = parts.port, (parts.hostname or "").encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        return None
    is_more = bool(parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in DEFAULT_PORTS or not host or is_more or not re.fullmatch(r"[a-z0-9._:-]+", host):
        return None
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, DEFAULT_PORTS[parts.scheme]) else "")


def _origins(told: Any) -> tuple[str, ...]:
    listed = told if isinstance(told, list | tuple) else re.split(r"[\s,]+", str(told).strip())
    return tuple(dict.fromkeys(_origin(str(each)) for each in listed if str(each).strip()))


def _origin(text: str) -> str:
    origin = normal_origin(text)
    if origin is None:
        raise ValueError(f"web chat, origins: {text!r} is not like https://shop.example, without a path and without *")
    return origin


def _secret(text: str) -> str:
    if text and len(text.encode()) < SHORTEST_SECRET:
        raise ValueError(f"web chat, jwt_secret: it needs at least {SHORTEST_SECRET} bytes")
    return text


def count_of_proxies(text: str, whose: str) -> int:
    """From what is written. Raises ValueError that begins with `whose` setting it is."""
    if not re.fullmatch(r"\d", text.strip()):
        raise ValueError(f"{whose}, proxies: a number from 0 to {MOST_PROXIES}, and not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,5}(\.\d{1,3})?", text.strip()) or float(text) == 0:
        raise ValueError(f"web chat, idle_seconds: a number of seconds, and not {text!r}")
    return float(text)
