"""What an adapter for another desk does. What comes back from there goes through `messaging.handoffs` like everybody's doing.

DeliveryError
+-- NotNow    it could not be told: later again
+-- Refused   it will never take this
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from messaging.agent_names import AT
from messaging.models import Handoff

LONGEST_NAME = 64


class DeliveryError(Exception):
    """The other desk has not taken it."""


class NotNow(DeliveryError):
    """after: seconds; None: as long as the forwarder thinks right."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Refused(DeliveryError):
    """Its answer will be the same."""


@dataclass(frozen=True)
class Delivery:
    """Something to tell. name: the same in each try. source: a handoff's event, or a message of the shopper's."""

    id: int
    name: str
    source: Literal["event", "message"]
    source_id: int
    handoff_id: int
    tries: int


class OtherDesk(Protocol):
    """name: as handoffs are marked (`Handoff.external` begins with it). title: as people know it.

    events: kinds of `HandoffEvent` that it is told of. wants_messages: whether it is told what the shopper
    writes; not where it is the channel itself.
    """

    name: str
    title: str
    events: frozenset[str]
    wants_messages: bool

    def concerns(self, handoff: Handoff) -> bool:
        """Whether people of that desk answer it. Asked once, when it is opened; afterwards `Handoff.external` says it."""

    def external_of(self, handoff: Handoff) -> str:
        """What `Handoff.external` becomes: the desk's name, and where it is known already what the desk calls it."""

    async def deliver(self, delivery: Delivery) -> None:
        """Tell it. Raises what is drawn above; whatever else it raises is tried again."""

    async def close(self) -> None:
        """End its connections."""


def mark(desk: str, *names: object) -> str:
    """How a handoff is marked that is somebody's over there: "chatwoot:1:42"."""
    return ":".join([desk, *map(str, names)])


def desk_of(external: str) -> str:
    """The desk's name, in what `mark` has made."""
    return external.partition(":")[0]


def is_with(handoff: Handoff, desk: str) -> bool:
    return bool(handoff.external) and desk_of(str(handoff.external)) == desk


def named(person: str, title: str) -> str:
    """Somebody who works at the desk of this title, among the names of ours: "Marta · Chatwoot"; at most 64 letters."""
    end = f"{AT}{title}"
    return f"{person.strip()[: LONGEST_NAME - len(end)].strip()}{end}" if person.strip() else title


def is_of(name: str, title: str) -> bool:
    """Whether a name is of somebody at that desk."""
    return name == title or name.endswith(f"{AT}{title}")
