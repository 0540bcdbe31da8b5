"""Every conversation test in this folder's YAML, turn by turn, against the real model and action server."""

from __future__ import annotations

import pytest

from tests.conversations.runner import Played, Story, faults, stories
from tests.conversations.stage import Stage


def asks(played: Played) -> bool:
    """Whether a form waits for an answer after this turn."""
    return bool(played.actions) and played.actions[-1].endswith("_form")


@pytest.mark.parametrize("story", list(stories()), ids=lambda story: story.id)
def test_story(story: Story, stage: Stage) -> None:
    played = stage.play(story)
    report = [
        f"turn {number} «{turn.text}»: {fault}\n    said: {now.words}"
        for number, (turn, now) in enumerate(zip(story.turns, played, strict=True), start=1)
        for fault in faults(turn, now, is_answer=number > 1 and asks(played[number - 2]))
    ]
    assert not report, "\n" + "\n".join(report)
