"""The link that opens a chat with the shop on the shopper's phone, with a first text, and its QR code."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import segno

LONGEST = 1000  # characters of a first text: a code with more is hard to read for cameras
KINDS = (".png", ".svg")


def link(number: str, text: str) -> str:
    """wa.me with digits only. Raises ValueError for what is no number, or too long a text."""
    from messaging.contacts import normalize_phone

    phone = normalize_phone(number)
    if phone is None:
        raise ValueError(f"{number!r} is no phone number with its country code, such as +52 55 1234 5678")
    if len(text) > LONGEST:
        raise ValueError(f"the first text has {len(text)} characters; {LONGEST} are the most")
    return f"https://wa.me/{phone.lstrip('+')}" + (f"?text={quote(text, safe='')}" if text else "")


def write_code(address: str, file: Path) -> None:
    """A QR code as PNG or SVG, by the file's name. Raises ValueError for any other, OSError."""
    if file.suffix.lower() not in KINDS:
        raise ValueError(f"{file.name}: a code is written as {' or '.join(KINDS)}")
    segno.make(address, error="m", micro=False).save(str(file), scale=8, border=4)
