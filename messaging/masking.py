"""Payment cards and passwords are taken out of a message before anybody stores or logs it.

A card is known by its digits: 13 to 19 of them, the first ones and the length of a card network, and a right check digit
(Luhn). Order, phone and tracking numbers fail one of these. A password is known by the words before it, which designers
keep in `data/patterns/secrets.yml`. Every step takes time in proportion to the text's length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from messaging.kept import kept
from messaging.word_lists import PATTERNS, read_words

Secret = Literal["card", "password"]
Span = tuple[int, int]
Marked = tuple[int, int, str]  # start, end, mark

CARD_MARK, PASSWORD_MARK = "[card]", "[password]"  # read by the assistant too, so that a masked message has a meaning
CODE_MARK = "[code]"  # a one-time code, in what people read of a conversation
KINDS = frozenset({"password_is", "password", "not_a_password", "may_be_a_code", "security_code", "bank_code", "card"})
LONGEST_PHONE = 15
LONGEST_CARD = 19

# First digits and lengths of the card networks (ISO/IEC 7812 as the networks publish them).
_NETWORKS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-59]|[689]\d)\d{11}(?:\d\d)?"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}|(?:2131|1800)\d{11}"  # JCB
    r"|220[0-4]\d{12,15}"  # Mir
    r"|(?:6\d|5[0678])\d{14,17}"  # Discover, UnionPay, RuPay, Elo, Hipercard, Maestro
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{9,11}"  # Maestro, short
)
_INVISIBLE = "\u00ad\u200b-\u200d\u2060\ufeff"
_DIGIT_RUN = re.compile(rf"\d(?:[ \t\u00a0\u2007\u2009\u202f._*·\-‐-―−{_INVISIBLE}]{{0,4}}\d)*")
_GROUP = re.compile(r"\d+")
_AFTER_CARD = re.compile(r"[\s,;|/:.-]{0,4}(?:(?:0?[1-9]|1[0-2])[/ -]{1,3}(?:20)?\d\d(?!\d)[\s,;|/.-]{0,4})?(?:\d{3,4}(?!\d))?")
_VALUE = re.compile(r"\s{0,3}(?:\"[^\"\n]{1,128}\"|'[^'\n]{1,128}'|“[^”\n]{1,128}”|«[^»\n]{1,128}»|\S{1,256})")
_SIX_DIGITS = re.compile(r"\d{6}[.,!]?")


@dataclass(frozen=True)
class Masked:
    text: str
    found: frozenset[Secret]


def mask(text: str) -> Masked:
    """The text without card numbers, security codes and passwords, and which of them it had ("card", "password").

    A text with nothing to mask comes back as it is.
    """
    composed = unicodedata.normalize("NFC", text)
    folded = _fold(composed)
    found = [(*span, CARD_MARK) for span in _card_data(composed, folded)]
    found += [(*span, PASSWORD_MARK) for span in _passwords(folded)]
    if not found:
        return Masked(text, frozenset())
    kinds: frozenset[Secret] = frozenset("card" if mark == CARD_MARK else "password" for _, _, mark in found)
    return Masked(_replace(composed, _union(found)), kinds)


def _card_data(text: str, folded: str) -> Iterator[Span]:
    for start, end, _ in _union((*span, CARD_MARK) for span in _card_numbers(text, folded)):
        # What follows a card directly is its expiry date and its security code.
        after = _AFTER_CARD.match(text, end)
        yield start, end + len(after[0].rstrip(" \t\n,;|/:.-")) if after else end
    for codes in (_patterns().security_code, _patterns().bank_code):
        yield from (match.span(1) for match in codes.finditer(folded))


def _card_numbers(text: str, folded: str) -> Iterator[Span]:
    for run in _DIGIT_RUN.finditer(text):
        groups = [(group.start(), group.end()) for group in _GROUP.finditer(text, run.start(), run.end())]
        for first in range(len(groups)):
            yield from _cards_from(text, folded, groups[first : first + LONGEST_CARD])


def _cards_from(text: str, folded: str, groups: list[Span]) -> Iterator[Span]:
    digits = ""
    start = groups[0][0]
    for group_start, end in groups:
        if len(digits) + end - group_start > LONGEST_CARD:
            return
        digits += "".join(str(unicodedata.digit(sign)) for sign in text[group_start:end])
        if _NETWORKS.fullmatch(digits) and has_check_digit(digits) and not _is_something_else(folded, start, digits):
            yield start, end


def has_check_digit(digits: str) -> bool:
    """Luhn: every second digit from the right doubled, the sum of all digits divisible by ten."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _is_something_else(folded: str, start: int, digits: str) -> bool:
    # "JD4111111111111111" is a tracking number, "visa4111111111111111" is a card, "+4915112345678" is a phone.
    before = folded[max(0, start - 20) : start]
    if before.endswith("+"):
        return len(digits) <= LONGEST_PHONE
    return before[-1:].isalpha() and not before.endswith(_patterns().card)


