"""What no shopper would write on purpose is answered too, within a task and outside of one."""

from __future__ import annotations

import pytest

from tests.conversations.stage import Stage

ODD = {
    "nothing": "",
    "blanks": "   ",
    "emoji": "😀🎉🙃",
    "5,000 characters": "where is my order and why " * 192 + "12345678",
    "5,000 letters": "a" * 5000,
    "/restart": "/restart",
    "/back": "/back",
    "/session_start": "/session_start",
    "an intent that there is none of": "/intent_that_is_none",
    "a slash": "/",
}


@pytest.mark.filterwarnings("ignore:Failed to parse arguments")
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("before", [(), ("I want to cancel order 10233",)], ids=["at first", "within a task"])
def test_odd_message_is_answered_and_so_is_the_next_one(stage: Stage, before: tuple[str, ...], text: str) -> None:
    sender = stage.begin({"as": "emma@example.com"})
    for each in before:
        stage.say(sender, each)
    odd = stage.say(sender, text)
    assert odd.words.strip(), odd.actions
    assert "action_default_fallback" not in odd.actions
    after = stage.say(sender, "where is my order 10232?")
    assert "10232" in after.words, after.actions
