"""What the assistant cannot read: voice notes, contact cards, filled-in forms. It says so, and what works instead."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import offers
from actions.choices import button
from actions.failing import never_silent
from actions.handoff import pass_on
from actions.menu import show_menu
from actions.turn import Turn, turn_of

HAD_STICKER = "had_sticker"  # slot: one was answered in this conversation


class ActionAnswerUnreadable(Action):
    """Outside a form a person is offered, who can hear and read it; a form puts its question again."""

    def name(self) -> str:
        return "action_answer_unreadable"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            response = f"utter_cannot_read_{turn.intent.removeprefix('share_')}"
            if tracker.active_loop_name:
                turn.say(response)
            elif not pass_on(turn):
                offers.offer(turn, [offers.next_task(turn, "human_agent")], response)
            return turn.events


class ActionAnswerSticker(Action):
    """A friendly word to the first one; after that what is open is put again."""

    def name(self) -> str:
        return "action_answer_sticker"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            if not turn.slots.get(HAD_STICKER):
                turn.set(HAD_STICKER, True)
                turn.say("utter_sticker")
            elif not tracker.active_loop_name:
                _ask_again(turn)
            return turn.events


def _ask_again(turn: Turn) -> None:
    if shown := turn.offered(offers.SLOT):
        turn.say("utter_pick_one", [button(offers.SLOT, option) for option in shown])
    elif not pass_on(turn):
        show_menu(turn, "utter_menu")
