"""The question how it was, 1 to 5: after a task, and after a person of ours has settled a matter."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.failing import never_silent
from actions.turn import Turn, turn_of
from messaging import handoffs, satisfaction
from messaging.channel_abilities import SHOWS_STARS
from messaging.satisfaction import SCORES


def ask_rating(turn: Turn, matter: str, response: str = "utter_ask_rating") -> None:
    """Unless this matter, or another one of late, was asked about: then nothing is said."""
    if not satisfaction.ask(turn.session, turn.sender_id, matter, turn.now):
        return
    turn.set("rated_matter", matter)
    if turn.channel in SHOWS_STARS:
        turn.say(response, json_message={"rating_request": {"most": max(SCORES)}})
    else:
        turn.say(response, [{"title": str(score), "payload": f'/inform{{"rating": "{score}"}}'} for score in SCORES])


class ActionAskRating(Action):
    """A person of ours has settled a matter, and the assistant goes on. Whoever is at something by then is not asked."""

    def name(self) -> str:
        return "action_ask_rating"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            settled = handoffs.last_settled(turn.session, turn.sender_id)
            is_at_something = tracker.active_loop_name or turn.slots.get("offers")
            if settled is not None and settled.first_reply_at is not None and not is_at_something:
                ask_rating(turn, f"handoff:{settled.id}", "utter_ask_rating_person")
            return turn.events
