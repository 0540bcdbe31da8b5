"""Rasa's own fallback: no message leads to it, since each intent has a rule; a program that sends other intents may."""

from __future__ import annotations

from tests.conversations.stage import Stage

SORRY = "Something went wrong on my side just now, sorry: nothing was changed."


def test_where_no_rule_goes_on_it_is_said_once_and_the_next_message_is_answered(stage: Stage) -> None:
    sender = stage.begin({"as": "emma@example.com", "at": "open"})
    stage.say(sender, "I want to cancel order 10233")
    lost = stage.trigger(sender, "an_intent_without_a_rule")
    assert lost.actions == ["action_default_fallback"]
    assert lost.words.count(SORRY) == 1
    assert "5 minutes" in lost.words
    after = stage.say(sender, "where is my order 10232?")
    assert after.actions == ["track_order_form", "action_track_order"]
    assert "Cancel an order" not in after.words  # the task was left
