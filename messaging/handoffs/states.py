"""The states of a handoff, and whose the conversation is in each."""

from __future__ import annotations

UNTAKEN = ("waiting", "callback")
OPEN = (*UNTAKEN, "assigned")
OWNER_IN = {"waiting": "queue", "callback": "bot", "assigned": "agent"}  # after its end it is the bot's
