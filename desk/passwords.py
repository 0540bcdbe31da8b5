"""Passwords: which are good enough, and their argon2id hashes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 256  # characters
LOOKED_AT = 72  # characters, of which it is worked out how fast they would be guessed
WORST_SCORE = 3  # of zxcvbn's 0 to 4: more than 10**8 guesses
GENERATED_BYTES = 15  # 20 characters

_hasher = PasswordHasher()  # RFC 9106's second recommendation; what was hashed with others is hashed anew at the next sign-in


class PasswordRefused(Exception):
    """rule: too_short | too_long | too_common; the message says it in words, without the password."""

    def __init__(self, rule: str, words: str, **values: int) -> None:
        super().__init__(words)
        self.rule, self.values = rule, values


def check(password: str, names: Sequence[str]) -> None:
    """Raises PasswordRefused. names: of the person; a password made of one is as good as none."""
    if len(password) < SHORTEST:
        raise PasswordRefused("too_short", f"The password needs at least {SHORTEST} characters.", least=SHORTEST)
    if len(password) > LONGEST:
        raise PasswordRefused("too_long", f"The password may have at most {LONGEST} characters.", most=LONGEST)
    if _is_guessed_soon(password, names):
        raise PasswordRefused("too_common", "This password is guessed soon: it is a common one, a name, or too regular.")


def hashed(password: str) -> str:
    return _hasher.hash(password)


def fits(password_hash: str | None, password: str) -> bool:
    """Whether it is this password. Where there is no hash, it takes as long as if there were one, and is False."""
    try:
        _hasher.verify(password_hash or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Hashed with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def generated() -> str:
    return secrets.token_urlsafe(GENERATED_BYTES)


def _is_guessed_soon(password: str, names: Sequence[str]) -> bool:
    from zxcvbn import zxcvbn  # its lists of words take a moment to load

    told: dict[str, Any] = zxcvbn(password[:LOOKED_AT], user_inputs=sorted(_spellings(names)))
    return told["score"] < WORST_SCORE


def _spellings(names: Sequence[str]) -> set[str]:
    """Each as it is, without the part after an @, its words, and these in one."""
    found: set[str] = set()
    for name in (part for each in names for part in (each, each.partition("@")[0])):
        words = re.findall(r"[^\W_]+", name)
        found |= {name, *words, "".join(words)}
    return found


@cache
def _nobodys() -> str:
    return hashed(secrets.token_urlsafe(GENERATED_BYTES))
