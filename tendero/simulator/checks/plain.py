"""Texts, locations, contacts and reactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tendero.simulator.checks.fields import Fields, wrong

TEXT = 4096
CONTACTS = 5
_ENTRIES: Mapping[str, tuple[str, ...]] = {
    "addresses": ("street", "city", "state", "zip", "country", "country_code", "type"),
    "emails": ("email", "type"),
    "phones": ("phone", "type", "wa_id"),
    "urls": ("url", "type"),
}
_NAME = ("formatted_name", "first_name", "last_name", "middle_name", "suffix", "prefix")


def check_text(fields: Fields) -> None:
    fields.only("body", "preview_url")
    fields.text("body", TEXT)
    fields.flag("preview_url")


def check_location(fields: Fields) -> None:
    fields.only("latitude", "longitude", "name", "address")
    fields.number("latitude", -90, 90)
    fields.number("longitude", -180, 180)
    fields.maybe_text("name")
    fields.maybe_text("address")


def check_reaction(fields: Fields) -> None:
    """An empty emoji takes a reaction away."""
    fields.only("message_id", "emoji")
    fields.text("message_id")
    fields.need("emoji")
    emoji: Any = fields.raw("emoji")
    if not isinstance(emoji, str) or len(emoji) > 16 or emoji.isascii() != (emoji == ""):
        raise wrong(f"{fields.at('emoji')} must be one emoji, or empty.")


def check_contacts(message: Fields) -> None:
    for contact in message.items("contacts", 1, CONTACTS):
        contact.only("name", "org", "birthday", *_ENTRIES)
        _check_name(contact.object("name"))
        if contact.has("birthday"):
            contact.pattern("birthday", r"\d{4}-\d\d-\d\d", "must be a date as YYYY-MM-DD")
        if org := contact.maybe_object("org"):
            org.only("company", "department", "title")
        for kind, names in _ENTRIES.items():
            for entry in contact.items(kind, 0, 100) if contact.has(kind) else ():
                entry.only(*names)


def _check_name(name: Fields) -> None:
    name.only(*_NAME)
    name.text("formatted_name")
    if not any(name.has(part) for part in _NAME[1:]):
        raise wrong(f"{name.path} needs at least one more part than formatted_name.")
