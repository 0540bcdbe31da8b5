"""What the assistant offered to do next, outside a form, and what taking it up means."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actions.choices import Look, Option
from actions.tasks import FORMS, TASKS
from actions.turn import Turn

SLOT = "offer"
NO = "no"
BESIDE = "beside"
MARK_BYTES = 4
LEAVES_CHOICES_OPEN = frozenset({"ask_faq", "ask_promotions"})
ANSWERED_AT_ONCE = LEAVES_CHOICES_OPEN | {"search_product", "human_agent"}  # nothing has to be asked first


@dataclass(frozen=True)
class Next:
    """One thing to do next: a form or an action, with what it should know when it begins.

    instead_of: the task that was refused, where this is the nearest possible thing.
    """

    do: str
    title: str
    carried: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    instead_of: str | None = None
    look: Look | None = None

    def stored(self) -> dict[str, Any]:
        return {"do": self.do, "carried": dict(self.carried), "instead_of": self.instead_of}


def offer(
    turn: Turn,
    nexts: Sequence[Next],
    response: str,
    /,
    decline: bool = False,
    otherwise: Next | None = None,
    beside: Sequence[Next] = (),
    **values: Any,
) -> None:
    """Say the response with a choice for each; `decline` adds "no, thanks"; otherwise: what a "no" leads to; beside: choices
    that a mere "yes" never means.

    No two offers of a conversation have a value in common: a tap on the button of an older one takes up nothing.
    """
    mark = secrets.token_hex(MARK_BYTES)
    named = {f"{number}.{mark}": each for number, each in enumerate(nexts, start=1)}
    options = [Option(value, each.title, each.also, each.look) for value, each in named.items()]
    if decline:
        options.append(Option(f"{NO}.{mark}", turn.label("no")))
    more = {f"{BESIDE}{number}.{mark}": each for number, each in enumerate(beside, start=1)}
    options += [Option(value, each.title) for value, each in more.items()]
    if otherwise is not None:
        more[f"{NO}.{mark}"] = otherwise
    turn.set("rated_matter", None)  # from here on a number picks one of these
    turn.offer(SLOT, options, response, **values)
    turn.set("offers", {value: each.stored() for value, each in {**named, **more}.items()})


def is_no(value: str | None) -> bool:
    """Whether this value declines the offer."""
    return value is not None and value.partition(".")[0] == NO


def is_yes(value: str) -> bool:
    """Whether a "yes" may mean this value."""
    return not is_no(value) and not value.startswith(BESIDE)


def is_open(turn: Turn, value: str | None) -> bool:
    """Whether a button of this value belongs to the newest offer; an older one's is not open any more."""
    marks = {each.partition(".")[2] for each in turn.slots.get("offers") or {}}
    return value is not None and value.partition(".")[2] in marks


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


def go_on_with_second(turn: Turn, beside: bool = False) -> bool:
    """Answer the second request of a message that held two, or offer it where it is a task. Whether that is done now.

    beside: a choice is open, or a form: only what leaves them open is answered beside them, the rest when they are through.
    """
    waiting: dict[str, Any] | None = turn.slots.get("queued_request")
    own = turn.second_request()
    if own and waiting and own["text"] == waiting["text"]:
        own = None
    now = LEAVES_CHOICES_OPEN if beside else ANSWERED_AT_ONCE
    queued = next((each for each in (own, waiting) if each and each["intent"] in now), waiting or own)
    if not queued or queued["intent"] not in TASKS:
        return False
    if beside and queued["intent"] not in now:
        turn.set("queued_request", queued)
        return False
    if queued is waiting:
        turn.set("queued_request", None)
    carried = {"text": queued["text"], "entities": queued["entities"]}
    if queued["intent"] in ANSWERED_AT_ONCE:
        if queued["text"] not in str(turn.tracker.latest_message.get("text") or ""):
            turn.say("utter_second", request=_as_said(queued))
        turn.set("carried", carried)
        turn.follow(TASKS[queued["intent"]])
    else:
        second = Next(TASKS[queued["intent"]], turn.label("yes"), carried)
        offer(turn, [second], "utter_offer_second", True, task=_named(turn, queued))
    return True


def answer_second(turn: Turn) -> None:
    """Only if it is a mere question: whoever is called will see to the rest."""
    second = turn.second_request()
    if second is not None and second["intent"] in LEAVES_CHOICES_OPEN:
        go_on_with_second(turn, beside=True)


def _named(turn: Turn, queued: Mapping[str, Any]) -> str:
    """A question by its own words: "a question" would say nothing."""
    return _with_order(turn, queued) if TASKS[queued["intent"]] in FORMS else _as_said(queued)


def _as_said(queued: Mapping[str, Any]) -> str:
    return str(queued["text"]).strip(" .?!¿¡")


def _with_order(turn: Turn, queued: Mapping[str, Any]) -> str:
    """ "Return something (order 10206)"."""
    task = turn.label(f"task_{queued['intent']}")
    number = next((entity["value"] for entity in queued["entities"] if entity["entity"] == "order_number"), None)
    if number is None and queued.get("about"):
        return turn.label("task_about").format(task=task, about=queued["about"])
    return turn.label("task_with_order").format(task=task, order_number=number) if number else task
