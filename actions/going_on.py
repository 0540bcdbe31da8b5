"""A conversation goes on on another channel, or is joined to it no more: what is said of that on either."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.closing import leave_task
from actions.elsewhere import BEGUN, OTHER, begun_in, offer_going_on
from actions.failing import never_silent
from actions.offers import Next
from actions.tasks import FORMS
from actions.turn import Turn, turn_of
from messaging import channel_links, tasks_at_hand
from messaging.tasks_at_hand import SUSPENDED


class ActionGoOnHere(Action):
    """A code from the web chat came along."""

    def name(self) -> str:
        return "action_go_on_here"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            mark = str(turn.shown.get("link") or "")
            other = channel_links.use_marked(turn.session, mark, turn.sender_id, turn.now)
            if other is None:
                turn.say("utter_link_not_good", minutes=int(channel_links.CODE_LIFETIME.total_seconds() // 60))
                return turn.events
            begun = begun_in(turn, other)
            if begun is None or tracker.active_loop_name:
                turn.say("utter_going_on_here")
            else:
                not_me = Next("action_end_link", turn.label("not_me"))
                offer_going_on(turn, begun, "utter_offer_here", beside=[not_me])
            return turn.events


class ActionGoneOnElsewhere(Action):
    """The task of this conversation goes on in another one: here it ends with a word, unless it was gone on with here."""

    def name(self) -> str:
        return "action_gone_on_elsewhere"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            form = tracker.active_loop_name or (turn.slots.get(SUSPENDED) or {}).get("form")
            if form not in FORMS or tasks_at_hand.of(turn.session, turn.sender_id) is not None:
                return turn.events
            where = turn.label(f"where_{OTHER.get(turn.channel, 'webchat')}")
            turn.say("utter_gone_on_elsewhere", task=turn.label(f"task_{FORMS[form]}"), where=where)
            turn.set(SUSPENDED, None)
            return _left(turn)


class ActionEndLink(Action):
    """These two conversations are not the same person's: said here, or in the other one. What came from there is left."""

    def name(self) -> str:
        return "action_end_link"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            came_from_there = bool(turn.slots.get(BEGUN))
            if channel_links.undo(turn.session, turn.sender_id, turn.now):
                turn.say("utter_link_undone")
            elif came_from_there:
                turn.say("utter_link_undone_there")
            return _left(turn) if came_from_there else turn.events


def _left(turn: Turn) -> list[dict[str, Any]]:
    leave_task(turn)
    return [*turn.events, ActiveLoop(None), SlotSet("requested_slot", None)]
