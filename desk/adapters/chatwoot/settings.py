"""What the connector is told in credentials.yml, or by the environment: a key that is not written there is CHATWOOT_<KEY>."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.channels.credentials import told_texts

CHANNEL = "chatwoot"  # as conversations and the outbox name it, and the desk in `Handoff.external`
TITLE = "Chatwoot"
NEEDED = ("url", "bot_token", "webhook_secret")
SHORTEST_SECRET = 16


@dataclass(frozen=True)
class ChatwootSettings:
    """Empty strings are what is not known: without the secret no webhook is taken, without a token nothing is sent.

    webhook_secret: Chatwoot's own, with which newer versions sign, or one of yours as the last part of the webhook's address,
    for versions that do not sign. account: its number; empty: every account that this Chatwoot has the bot in.
    """

    url: str = ""
    bot_token: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    account: str = ""
    language: str = "en"  # in which people read what the assistant knows

    @classmethod
    def of(cls, credentials: Mapping[str, Any] | None, environ: Mapping[str, str] = os.environ) -> ChatwootSettings:
        """Raises ValueError for a key that there is not, or a value that cannot be."""
        settings = cls(**told_texts(cls, "desk.adapters.chatwoot.ChatwootInput", "CHATWOOT", credentials, environ))
        if settings.webhook_secret and len(settings.webhook_secret) < SHORTEST_SECRET:
            raise ValueError(f"CHATWOOT_WEBHOOK_SECRET needs {SHORTEST_SECRET} signs or more")
        if settings.url and not settings.url.startswith(("https://", "http://")):
            raise ValueError("CHATWOOT_URL has to begin with https://")
        return settings

    @property
    def missing(self) -> list[str]:
        """What has to be told before the connector can work, by key."""
        return [name for name in NEEDED if not getattr(self, name)]


def sender_of(account: int, conversation: int) -> str:
    """The name of a conversation of theirs among ours."""
    return f"{CHANNEL}-{account}-{conversation}"


def address_of(sender_id: str) -> tuple[int, int]:
    """(account, conversation) of theirs. Raises ValueError."""
    channel, account, conversation = sender_id.split("-")
    if channel != CHANNEL:
        raise ValueError(f"{sender_id} is no conversation of {TITLE}")
    return int(account), int(conversation)
