"""The web chat: a Rasa channel connector for pages (docs/webchat-protocol.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.channels.webchat.connector import WebChatInput

__all__ = ["WebChatInput"]


def __getattr__(name: str) -> Any:
    """The connector needs Rasa, which takes seconds to import; what lies beside it does not."""
    if name != "WebChatInput":
        raise AttributeError(name)
    from bot.channels.webchat.connector import WebChatInput

    return WebChatInput
