"""What goes wrong on demand: answers, statuses, files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EFFECTS = ("error", "page", "hang", "disconnect")


@dataclass
class SendFault:
    """The next `times` sends.

    effect: `error` is a refusal with `code`, `page` an HTML page of a proxy, `hang` no answer for `seconds`, `disconnect` a
    connection that ends without one. accepts: True where the message goes out all the same, and only its answer is lost.
    to: only those to this shopper (a key).
    """

    times: int = 1
    effect: str = "error"
    code: int = 131000
    http_status: int | None = None
    details: str = "Asked for by a fault."
    accepts: bool = False
    seconds: float = 60.0
    retry_after: int | None = None
    to: str | None = None


@dataclass
class LaterFault:
    """The next `times` messages are taken, and then fail with this code in a status."""

    code: int
    times: int = 1
    to: str | None = None


@dataclass
class MediaFault:
    """hop: `descriptor` or `download`. The next `times` requests for it."""

    times: int = 1
    hop: str = "download"
    http_status: int = 404


@dataclass
class Faults:
    sends: list[SendFault] = field(default_factory=list)
    later: list[LaterFault] = field(default_factory=list)
    media: list[MediaFault] = field(default_factory=list)

    def add(self, kind: str, values: dict[str, Any]) -> None:
        """Raises ValueError for a kind, a name or an effect that there is not."""
        kinds: dict[str, tuple[list[Any], type]] = {
            "send": (self.sends, SendFault),
            "later": (self.later, LaterFault),
            "media": (self.media, MediaFault),
        }
        if kind not in kinds:
            raise ValueError(f"kind must be one of {', '.join(kinds)}")
        rows, what = kinds[kind]
        try:
            fault = what(**values)
        except TypeError as error:
            raise ValueError(str(error)) from error
        if getattr(fault, "effect", "error") not in EFFECTS:
            raise ValueError(f"effect must be one of {', '.join(EFFECTS)}")
        rows.append(fault)

    def for_send(self, shopper: str | None) -> SendFault | None:
        return _use(self.sends, lambda fault: fault.to in (None, shopper))

    def for_later(self, shopper: str) -> LaterFault | None:
        return _use(self.later, lambda fault: fault.to in (None, shopper))

    def for_media(self, hop: str) -> MediaFault | None:
        return _use(self.media, lambda fault: fault.hop == hop)

    def clear(self) -> None:
        for rows in (self.sends, self.later, self.media):
            rows.clear()


def _use(rows: list[Any], fits: Any) -> Any:
    """The first that fits, used once."""
    for fault in rows:
        if fits(fault):
            fault.times -= 1
            if fault.times <= 0:
                rows.remove(fault)
            return fault
    return None
