"""What the stage's replies are on WhatsApp: as Meta would get them, within all limits, with nothing lost; and a tap on them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.channels.whatsapp.inbound_text import text_of
from bot.channels.whatsapp.parsing import parse
from bot.channels.whatsapp.payloads import payload_of
from bot.channels.whatsapp.texts import plain
from bot.channels.whatsapp.updates import Message
from tests.bot.whatsapp.sending import KEY, sent

Replies = Sequence[Mapping[str, Any]]
READ = ("body", "caption", "title", "description", "text", "display_text")  # keys of what a person reads


def on_whatsapp(replies: Replies, language: str) -> list[dict[str, Any]]:
    """The messages that the replies become. Raises AssertionError or CannotFit where one would be refused or lacks words."""
    return [message for reply in replies for message in _sent_whole(reply, language)]


def tapped(messages: Sequence[Mapping[str, Any]], number: int, replies: Replies) -> str:
    """What Rasa gets when the shopper taps the choice of this number (from 1). replies: of the conversation until then."""
    choice = list(_choices(messages))[number - 1]
    kind = "list_reply" if "description" in choice or _is_list(messages) else "button_reply"
    reply = {"type": "interactive", "interactive": {"type": kind, kind: choice}}
    value = {
        "metadata": {"phone_number_id": "1"},
        "messages": [{"from": "12025550101", "id": "wamid.1", "timestamp": "1", **reply}],
    }
    [message] = parse({"entry": [{"changes": [{"field": "messages", "value": value}]}]})
    assert isinstance(message, Message), message
    text, more = text_of(message, lambda id_: payload_of(id_, KEY, replies))
    assert more == {"tapped": choice["title"]}, f"{choice} is not known as ours"
    return text


def has_choices(messages: Sequence[Mapping[str, Any]]) -> bool:
    return any(True for _ in _choices(messages))


def _sent_whole(reply: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    messages = sent(reply, language)
    buttons = [str(button.get(key, "")) for button in reply.get("buttons") or [] for key in ("title", "description")]
    meant = " ".join([str(reply.get("text") or ""), *buttons])
    lost = Counter(_words(plain(meant))) - Counter(word for text in _texts(messages) for word in _words(text))
    assert not lost, f"WhatsApp does not show {sorted(lost)} of {meant!r}"
    return messages


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _texts(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if key in READ else []
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _texts(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, key)


def _choices(messages: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """id, title and perhaps description, in the order in which they are shown."""
    for message in messages:
        action = message.get("interactive", {}).get("action", {})
        yield from (dict(button["reply"]) for button in action.get("buttons", []))
        yield from (dict(row) for section in action.get("sections", []) for row in section.get("rows", []))


def _is_list(messages: Sequence[Mapping[str, Any]]) -> bool:
    return any(message.get("interactive", {}).get("type") == "list" for message in messages)
