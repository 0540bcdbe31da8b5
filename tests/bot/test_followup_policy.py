"""Who goes on after an action that another action has called."""

from __future__ import annotations

from rasa.shared.core.events import ActionExecuted, BotUttered, Event, FollowupAction, SlotSet, UserUttered

from bot.policies.followup_policy import called_action

LISTEN = ActionExecuted("action_listen")


def test_called_action_is_found() -> None:
    events: list[Event] = [
        LISTEN,
        UserUttered("yes"),
        ActionExecuted("action_follow_offer"),
        SlotSet("offers", None),
        FollowupAction("action_handoff"),
        ActionExecuted("action_handoff"),
        BotUttered("..."),
    ]
    assert called_action(events) == "action_handoff"


def test_action_that_a_rule_chose_was_not_called() -> None:
    assert called_action([LISTEN, UserUttered("a person"), ActionExecuted("action_handoff")]) is None


def test_call_of_another_action_is_not_this_ones() -> None:
    events: list[Event] = [FollowupAction("return_request_form"), ActionExecuted("action_handoff")]
    assert called_action(events) is None


def test_call_of_an_earlier_turn_is_over() -> None:
    events: list[Event] = [FollowupAction("action_menu"), ActionExecuted("action_menu"), LISTEN]
    assert called_action(events) is None
    assert called_action([*events, UserUttered("hi"), ActionExecuted("utter_greet")]) is None