def _passwords(folded: str) -> Iterator[Span]:
    patterns = _patterns()
    for match in patterns.password.finditer(folded):
        value = _VALUE.match(folded, match.end())
        if value and _is_password(value[0].strip(), match):
            start = value.end() - len(value[0].lstrip())
            yield start, value.end()


def _is_password(value: str, match: re.Match[str]) -> bool:
    patterns = _patterns()
    if value in (CARD_MARK, PASSWORD_MARK):
        return False
    if _SIX_DIGITS.fullmatch(value) and patterns.may_be_a_code.search(match[0]):
        return False  # a one-time code, which the assistant asked for
    if match["bare"] and not match["sign"]:
        return bool(re.search(r"\d", value) and re.search(r"[^\W\d_]", value)) and "@" not in value
    return value.strip(".,;:!?¡¿'\"") not in patterns.not_a_password


@dataclass(frozen=True)
class _Patterns:
    password: re.Pattern[str]
    may_be_a_code: re.Pattern[str]
    security_code: re.Pattern[str]
    bank_code: re.Pattern[str]
    not_a_password: frozenset[str]
    card: tuple[str, ...]


def _digits_after(words: Iterable[str], how_many: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{_any_of(words)})(?![^\W\d_])[^\d\n]{{0,12}}(\d{how_many})(?!\d)")


@kept
def _patterns(file: Path = PATTERNS / "secrets.yml") -> _Patterns:
    words = {kind: [_fold(word) for word in said] for kind, said in read_words(file, "secrets", KINDS).items()}
    said, bare = _any_of(words["password_is"]), _any_of(words["password"])
    return _Patterns(
        password=re.compile(rf"(?<!\w)(?:(?P<said>{said})|(?P<bare>{bare}))(?!\w)(?P<sign>\s{{0,3}}[:=])?"),
        may_be_a_code=re.compile(rf"(?<!\w)(?:{_any_of(words['may_be_a_code'])})(?!\w)"),
        security_code=_digits_after(words["security_code"], "{3,4}"),
        bank_code=_digits_after(words["bank_code"], "{4,8}"),
        not_a_password=frozenset(words["not_a_password"]),
        card=tuple(words["card"]),
    )


def _any_of(phrases: Iterable[str]) -> str:
    # The longest first; a space stands for any run of white space up to three.
    escaped = (r"\s{1,3}".join(map(re.escape, phrase.split())) for phrase in sorted(phrases, key=len, reverse=True))
    return "|".join(escaped)


def _fold(text: str) -> str:
    """Lower case without accents, sign by sign: a place in the result is the same place in the text."""
    return "".join(_fold_sign(sign) for sign in unicodedata.normalize("NFC", text))


def _fold_sign(sign: str) -> str:
    plain = unicodedata.normalize("NFD", sign)[0].lower()
    return plain if len(plain) == 1 else sign


def _union(spans: Iterable[Marked]) -> list[Marked]:
    """Overlapping spans in one; a card's mark goes before a password's."""
    merged: list[Marked] = []
    for start, end, mark in sorted(spans):
        if merged and start < merged[-1][1]:
            first, last, kept = merged[-1]
            merged[-1] = (first, max(last, end), min(kept, mark))
        else:
            merged.append((start, end, mark))
    return merged


def _replace(text: str, marks: list[Marked]) -> str:
    parts, at = [], 0
    for start, end, mark in marks:
        parts += [text[at:start], mark]
        at = end
    return "".join([*parts, text[at:]])
