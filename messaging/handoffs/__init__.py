"""From the bot to a person and back: one record a matter, one owner at a time.

waiting <-> callback                  open hours and not; asking again moves between them, and a timer when people come to work
waiting, callback -> assigned         somebody takes it, or is given it
assigned -> assigned                  passed on to somebody else; put aside (`snoozed_until`) and woken
assigned -> waiting                   let go, passed on to a queue, or lost: the lease is over
assigned -> given_back                the assistant goes on, with a recap
waiting, callback, assigned -> resolved
waiting, callback -> cancelled        the shopper does not want a person any more

Each move is one conditional statement: of two people at once, one gets it. It is made with the conversation's row locked, which
is always locked before a handoff's (the whole order: docs/adr/0021-one-owner-at-a-time.md), and leaves a `HandoffEvent`.
Whoever ends it or puts it aside may say what they have read: then what the shopper wrote since keeps them from it. Errors:
`messaging.handoffs.errors`.
"""

from messaging.handoffs.awaiting import note_agent_wrote, note_shoppers_wrote
from messaging.handoffs.ending import call_back, cancel, give_back, resolve
from messaging.handoffs.errors import AlreadyTaken, HandoffError, IllegalMove, NoSuchHandoff, Unread
from messaging.handoffs.finding import (
    by_id,
    collected_by_open,
    last_given_back,
    last_settled,
    open_for,
    position,
    waiting,
    with_a_person,
)
from messaging.handoffs.holding import (
    holder,
    lose_overdue,
    place,
    release,
    renew,
    snooze,
    take,
    transfer,
    wake,
    wake_due,
)
from messaging.handoffs.opening import REASONS, Opened, Reason, open_handoff
from messaging.handoffs.states import OPEN, UNTAKEN
from messaging.handoffs.telling import TOLD, knows_when, note_told

__all__ = [
    "OPEN",
    "REASONS",
    "TOLD",
    "UNTAKEN",
    "AlreadyTaken",
    "HandoffError",
    "IllegalMove",
    "NoSuchHandoff",
    "Opened",
    "Reason",
    "Unread",
    "by_id",
    "call_back",
    "cancel",
    "collected_by_open",
    "give_back",
    "holder",
    "knows_when",
    "last_given_back",
    "last_settled",
    "lose_overdue",
    "note_agent_wrote",
    "note_shoppers_wrote",
    "note_told",
    "open_for",
    "open_handoff",
    "place",
    "position",
    "release",
    "renew",
    "resolve",
    "snooze",
    "take",
    "transfer",
    "waiting",
    "wake",
    "wake_due",
    "with_a_person",
]
