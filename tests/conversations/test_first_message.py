"""A conversation whose first action fails: the shopper is told at once, and the next message works."""

from __future__ import annotations

import time

import pytest

from tests.conversations.stage import Stage
from tests.conversations.test_turns import ANA, FAULTS, NOT_RIGHT_NOW, Meddler, be_impatient, be_patient, meddler

__all__ = ["meddler"]


@pytest.mark.parametrize("fault", FAULTS)
def test_session_whose_start_fails_is_told_at_once_and_the_next_message_works(stage: Stage, meddler: Meddler, fault: str) -> None:
    sender = stage.begin(ANA)
    meddler.target, meddler.fault = "action_session_start", fault
    if fault == "slow":
        be_impatient(stage)
    failed = stage.say(sender, "¿dónde está mi pedido 10202?")
    assert NOT_RIGHT_NOW["es"] in failed.words
    assert failed.intent == "track_order"
    assert failed.actions == []
    be_patient(stage)
    again = stage.say(sender, "¿dónde está mi pedido 10202?")  # the session has begun: its action is not called again
    assert again.actions == ["track_order_form", "action_track_order"]
    assert "10202" in again.words
    if fault == "slow":
        wait_for_the_late_call(meddler)


def wait_for_the_late_call(meddler: Meddler) -> None:
    """Else it would reach the fresh shop of the next test, in which a turn of the same name has not been given up."""
    until = time.monotonic() + 30
    while not meddler.late:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert meddler.late == [409]


@pytest.mark.parametrize("text", ["", "   "])
def test_message_without_words_is_answered_as_not_understood(stage: Stage, text: str) -> None:
    sender = stage.begin(ANA)
    played = stage.say(sender, text)
    assert played.intent == "nlu_fallback"
    assert played.replies
    assert "action_default_fallback" not in played.actions
