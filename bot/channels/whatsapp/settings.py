"""What the connector is told in credentials.yml, or by the environment: a key that is not written there is WHATSAPP_<KEY>."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.channels.credentials import told_texts

CHANNEL = "whatsapp"  # as conversations, identities and the outbox name it
GRAPH = "https://graph.facebook.com"
VERSION = "v26.0"
LATE_AFTER = 6.0
NUMBERS = ("messages_per_second", "late_after_hours")
NEEDED = ("verify_token", "app_secret", "access_token", "phone_number_id")


@dataclass(frozen=True)
class WhatsAppSettings:
    """Empty strings are what is not known: without the app secret no webhook is taken, without a token nothing is sent."""

    verify_token: str = field(default="", repr=False)
    app_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    phone_number_id: str = ""
    business_account_id: str = ""  # for templates
    graph_api_url: str = GRAPH
    graph_api_version: str = VERSION
    messages_per_second: float = 40.0  # of this process; Meta counts 80, those that come in among them
    late_after_hours: float = LATE_AFTER  # a message that took longer than this to arrive is answered with care

    @classmethod
    def of(cls, credentials: Mapping[str, Any] | None, environ: Mapping[str, str] = os.environ) -> WhatsAppSettings:
        """Raises ValueError for a key that there is not, or a value that cannot be."""
        known: dict[str, Any] = {**told_texts(cls, "bot.channels.whatsapp.WhatsAppInput", "WHATSAPP", credentials, environ)}
        known |= {name: _number(name, known[name]) for name in NUMBERS if name in known}
        return cls(**known)

    @property
    def missing(self) -> list[str]:
        """What has to be told before the connector can work, by key."""
        return [name for name in NEEDED if not getattr(self, name)]

    @property
    def base_url(self) -> str:
        return f"{self.graph_api_url.rstrip('/')}/{self.graph_api_version}"


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1000:
        raise ValueError(f"credentials.yml, WhatsApp: {name} is a number up to 1000, and not {text!r}")
    return number
