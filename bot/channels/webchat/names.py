"""How the rows of a web conversation are named, so that each is there once whatever is told twice."""

from __future__ import annotations

_SAID, _REPLIED, _HAPPENED = "said/", "replied/", "happened/"


def of_said(id_: str) -> str:
    """The entry of what the shopper sent. id_: the page's."""
    return f"{_SAID}{id_}"


def of_reply(opaque: str) -> str:
    """The entry of a reply. opaque: as in `Outgoing`."""
    return f"{_REPLIED}{opaque}"


def opaque_of(name: str) -> str | None:
    """The reply of which this entry is."""
    return name.removeprefix(_REPLIED) if name.startswith(_REPLIED) else None


def of_event(what: str) -> str:
    return f"{_HAPPENED}{what}"


def of_sign_in(id_: str) -> str:
    """What the inbox calls a sign-in, in the place of a page's id: longer than any of those. id_: as `sign_in.id_of` has it."""
    return f"signed-in/{id_}"


def provider_id_of(sender_id: str, id_: str) -> str:
    """The inbox's name of a message."""
    return f"{sender_id}/{id_}"


def said_by(provider_id: str) -> tuple[str, str]:
    """(sender_id, the page's id) of it."""
    sender_id, _, id_ = provider_id.partition("/")
    return sender_id, id_
