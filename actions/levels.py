"""Whether somebody is known well enough for what they want."""

from __future__ import annotations

from actions.shop import policies
from actions.turn import Turn


def is_known_well_enough(turn: Turn, operation: str) -> bool:
    """Whether the policy `identity` allows this operation at the level that the conversation has."""
    facts = {"operation": operation, "level": turn.identity.level.name}
    return policies().decide("identity", facts, turn.today).is_allowed
