"""Where a text names a person by their e-mail or phone, however they typed it; and the same text without it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import phonenumbers

from messaging.contacts import normalize_email

ERASED_MARK = "[erased]"

_BETWEEN = r"[\s().-]{0,3}"  # the digits of a phone number
_WORDS = re.compile(r"[a-z0-9]+")


class Contacts:
    """E-mails and phones (E.164) of one person."""

    def __init__(self, contacts: Iterable[str]) -> None:
        known = {contact.strip().lower() for contact in contacts if contact.strip()}
        self._emails = tuple(sorted(contact for contact in known if "@" in contact))
        self._phones = tuple(sorted(known - set(self._emails)))
        patterns = [*(_email(email) for email in self._emails), *(_phone(phone) for phone in self._phones)]
        self._written = re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)

    @property
    def signs(self) -> tuple[str, ...]:
        """Pieces in lower case, of which every message that names the person has one: for a quick search before a sure one.

        Of an e-mail the longest piece of its name, since it may be said in words; of a phone its last four digits.
        """
        names = (max(_WORDS.findall(email.partition("@")[0]) or [email], key=len) for email in self._emails)
        return tuple(dict.fromkeys([*names, *(phone[-4:] for phone in self._phones)]))

    def are_in(self, value: Any) -> bool:
        """Whether a text, or any text in these lists and mappings, names the person."""
        return any(self._written.search(text) or self._is_said_in(text) for text in _texts(value))

    def erased_from(self, value: Any) -> Any:
        """The same with a mark in place of the contacts; a text that says an e-mail in words is all mark."""
        if isinstance(value, str):
            written = self._written.sub(ERASED_MARK, value)
            return ERASED_MARK if self._is_said_in(written) else written
        if isinstance(value, dict):
            return {self.erased_from(name): self.erased_from(inner) for name, inner in value.items()}
        return [self.erased_from(inner) for inner in value] if isinstance(value, list) else value

    def _is_said_in(self, text: str) -> bool:
        return "@" not in text and " " in text and normalize_email(text) in self._emails


def _email(email: str) -> str:
    return rf"(?<![a-z0-9._%+-]){re.escape(email)}(?!\.?[a-z0-9-])"


def _phone(phone: str) -> str:
    """With or without the country's code, and what people write between digits."""
    try:
        number = phonenumbers.parse(phone)
        national, country = str(number.national_number), str(number.country_code)
    except phonenumbers.NumberParseException:
        national, country = phone.lstrip("+"), ""
    # Mexico's old "1" and Argentina's "9" stand between the two.
    before = rf"(?:(?:\+|00)?{_BETWEEN.join(country)}{_BETWEEN}(?:[19]{_BETWEEN})?)?" if country else ""
    return rf"(?<!\d)\(?{before}\(?{_BETWEEN.join(national)}(?!\d)"


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(name)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
