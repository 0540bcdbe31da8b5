"""Every conversation test in this folder's YAML, turn by turn, against the real model and action server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversations.coverage import parts, report
from tests.conversations.runner import Story, faults, stories
from tests.conversations.stage import Stage

REPORT = Path("var/reports/dialogue-coverage.md")
# Rules for facts that the demo shop cannot have at once, or that only hypothetical questions reach.
ALLOWED_MISSING = {"policy rules": 45}


@pytest.mark.parametrize("story", list(stories()), ids=lambda story: story.id)
def test_story(story: Story, stage: Stage) -> None:
    played = stage.play(story)
    report = [
        f"turn {number} «{turn.text}»: {fault}\n    said: {now.words}"
        for number, (turn, now) in enumerate(zip(story.turns, played, strict=True), start=1)
        for fault in faults(turn, now)
    ]
    assert not report, "\n" + "\n".join(report)


def test_every_part_of_the_dialogue_is_reached(stage: Stage, request: pytest.FixtureRequest) -> None:
    """Runs last; only a run of all stories can say what none of them reaches."""
    chosen = {item.callspec.id for item in request.session.items if getattr(item, "callspec", None)}
    if not {story.id for story in stories()} <= chosen:
        pytest.skip("only some of the stories were chosen")
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(report(stage.seen), encoding="utf-8")
    for part in parts(stage.seen):
        most_missing = ALLOWED_MISSING.get(part.name, 0)
        assert len(part.missing) <= most_missing, f"{part}; not reached: {', '.join(part.missing)} (see {REPORT})"
