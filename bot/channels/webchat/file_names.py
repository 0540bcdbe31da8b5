"""Names of files that somebody else chose, made harmless: for a disk, for a header, and for whoever reads them."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST_NAME = 80  # characters
NAMELESS = "file"
SUFFIXES = {  # what a file of this type may end in; the first where it ends in something else
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
}
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, direction marks, halves of signs, line ends
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)  # devices, on Windows
_SUFFIX = re.compile(r"(.+?)(\.[A-Za-z0-9]{1,5})", re.DOTALL)


def harmless(name: str, mime_type: str) -> str:
    """The last part of the name, without what cannot be seen, ending as its type does: "../a\\u202egpj.exe" is "agpj.jpg"."""
    composed = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    seen = "".join(" " if sign.isspace() else sign for sign in composed if unicodedata.category(sign) not in _UNSEEN)
    stem, suffix = _parts(_NOT_IN_NAMES.sub("_", seen).strip(" ."))
    suffixes = SUFFIXES.get(mime_type, ())
    if suffixes and suffix.lower() not in suffixes:
        suffix = suffixes[0]
    stem = stem[:LONGEST_NAME].strip(" .") or NAMELESS
    return (f"_{stem}" if _RESERVED.fullmatch(stem) else stem) + suffix


def disposition(name: str, is_inline: bool) -> str:
    """The header Content-Disposition (RFC 6266): in ASCII for old clients, and as it is."""
    ascii_name = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"{'inline' if is_inline else 'attachment'}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"


def _parts(name: str) -> tuple[str, str]:
    found = _SUFFIX.fullmatch(name)
    return (found[1], found[2]) if found else (name, "")
