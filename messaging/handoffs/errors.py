"""What a handoff cannot do, in words for the person who tried it.

HandoffError
+-- NoSuchHandoff
+-- AlreadyTaken     somebody else has it; `by` says who
+-- IllegalMove      its state does not allow this
+-- NotYours         whoever wants to write in the conversation does not have it
+-- Unread           the shopper has written what whoever moves it has not seen; `newest` says which message
"""

from __future__ import annotations


class HandoffError(Exception):
    """A handoff cannot do this."""


class NoSuchHandoff(HandoffError):
    """No handoff has this id."""


class AlreadyTaken(HandoffError):
    """Somebody has this handoff."""

    def __init__(self, handoff_id: int, by: str) -> None:
        super().__init__(f"Handoff {handoff_id} is with {by}.")
        self.by = by


class IllegalMove(HandoffError):
    """The handoff's state does not allow this."""


class NotYours(HandoffError):
    """Only the person who has the conversation writes in it."""

    def __init__(self, handoff_id: int, by: str | None) -> None:
        super().__init__(f"Handoff {handoff_id} is {f'with {by}' if by else 'with nobody'}: only who has it writes in it.")
        self.by = by


class Unread(HandoffError):
    """The shopper has written meanwhile. What the transaction has changed has to be rolled back."""

    def __init__(self, handoff_id: int, newest: int) -> None:
        super().__init__(f"Handoff {handoff_id} has a message of the shopper's that was not seen: {newest}.")
        self.newest = newest


_STANDS = {
    "waiting": "is waiting: nobody has taken it yet",
    "callback": "is waiting for a call-back: nobody has taken it yet",
    "assigned": "is with {assignee}",
    "given_back": "was given back to the assistant already",
    "resolved": "is settled already",
    "cancelled": "is over: the shopper did not want a person any more",
}
_NEEDS = {
    "assigned": "Only one that waits can be taken",
    "released": "Only one that somebody has taken can go back to the queue",
    "transferred": "Only one that is open can be passed on",
    "snoozed": "Only one that somebody has taken can be put aside",
    "woken": "Only one that was put aside can be woken",
    "given_back": "Only one that somebody has taken can be given back",
    "resolved": "Only one that is open can be resolved",
    "cancelled": "Only one that waits can be left by the shopper",
}


def illegal(handoff_id: int, status: str, assignee: str | None, move: str) -> IllegalMove:
    """move: as its event is called."""
    return IllegalMove(f"Handoff {handoff_id} {_STANDS[status].format(assignee=assignee)}. {_NEEDS[move]}.")
