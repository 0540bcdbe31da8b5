"""Each connector takes its settings from credentials.yml and from the environment in the same way."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.webchat.settings import WebChatSettings
from bot.channels.whatsapp.settings import WhatsAppSettings
from desk.adapters.chatwoot.settings import ChatwootSettings
from desk.adapters.webhook.settings import OtherDeskSettings
from desk.settings import DeskSettings

CONNECTORS: dict[str, tuple[Any, str, str, Any, Any]] = {  # settings, field, variable, a value of it and another
    "bot.channels.whatsapp.WhatsAppInput": (WhatsAppSettings, "phone_number_id", "WHATSAPP_PHONE_NUMBER_ID", "111", "222"),
    "bot.channels.webchat.WebChatInput": (WebChatSettings, "whatsapp", "WEBCHAT_WHATSAPP", "111", "222"),
    "desk.adapters.chatwoot.ChatwootInput": (ChatwootSettings, "account", "CHATWOOT_ACCOUNT", "1", "2"),
    "desk.adapters.webhook.OtherDeskInput": (OtherDeskSettings, "title", "TENDERO_OTHER_DESK_TITLE", "Zen", "Front"),
    "desk.connector.DeskInput": (DeskSettings, "proxies", "DESK_PROXIES", 1, 2),
}


@pytest.mark.parametrize("connector", CONNECTORS)
def test_what_is_written_counts_else_the_environment_else_nothing_is_told(connector: str) -> None:
    settings, name, variable, one, other = CONNECTORS[connector]
    assert getattr(settings.of({name: one}, {variable: str(other)}), name) == one
    assert getattr(settings.of({name: None}, {variable: str(other)}), name) == other
    assert settings.of(None, {}) == settings()


@pytest.mark.parametrize("connector", CONNECTORS)
def test_key_that_there_is_not_is_refused_with_the_connectors_name(connector: str) -> None:
    with pytest.raises(ValueError, match=f"^credentials.yml, {connector}: unknown colour, size$"):
        CONNECTORS[connector][0].of({"size": 1, "colour": "red"}, {})
