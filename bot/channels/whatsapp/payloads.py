"""What a tapped button says comes back as an id that only we can have made.

An id is the payload, `|` and a keyed mark of it. A payload that is too long for an id is left out of it: the mark names it
among the messages that were sent. Where two choices of a message say the same, their ids are told apart by `~2` and so on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.channels.whatsapp.limits import ROW_ID
from bot.channels.whatsapp.texts import length
from messaging.models import OutboundMessage

MARK_BYTES = 12
REPEATED = "~"
_ID = re.compile(r"(?P<payload>.*)\|(?P<mark>[A-Za-z0-9_-]{16})(?:~\d+)?", re.DOTALL)
_LONGEST_SUFFIX = len("|") + MARK_BYTES * 4 // 3 + len("~10")


def signed(payload: str, key: bytes) -> str:
    """The id of this payload: at most 200 UTF-16 units less room for `told_apart`, without blanks at its edges."""
    fits = payload == payload.strip() and length(payload) <= ROW_ID - _LONGEST_SUFFIX
    return f"{payload if fits else ''}|{_mark(payload, key)}"


def told_apart(ids: Iterable[str]) -> list[str]:
    """The same ids, each of them once."""
    seen: dict[str, int] = {}
    apart = []
    for each in ids:
        seen[each] = seen.get(each, 0) + 1
        apart.append(each if seen[each] == 1 else f"{each}{REPEATED}{seen[each]}")
    return apart


def payload_of(id_: str, key: bytes, sent: Iterable[Mapping[str, Any]] = ()) -> str | None:
    """The payload of an id that we signed; None for any other. sent: contents of the person's messages, for a long payload."""
    match = _ID.fullmatch(id_)
    if match is None:
        return None
    payloads = [match["payload"]] if match["payload"] else _payloads(sent)
    return next((payload for payload in payloads if hmac.compare_digest(_mark(payload, key), match["mark"])), None)


def contents_sent(session: Session, sender_id: str, newest: int = 200) -> Iterator[Mapping[str, Any]]:
    """What was last sent to this person, newest first; looked up when it is needed."""
    sent = select(OutboundMessage.content).where(OutboundMessage.sender_id == sender_id)
    yield from session.execute(sent.order_by(OutboundMessage.id.desc()).limit(newest)).scalars()


def _payloads(value: Any) -> Iterator[str]:
    """Every payload anywhere in a content."""
    if isinstance(value, Mapping):
        if isinstance(value.get("payload"), str):
            yield value["payload"]
        value = list(value.values())
    if isinstance(value, Iterable) and not isinstance(value, str):
        for each in value:
            yield from _payloads(each)


def _mark(payload: str, key: bytes) -> str:
    digest = hmac.new(key, f"choice:{payload}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:MARK_BYTES]).decode("ascii")
