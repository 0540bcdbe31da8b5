"""Frames as they come from a browser, made into dataclasses: what is wrong with one goes no further than this."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

VERSION = 1
LARGEST = 64 * 1024  # bytes of a frame
LONGEST_TEXT = 2000  # characters
LONGEST_ID = 64
LONGEST_TOKEN = 1000
LONGEST_JWT = 8000
LONGEST_PAGE = 1000
LONGEST_LANGUAGE = 35
MOST_FILES = 10
LAST_SEQ = 2**31 - 1


@dataclass(frozen=True)
class Frame:
    type: ClassVar[str] = ""


@dataclass(frozen=True)
class Hello(Frame):
    """after: the newest entry that is there already; None: the newest page is wanted. shown_read, shows_typing: what the page
    shows of `marks` and `typing`; None: what is so now is no news to it."""

    type: ClassVar[str] = "hello"
    token: str = ""
    after: int | None = None
    language: str = ""
    page: str = ""
    jwt: str = ""
    shown_read: int | None = None
    shows_typing: bool | None = None


@dataclass(frozen=True)
class Say(Frame):
    type: ClassVar[str] = "say"
    id: str
    text: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choose(Frame):
    type: ClassVar[str] = "choose"
    id: str
    seq: int
    choice: int


@dataclass(frozen=True)
class Place(Frame):
    type: ClassVar[str] = "place"
    id: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Got(Frame):
    type: ClassVar[str] = "got"
    seq: int


@dataclass(frozen=True)
class Read(Frame):
    type: ClassVar[str] = "read"
    seq: int


@dataclass(frozen=True)
class Typing(Frame):
    type: ClassVar[str] = "typing"
    on: bool


@dataclass(frozen=True)
class More(Frame):
    type: ClassVar[str] = "more"
    before: int


@dataclass(frozen=True)
class Identify(Frame):
    type: ClassVar[str] = "identify"
    jwt: str


@dataclass(frozen=True)
class SignOut(Frame):
    type: ClassVar[str] = "sign_out"


@dataclass(frozen=True)
class WhatsApp(Frame):
    type: ClassVar[str] = "whatsapp"


@dataclass(frozen=True)
class Unlink(Frame):
    type: ClassVar[str] = "unlink"


@dataclass(frozen=True)
class End(Frame):
    type: ClassVar[str] = "end"


@dataclass(frozen=True)
class Restart(Frame):
    type: ClassVar[str] = "restart"


@dataclass(frozen=True)
class Ping(Frame):
    type: ClassVar[str] = "ping"


@dataclass(frozen=True)
class Unknown(Frame):
    """Of a later version, perhaps: it is left alone."""


@dataclass(frozen=True)
class Refused(Frame):
    """One that cannot be taken. of, id: as far as they could be read."""

    of: str
    why: str
    id: str = ""


class _Bad(Exception):
    def __init__(self, why: str = "bad_frame") -> None:
        super().__init__(why)
        self.why = why


def parse(data: bytes | str) -> Frame:
    """From a message of the WebSocket."""
    if len(data) > LARGEST or (isinstance(data, str) and len(data.encode("utf-8", "replace")) > LARGEST):
        return Refused("", "too_long")
    try:
        return read(json.loads(data))
    except (ValueError, RecursionError):
        return Refused("", "bad_frame")


def read(content: Any) -> Frame:
    """From what was JSON."""
    if not isinstance(content, Mapping) or not isinstance(type_ := content.get("type"), str):
        return Refused("", "bad_frame")
    reader = _READERS.get(type_)
    if reader is None:
        return Unknown()
    try:
        return reader(content)
    except _Bad as error:
        return Refused(type_, error.why, str(content["id"]) if _is_id(content.get("id")) else "")


def _hello(content: Mapping[str, Any]) -> Hello:
    if content.get("v") != VERSION or isinstance(content["v"], bool):
        raise _Bad("unknown_version")
    read_, typing = content.get("read"), content.get("typing")
    return Hello(
        token=_text(content, "token", LONGEST_TOKEN),
        after=None if content.get("after") is None else _seq(content, "after"),
        language=_language(_text(content, "language", LONGEST_LANGUAGE)),
        page=_text(content, "page", None)[:LONGEST_PAGE],
        jwt=_text(content, "jwt", LONGEST_JWT),
        shown_read=None if read_ is None else _seq(content, "read"),
        shows_typing=None if typing is None else _truth(content, "typing"),
    )


def _language(tag: str) -> str:
    """Of "es-MX" the "es"; empty for what is no tag of a language."""
    first = tag.partition("-")[0].lower()
    return first if first.isascii() and first.isalpha() and 2 <= len(first) <= 3 else ""


def _say(content: Mapping[str, Any]) -> Say:
    text = _text(content, "text", None).strip()
    files = content.get("files") or []
    if not isinstance(files, list) or len(files) > MOST_FILES or not all(map(_is_id, files)):
        raise _Bad
    if not text and not files:
        raise _Bad("empty")
    if len(text) > LONGEST_TEXT:
        raise _Bad("too_long")
    return Say(_id(content), text, tuple(dict.fromkeys(files)))


def _choose(content: Mapping[str, Any]) -> Choose:
    return Choose(_id(content), _seq(content, "seq"), _seq(content, "choice"))


def _place(content: Mapping[str, Any]) -> Place:
    return Place(_id(content), _degrees(content, "latitude", 90), _degrees(content, "longitude", 180))


def _identify(content: Mapping[str, Any]) -> Identify:
    return Identify(_text(content, "jwt", LONGEST_JWT))


_READERS: dict[str, Callable[[Mapping[str, Any]], Frame]] = {
    "hello": _hello,
    "say": _say,
    "choose": _choose,
    "place": _place,
    "got": lambda content: Got(_seq(content, "seq")),
    "read": lambda content: Read(_seq(content, "seq")),
    "typing": lambda content: Typing(_truth(content, "on")),
    "more": lambda content: More(_seq(content, "before")),
    "identify": _identify,
    "sign_out": lambda _content: SignOut(),
    "whatsapp": lambda _content: WhatsApp(),
    "unlink": lambda _content: Unlink(),
    "end": lambda _content: End(),
    "restart": lambda _content: Restart(),
    "ping": lambda _content: Ping(),
}


def _id(content: Mapping[str, Any]) -> str:
    if not _is_id(found := content.get("id")):
        raise _Bad
    return str(found)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()


def _text(content: Mapping[str, Any], key: str, most: int | None) -> str:
    """Without what no database takes: half of a sign outside the basic plane, and NUL."""
    value = content.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or (most is not None and len(value) > most):
        raise _Bad
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")


def _seq(content: Mapping[str, Any], key: str) -> int:
    value = content.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LAST_SEQ:
        raise _Bad
    return value


def _truth(content: Mapping[str, Any], key: str) -> bool:
    if not isinstance(value := content.get(key), bool):
        raise _Bad
    return value


def _degrees(content: Mapping[str, Any], key: str, most: int) -> float:
    value = content.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not -most <= value <= most:
        raise _Bad
    return float(value)
