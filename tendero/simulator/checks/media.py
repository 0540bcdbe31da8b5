"""Pictures, videos, sound, documents and stickers in a send."""

from __future__ import annotations

from tendero.simulator.checks.fields import Fields

CAPTION = 1024
FILE_NAME = 240
KINDS = ("image", "video", "audio", "document", "sticker")
_MORE = {"image": ("caption",), "video": ("caption",), "document": ("caption", "filename"), "audio": ("voice",), "sticker": ()}


def check_media(fields: Fields, kind: str) -> None:
    """kind: one of KINDS."""
    fields.only("id", "link", *_MORE[kind])
    source(fields)
    if "caption" in _MORE[kind]:
        fields.maybe_text("caption", CAPTION)
    if "filename" in _MORE[kind]:
        fields.maybe_text("filename", FILE_NAME)
    fields.flag("voice")


def source(fields: Fields) -> None:
    """An id that was uploaded, or an address."""
    fields.one_of_two("id", "link")
    if fields.has("link"):
        fields.address("link")
    else:
        fields.text("id")
