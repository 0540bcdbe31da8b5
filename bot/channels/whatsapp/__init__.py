"""WhatsApp, by Meta's Cloud API: a Rasa channel connector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.channels.whatsapp.connector import WhatsAppInput

__all__ = ["WhatsAppInput"]


def __getattr__(name: str) -> Any:
    """The connector needs Rasa, which takes seconds to import; the limits, ids and settings beside it do not."""
    if name != "WhatsAppInput":
        raise AttributeError(name)
    from bot.channels.whatsapp.connector import WhatsAppInput

    return WhatsAppInput
