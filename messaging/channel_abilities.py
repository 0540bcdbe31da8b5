"""What a channel can do beyond words; one that is not named here can do none of it."""

from __future__ import annotations

TAKES_FILES = frozenset({"whatsapp"})  # pictures and documents come in through it
PROVES_PHONES = frozenset({"whatsapp"})  # it knows from which number somebody writes
