"""What the conversation tests of this folder reach of the dialogue, all together. Its name makes it the folder's last file."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.conversations.coverage import parts, report
from tests.conversations.runner import stories
from tests.conversations.stage import Stage

REPORT = Path("var/reports/dialogue-coverage.md")
# What no conversation test reaches, by name, with the reason.
NOT_REACHED = Path(__file__).with_name("not_reached.yml")


def test_every_part_of_the_dialogue_is_reached(stage: Stage, request: pytest.FixtureRequest) -> None:
    """Only a run of all stories can say what none of them reaches."""
    played = (item.callspec.params.get("story") for item in request.session.items if hasattr(item, "callspec"))
    chosen = {story.id for story in played if story is not None}
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
