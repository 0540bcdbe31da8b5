"""What is to be done about each of Meta's error codes. Their titles, subcodes and HTTP states are not reliable; the codes are.

Source: Meta's page "Error codes" of the Cloud API; which of them are worth another try is our reading of its words.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto


class Action(Enum):
    retry = auto()  # this message, later
    retry_once = auto()
    wait = auto()  # all messages, a moment: we are too fast, or Meta is busy
    slow_down = auto()  # all messages, minutes: people complain about us
    this_person = auto()  # later, and only messages to this person
    template = auto()  # only as a template: the person has not written for 24 hours
    next_day = auto()  # this person has had enough advertising for today
    opted_out = auto()  # this person wants no advertising
    unreachable = auto()  # nothing arrives there
    other_form = auto()  # Meta cannot use the file: its address as text can still go
    stop = auto()  # the account: nothing can be sent until somebody does something
    never = auto()  # the request is wrong


def _each(codes: Iterable[int], action: Action) -> dict[int, Action]:
    return dict.fromkeys(codes, action)


ACTIONS: dict[int, Action] = {
    **_each((131000,), Action.retry),  # something went wrong
    **_each((1,), Action.retry_once),  # perhaps the request, perhaps Meta
    **_each((2, 4, 80007, 130429, 131016, 131057, 133004), Action.wait),
    **_each((131048, 131064), Action.slow_down),
    **_each((131056,), Action.this_person),  # too many messages to one person
    **_each((131047,), Action.template),
    **_each((131049,), Action.next_day),
    **_each((131050,), Action.opted_out),
    **_each((131021, 131026, 131030, 131036, 131062, 130472, 130497, 137000), Action.unreachable),
    **_each((131052, 131053), Action.other_form),
    **_each((0, 3, 10, 33, 190, 368, 131005, 131031, 131037, 131042, 131045, 133010), Action.stop),
    **_each((100, 131008, 131009, 131051, 131063), Action.never),
    **_each((132000, 132001, 132005, 132007, 132012, 132015, 132016, 132018, 132068, 132069), Action.never),  # of templates
}
PERMISSIONS = range(200, 300)  # all of them say that the token may not


def action_of(code: int | None) -> Action:
    """An unknown code is tried again: the message is given up after a day, and not lost to a number that is new."""
    if code is not None and code in PERMISSIONS:
        return Action.stop
    return ACTIONS.get(code if code is not None else -1, Action.retry)
