"""Ids that look like Meta's, the same again for the same seed."""

from __future__ import annotations

import base64
import hashlib
import random
import string

HEX = "0123456789ABCDEF"


class Names:
    """One source of chance for everything that the simulator makes up."""

    def __init__(self, seed: int | str) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (nothing secret)

    def message(self, person: str) -> str:
        """person: digits of a phone, or a user id."""
        mark = "".join(self.chance.choices(HEX, k=20)).encode()
        who = person.encode()[:60]
        packed = bytes((28, 24, len(who))) + who + bytes((21, 2, 0, 17, 24, len(mark))) + mark + b"\0"
        return "wamid." + base64.b64encode(packed).decode()

    def media(self) -> str:
        return "".join(self.chance.choices(string.digits[1:], k=16))

    def trace(self) -> str:
        return "A" + "".join(self.chance.choices(string.ascii_letters + string.digits, k=22))


def user_id(business: str, phone: str, country: str) -> str:
    """A person's id at one business: the same after a restart, another one with another number."""
    digest = hashlib.sha256(f"{business}/{phone}".encode()).hexdigest()
    return f"{country}.{int(digest[:16], 16)}"
