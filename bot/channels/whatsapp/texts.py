"""Texts measured as Meta measures them, and divided where a reader would: never inside an emoji or a letter with its marks."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile

import regex

_BLANK = r"[\s\x1c-\x1f]"  # as str.strip has it
_MAY_BREAK = r"(?:[^\S\u00A0\u202F]|[\x1c-\x1f])"  # a blank, but not the one between a sign of money and its amount
# A break is looked for in this order. Each pattern ends where the next piece begins.
_BREAKS = tuple(
    regex.compile(rf"{end}(?P<blank>{blank})")
    for end, blank in (
        ("", r"\n[^\S\n]*\n\s*"),
        ("", r"\n\s*"),
        (r"[.!?…。！？؟।]+[\"'”’»)\]]*", r"\s+"),
        ("", rf"{_MAY_BREAK}+"),
    )
)
_LOOK_AHEAD = 64  # signs after a full piece: the blank that ends it
_FULL_ENOUGH = 1 / 3  # a paragraph that ends sooner would leave too short a piece
_GRAPHEME, _SIGN = regex.compile(r"\X"), regex.compile(r"(?s:.)")
_MARKS = r"(?![\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}])"  # they belong to the blank before them
_BLANK_EDGES = regex.compile(rf"\A(?:{_BLANK}{_MARKS})+|{_BLANK}+\Z")
_IN_A_LINE = regex.compile(rf"(?:{_MAY_BREAK}{_MARKS})+")
_TITLE_BREAK = regex.compile(r"\s+[·–—|]\s+|\s+(?=\()|(?<=[,;:])\s+(?![^()]*\))")

ELLIPSIS = "…"

# What WhatsApp shows bold, italic, struck or as code: a sign at the edge of a word, and the same one at another edge.
_SIGNS = "*_~`"
_WORD = regex.compile(r"\S+")
_ADDRESS = regex.compile(r"://|@|^www\.")
_AT_AN_EDGE = regex.compile(r"(?<![\p{L}\p{N}])[*_~`]+|[*_~`]+(?![\p{L}\p{N}])")
_QUOTE = regex.compile(r"^>(?=\s)", regex.MULTILINE)
_LIKE = str.maketrans({"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"})  # look the same, and mean nothing to WhatsApp


def length(text: str) -> int:
    """As Meta may count it at most: UTF-16 units, of which an emoji has two or more."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def trimmed(text: str) -> str:
    """Without the blanks around it."""
    return _BLANK_EDGES.sub("", text)


def in_a_line(text: str) -> str:
    """Trimmed, and with one blank wherever there are line breaks or several."""
    return _IN_A_LINE.sub(" ", trimmed(text))


def split(text: str, most: int) -> list[str]:
    """In pieces of at most this length; together they are the text, but for blanks between them.

    After a paragraph, else a line, else a sentence, else a word; within a word only where it is longer than a piece.
    """
    pieces, rest = [], trimmed(text)
    while length(rest) > most:
        cut = _cut(rest, most)
        pieces.append(trimmed(rest[:cut]))
        rest = trimmed(rest[cut:])
    return [piece for piece in [*pieces, rest] if piece]


def with_ending(text: str, most: int, most_at_the_end: int) -> list[str]:
    """As split, but the last piece has to be shorter than the others may be; one empty piece for no text."""
    if length(trimmed(text)) <= most_at_the_end:
        return [trimmed(text)]
    ending = split(text, most_at_the_end)[-1]
    return [*split(trimmed(text).removesuffix(ending), most), ending]


def shortened(text: str, most: int) -> str:
    """The beginning with an ellipsis: where the whole can be read elsewhere."""
    return text if length(text) <= most else trimmed(_beginning(text, most - length(ELLIPSIS))) + ELLIPSIS


def in_two(title: str, most: int) -> tuple[str, str] | None:
    """(title, what goes on below it) at a point where it may be read on; None where there is none."""
    beginning = _beginning(title, most + 1)  # the blank itself need not fit
    whole = set(_boundaries(title))
    for pattern in (_TITLE_BREAK, _BREAKS[-1]):
        found = [match for match in pattern.finditer(title) if match.start() <= len(beginning) and match.end() in whole]
        for match in reversed(found):
            head, tail = trimmed(title[: match.start()]), trimmed(title[match.end() :])
            if head and tail and length(head) <= most:
                return head, tail
    return None


def plain(text: str) -> str:
    """With signs that WhatsApp would take for formatting replaced by ones that look alike; addresses stay as they are."""
    words = [match[0] for match in _WORD.finditer(text) if _may_format(match[0])]
    at_edges = Counter(sign for word in words for found in _AT_AN_EDGE.findall(word) for sign in set(found))
    meant = {ord(sign): _LIKE[ord(sign)] for sign in _SIGNS if at_edges[sign] > 1}

    def without_meaning(word: regex.Match[str]) -> str:
        return _AT_AN_EDGE.sub(lambda found: found[0].translate(meant), word[0]) if _may_format(word[0]) else str(word[0])

    return _QUOTE.sub("›", _WORD.sub(without_meaning, text) if meant else text)


def _may_format(word: str) -> bool:
    return not _ADDRESS.search(word) and bool(word.strip(_SIGNS))


def _cut(text: str, most: int) -> int:
    """Where the first piece of this too long text ends, with the blanks after it."""
    full = len(_beginning(text, most))
    if not full:  # a single letter with more marks than a message has room for
        return len(_beginning(text, most, _SIGN))
    window = text[: full + _LOOK_AHEAD]
    boundaries = set(_boundaries(window))
    for pattern in _BREAKS:
        fitting = [match for match in pattern.finditer(window) if match.end() - len(match["blank"]) <= full]
        ends = [match.end() for match in fitting if match.end() in boundaries]
        if ends and (ends[-1] >= full * _FULL_ENOUGH or pattern is _BREAKS[-1]):
            return ends[-1]
    return full


def _beginning(text: str, most: int, units: regex.Pattern[str] = _GRAPHEME) -> str:
    """As many whole units as fit."""
    room = most

    def fits(unit: str) -> bool:
        nonlocal room
        room -= length(unit)
        return room >= 0

    return "".join(takewhile(fits, (match[0] for match in units.finditer(text))))


def _boundaries(text: str) -> list[int]:
    return [match.end() for match in _GRAPHEME.finditer(text)]
