"""What Rasa is told where a message is no plain words, on any channel: commands come from what was tapped or shared only."""

from __future__ import annotations

SHARED = {
    "image": "/share_picture",
    "video": "/share_video",
    "document": "/share_document",
    "voice": "/share_voice",
    "audio": "/share_voice",
    "sticker": "/share_sticker",
    "location": "/share_location",
    "contacts": "/share_contact",
    "order": "/share_cart",
}
SIGNED_IN = "/signed_in"  # nobody wrote: the shop's own sign-in says from now on who does, and a task goes on by itself
MAY_BE_SILENT = frozenset({SIGNED_IN})  # after which nobody waits for an answer, where there is none to give
COMMAND = "/"
NOT_A_COMMAND = "\N{WORD JOINER}"  # nothing that can be seen; before a typed "/" it makes it a sign like any other


def typed(text: str) -> str:
    """As it was typed, but that "/affirm" is no command: those come from buttons of ours."""
    return NOT_A_COMMAND + text.lstrip() if text.strip().startswith(COMMAND) else text
