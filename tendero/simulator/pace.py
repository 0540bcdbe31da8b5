"""How fast Meta lets a business send: to one person, and from one number in all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tendero.simulator.errors import GraphError


@dataclass
class PairLimit:
    """One message in six seconds to one person, and up to 45 at once that are borrowed from the time to come."""

    seconds_a_message: float = 6.0
    burst: int = 45
    _paid_until: dict[str, float] = field(default_factory=dict)

    def take(self, person: str, now: float) -> None:
        """Raises GraphError 131056."""
        paid_until = max(self._paid_until.get(person, now), now)
        if paid_until + self.seconds_a_message - now > self.burst * self.seconds_a_message + 1e-6:
            raise GraphError(131056, "Too many messages sent from this phone number to the same recipient in a short time.")
        self._paid_until[person] = paid_until + self.seconds_a_message


@dataclass
class NumberLimit:
    """Messages a second from and to a number."""

    a_second: int = 80
    _taken_at: deque[float] = field(default_factory=deque)

    def count(self, now: float) -> None:
        """One that came in: it is never refused, but counts."""
        while self._taken_at and self._taken_at[0] <= now - 1.0:
            self._taken_at.popleft()
        self._taken_at.append(now)

    def take(self, now: float) -> None:
        """Raises GraphError 130429."""
        while self._taken_at and self._taken_at[0] <= now - 1.0:
            self._taken_at.popleft()
        if len(self._taken_at) >= self.a_second:
            raise GraphError(130429, f"Message failed to send because there were too many messages: {self.a_second} a second.")
        self._taken_at.append(now)
