"""What Rasa is told of a message: its words, or, where it has none, a command that names what was shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.channels.spoken import SHARED, typed
from bot.channels.whatsapp.updates import Message

UNSUPPORTED = "/share_unsupported"


def text_of(message: Message, payload_of: Callable[[str], str | None]) -> tuple[str, dict[str, Any]]:
    """The text, and what is to be known of it besides. payload_of: what a button's id stands for; None where it is not ours."""
    if message.choice is not None:
        payload = payload_of(message.choice.id) if message.choice.id else None
        return (payload, {"tapped": message.choice.title}) if payload else (typed(message.choice.title), {})
    if message.text.strip():
        return typed(message.text), {}
    return _command(message), {}


def _command(message: Message) -> str:
    if "form" in message.details:
        return "/share_form"
    is_lost = message.type in ("image", "video", "document", "voice", "audio", "sticker") and not message.files
    is_empty = message.type == "order" and not message.details.get("cart")
    return UNSUPPORTED if is_lost or is_empty else SHARED.get(message.type, UNSUPPORTED)
