"""Every conversation test in this folder's YAML, turn by turn, against the real model and action server."""

from __future__ import annotations

import pytest

from tests.conversations.runner import Story, faults, stories
from tests.conversations.stage import Stage


@pytest.mark.parametrize("story", list(stories()), ids=lambda story: story.id)
def test_story(story: Story, stage: Stage) -> None:
    played = stage.play(story)
    report = [
        f"turn {number} «{turn.text}»: {fault}\n    said: {now.words}"
        for number, (turn, now) in enumerate(zip(story.turns, played, strict=True), start=1)
        for fault in faults(turn, now)
    ]
    assert not report, "\n" + "\n".join(report)
