"""What a return or a claim leaves behind beyond its words: the mail with the label, and the record for a person."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from database import transaction
from messaging.models import Handoff
from tests.conversations.runner import Story, stories
from tests.conversations.stage import Stage


def _story(name: str) -> Story:
    return next(story for story in stories() if story.name == name and story.file.stem == "test_returns_en")


def _mails(stage: Stage) -> list[EmailMessage]:
    files = sorted((stage.home / "outbox").glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


@pytest.mark.parametrize(
    "name",
    [
        "A shopper who says everything in one sentence is asked nothing of it again and sees exactly what will happen",
        "An item is swapped for a size said at once",
    ],
)
def test_label_is_mailed_once_as_a_pdf(stage: Stage, name: str) -> None:
    stage.play(_story(name))
    (mail,) = _mails(stage)
    (label,) = mail.iter_attachments()
    assert mail["to"].addresses[0].addr_spec == "emma@example.com"
    assert "RMA-" in mail["subject"]
    assert label.get_content_type() == "application/pdf"
    assert label.get_content().startswith(b"%PDF")


def test_no_label_is_mailed_where_the_shopper_says_no(stage: Stage) -> None:
    stage.play(_story('A "no" to the summary does nothing'))
    assert _mails(stage) == []


def test_claim_above_the_limit_is_handed_over_with_its_verdict(stage: Stage) -> None:
    stage.play(_story("Above the limit a person decides, with the case opened"))
    with transaction() as session:
        (handoff,) = session.execute(select(Handoff)).scalars().all()
        assert (handoff.reason, handoff.goal) == ("policy", "report_problem")
        assert handoff.verdict["rule"] == "above_limit"
        assert handoff.collected["order_number"] == "10277"
