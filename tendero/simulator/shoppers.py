"""The people on the other side, and what each of them sees in the chat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import phonenumbers

from messaging.contacts import normalize_phone
from tendero.simulator.names import user_id

WINDOW = 24 * 3600.0  # seconds


@dataclass
class Entry:
    """A message as both sides know it.

    wire: the body that the shop has sent, or the message of the webhook. shown: for people (simulator.shown). statuses: of what
    the shop has sent, in the order in which they came about; of what the shopper has sent, waiting, delivered and read.
    """

    id: str
    by: str  # shop or shopper
    at: int
    wire: dict[str, Any]
    shown: dict[str, Any]
    statuses: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None
    remarks: list[str] = field(default_factory=list)
    reactions: dict[str, str] = field(default_factory=dict)  # by whom: emoji
    is_revoked: bool = False

    @property
    def opaque(self) -> str | None:
        return self.wire.get("biz_opaque_callback_data")

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass
class Shopper:
    """phone: E.164. wa_id: as WhatsApp writes it. shows_phone: False for people with a user name whom the shop has not met."""

    key: str
    name: str
    phone: str
    wa_id: str
    user_id: str
    username: str | None = None
    shows_phone: bool = True
    is_online: bool = True
    blocks_shop: bool = False
    takes_marketing: bool = True
    wrote_at: float | None = None  # simulated
    shop_types_until: float = 0.0  # simulated
    entries: list[Entry] = field(default_factory=list)

    def may_get_anything(self, now: float) -> bool:
        """Whether the 24 hours since they wrote are not over."""
        return self.wrote_at is not None and now - self.wrote_at < WINDOW

    def entry(self, message_id: str) -> Entry | None:
        return next((entry for entry in reversed(self.entries) if entry.id == message_id), None)

    def forget(self) -> None:
        """As if they had never written."""
        self.is_online, self.blocks_shop, self.takes_marketing = True, False, True
        self.wrote_at, self.shop_types_until = None, 0.0
        self.entries.clear()

    @property
    def contact(self) -> dict[str, Any]:
        """As in a webhook's `contacts`."""
        profile = {"name": self.name, **({"username": self.username} if self.username else {})}
        return {"profile": profile, **({"wa_id": self.wa_id} if self.shows_phone else {}), "user_id": self.user_id}

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "entries"}


class Shoppers:
    """By phone, in whatever way it is written, by user id, or by key."""

    def __init__(self, business: str) -> None:
        self._business = business
        self._all: dict[str, Shopper] = {}

    def __iter__(self) -> Iterator[Shopper]:
        return iter(self._all.values())

    def add(self, name: str, phone: str, *, username: str | None = None, shows_phone: bool = True) -> Shopper:
        """The one who is there, where the phone is known. Raises ValueError for a number that there cannot be."""
        number = normalize_phone(phone)
        if number is None:
            raise ValueError(f"{phone} is no phone number with its country code")
        if found := self.by_phone(number):
            return found
        key = re.sub(r"\D", "", number)
        person = user_id(self._business, number, _country(number))
        self._all[key] = Shopper(key, name, number, wa_id_of(number), person, username, shows_phone)
        return self._all[key]

    def by_key(self, key: str) -> Shopper | None:
        return self._all.get(key) or self.by_user_id(key) or self.by_phone(key)

    def by_phone(self, phone: str) -> Shopper | None:
        number = normalize_phone(phone)
        return next((each for each in self if number and each.phone == number), None)

    def by_user_id(self, person: str) -> Shopper | None:
        return next((each for each in self if each.user_id == person), None)

    def holder_of(self, message_id: str) -> Shopper | None:
        return next((each for each in self if each.entry(message_id)), None)

    def move(self, shopper: Shopper, phone: str | None) -> None:
        """To another number, or only to another user id (phone None). Raises ValueError for a number of somebody else."""
        number = shopper.phone if phone is None else normalize_phone(phone)
        if number is None or (phone is not None and self.by_phone(number)):
            raise ValueError(f"{phone} is no phone number, or somebody has it")
        shopper.phone, shopper.wa_id = number, wa_id_of(number)
        shopper.user_id = user_id(self._business, f"{number}/{shopper.user_id}", _country(number))


def wa_id_of(number: str) -> str:
    """WhatsApp still has Mexico's old 1, and does without Brazil's ninth digit outside of São Paulo and Rio."""
    digits = number.removeprefix("+")
    if re.fullmatch(r"52\d{10}", digits):
        return f"521{digits[2:]}"
    if re.fullmatch(r"55[3-9]\d9\d{8}", digits):
        return digits[:4] + digits[5:]
    return digits


def _country(number: str) -> str:
    return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or "US"
