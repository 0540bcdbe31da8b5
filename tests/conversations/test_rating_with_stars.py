"""In the web chat a rating is picked with stars; elsewhere it is one of five buttons."""

from __future__ import annotations

import pytest

from tests.conversations.stage import Stage

STARS = {"rating_request": {"most": 5}}


@pytest.mark.parametrize(("channel", "stars", "buttons"), [("webchat", STARS, []), ("test", None, ["1", "2", "3", "4", "5"])])
def test_rating_is_asked_as_the_channel_can_show_it_and_taken_as_a_number(
    stage: Stage, channel: str, stars: dict[str, object] | None, buttons: list[str]
) -> None:
    sender = stage.begin({"as": "emma@example.com", "channel": channel})
    stage.say(sender, "cancel 10233, found it cheaper")
    asked = stage.say(sender, "go ahead").replies[-1]
    assert "from 1 (bad) to 5" in asked["text"]
    assert (asked.get("custom") or None) == stars
    assert [each["title"] for each in asked.get("buttons") or []] == buttons
    assert "Thank you! That helps" in stage.say(sender, "5").words
