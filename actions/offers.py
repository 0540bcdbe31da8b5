"""What the assistant offered to do next, outside a form, and what taking it up means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actions.choices import Option
from actions.tasks import FORMS, TASKS
from actions.turn import Turn

SLOT = "offer"
NO = "no"


@dataclass(frozen=True)
class Next:
    """One thing to do next: a form or an action, with what it should know when it begins."""

    do: str
    title: str
    carried: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    def stored(self) -> dict[str, Any]:
        return {"do": self.do, "carried": dict(self.carried)}


def offer(turn: Turn, nexts: Sequence[Next], response: str, /, decline: bool = False, **values: Any) -> None:
    """Say the response with a choice for each; `decline` adds "no, thanks"."""
    options = [Option(str(number), each.title, each.also) for number, each in enumerate(nexts, start=1)]
    if decline:
        options.append(Option(NO, turn.label("no")))
    turn.set("rated_matter", None)  # from here on a number picks one of these
    turn.offer(SLOT, options, response, **values)
    turn.set("offers", {str(number): each.stored() for number, each in enumerate(nexts, start=1)})


def next_task(turn: Turn, task: str, **slots: Any) -> Next:
    """The task as something to offer, its slots filled with what is known."""
    return Next(TASKS[task], turn.label(f"task_{task}"), {"slots": slots})


def offer_suspended(turn: Turn) -> bool:
    """Offer to go on with what was interrupted by another task. Whether there was such a thing."""
    suspended = turn.slots.get("suspended_task")
    if not suspended:
        return False
    turn.set("suspended_task", suspended.get("before"))
    name = turn.label(f"task_{FORMS[suspended['form']]}")
    offer(
        turn, [Next(suspended["form"], turn.label("yes"), {"slots": suspended["slots"]})], "utter_offer_resume", True, task=name
    )
    return True


def offer_queued(turn: Turn) -> bool:
    """Offer the second request of a message that held two. Whether there was one."""
    queued = turn.slots.get("queued_request") or turn.second_request()
    if not queued or queued["intent"] not in TASKS:
        return False
    turn.set("queued_request", None)
    carried = {"text": queued["text"], "entities": queued["entities"]}
    # A question is named by its own words: "a question" would say nothing.
    is_task = TASKS[queued["intent"]] in FORMS
    name = turn.label(f"task_{queued['intent']}") if is_task else queued["text"].strip(" .?!¿¡")
    offer(turn, [Next(TASKS[queued["intent"]], turn.label("yes"), carried)], "utter_offer_second", True, task=name)
    return True
