"""Every conversation test in this folder's YAML, turn by turn, against the real model and action server."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.conversations.coverage import parts, report
from tests.conversations.runner import Story, faults, stories
from tests.conversations.stage import Stage

REPORT = Path("var/reports/dialogue-coverage.md")
# What no conversation can reach, by name, with the reason.
NOT_REACHED = Path(__file__).with_name("not_reached.yml")


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
    files = {item.path.name for item in request.session.items}
    others = {file.name for file in Path(__file__).parent.glob("test_*.py")}
    if not {story.id for story in stories()} <= chosen or not others <= files:
        pytest.skip("only some of the conversation tests were chosen")
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(report(stage.seen), encoding="utf-8")
    known = YAML(typ="safe").load(NOT_REACHED)
    for part in parts(stage.seen):
        missing, listed = set(part.missing), set(known.get(part.name) or [])
        assert missing <= listed, f"{part}; no story reaches any more: {', '.join(sorted(missing - listed))} (see {REPORT})"
        assert listed <= missing, f"{part}; reached after all: {', '.join(sorted(listed - missing))} (see {NOT_REACHED})"
