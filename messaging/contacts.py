"""E-mail addresses and phone numbers in one form each, so that what a shopper writes meets what is on file."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from messaging.kept import kept
from messaging.word_lists import PATTERNS, read_words

LONGEST_EMAIL = 254
SPOKEN = {"at": "@", "dot": ".", "underscore": "_", "hyphen": "-"}

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"(?<![a-z0-9._%+-])[a-z0-9_%+-]+(?:\.[a-z0-9_%+-]+)*@(?:{_LABEL}\.)+[a-z]{{2,24}}(?![a-z0-9-])")
_NUMBER = re.compile(r"\+?\(?\d[\d\s().-]{4,30}\d")


def normalize_email(text: str) -> str | None:
    """The address in the text in lower case, also when it is said in words; None when there is none, or are several."""
    lower = unicodedata.normalize("NFKC", text)[:1000].lower()
    found = set(_EMAIL.findall(lower if "@" in lower else _spell(lower)))
    address = found.pop() if len(found) == 1 else ""
    return address if 0 < len(address) <= LONGEST_EMAIL else None


def normalize_phone(text: str, country: str | None = None) -> str | None:
    """The number in the text in E.164 ("+525512345678"); None when it is no possible number.

    country: ISO code of the country whose numbers need no prefix. International digits without "+" are understood too,
    as WhatsApp writes them. Mobile numbers have one form each, whatever the habit of writing them:
    Mexico without the old "1" after 52, Argentina with the 9, Brazil with the ninth digit.
    """
    match = _NUMBER.search(unicodedata.normalize("NFKC", text)[:1000])
    if not match:
        return None
    digits = re.sub(r"[^\d+]", "", match[0])
    readings = (_valid(digits, country), _valid("+" + digits.lstrip("+"), None))
    return next((reading for reading in readings if reading), None)


def spellings(e164: str) -> frozenset[str]:
    """Every way in which this number may be on file: with and without the digits that no two people are told apart by."""
    other = re.sub(r"^\+52(?=\d{10}$)", "+521", e164)
    other = re.sub(r"^\+549(?=\d{10}$)", "+54", other)
    other = re.sub(r"^(\+55\d\d)9(?=\d{8}$)", r"\g<1>", other)
    return frozenset({e164, other})


def hidden(contact: str) -> str:
    """ "a***@example.com", "+52*****0001": enough to recognise, too little to learn."""
    name, at, domain = contact.partition("@")
    return f"{name[0]}***@{domain}" if at else f"{contact[:3]}*****{contact[-4:]}"


def _valid(digits: str, country: str | None) -> str | None:
    try:
        number = phonenumbers.parse(_without_old_prefix(digits, country), country)
    except phonenumbers.NumberParseException:
        return None
    e164 = _with_ninth_digit(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return e164 if phonenumbers.is_valid_number(phonenumbers.parse(e164)) else None


def _without_old_prefix(digits: str, country: str | None) -> str:
    # Mexico gave up 1, 044 and 045 before mobile numbers in 2019; WhatsApp and people still write them.
    local = re.sub(r"^04[45](?=\d{10}$)", "", digits) if country == "MX" else digits
    return re.sub(r"^\+521(?=\d{10}$)", "+52", local)


def _with_ninth_digit(e164: str) -> str:
    # A landline takes no messages, so an Argentine number without the 9 is a mobile written as for a local call.
    argentine = re.sub(r"^\+54(?=\d{10}$)", "+549", e164)
    return re.sub(r"^(\+55\d\d)(?=[6-9]\d{7}$)", r"\g<1>9", argentine)


def _spell(text: str) -> str:
    for words, sign in _spoken():
        text = words.sub(sign, text)
    return text


@kept
def _spoken() -> tuple[tuple[re.Pattern[str], str], ...]:
    lists = read_words(PATTERNS / "spoken_contacts.yml", "spoken_contacts", frozenset(SPOKEN))
    pairs = [(word.lower(), SPOKEN[kind]) for kind, words in lists.items() for word in words]
    # The longest first: "guion bajo" before "guion".
    return tuple((re.compile(rf"\s+{re.escape(word)}\s+"), sign) for word, sign in sorted(pairs, key=lambda pair: -len(pair[0])))
