"""What a channel can do beyond words; one that is not named here can do none of it."""

from __future__ import annotations

TAKES_FILES = frozenset({"whatsapp", "webchat"})  # pictures and documents come in through it
SHOWS_FILES = frozenset({"whatsapp", "webchat"})  # documents of ours go out through it, to whoever writes and to nobody else
SHOWS_CARDS = frozenset({"webchat"})  # choices with a picture each, beside one another; WhatsApp would send one message for each
PROVES_PHONES = frozenset({"whatsapp"})  # it knows from which number somebody writes
SIGNS_IN = frozenset({"webchat"})  # the shop's own page says there who its customer is
