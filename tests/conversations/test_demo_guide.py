"""Every line that `tendero demo` prints does what it says, in each language: nobody's first try may fail."""

from __future__ import annotations

import pytest

from commerce.demo import guide as demo
from tests.conversations.stage import Stage

# What each line leads to: the guides of all languages show the same, line by line.
LEADS_TO = (
    "action_search_product",
    "action_search_product",
    "action_answer_faq",
    "track_order_form",
    "track_order_form",
    "cancel_order_form",
    "cancel_order_form",
    "change_order_form",
    "return_request_form",
    "exchange_request_form",
    "return_request_form",
    "return_request_form",
    "refund_status_form",
    "check_points_form",
    "dispute_points_form",
    "redeem_points_form",
    "track_order_form",
    "problem_report_form",
    "problem_report_form",
    "track_order_form",
    "payment_issue_form",
    "action_handoff",
)
LINES = [(language, number) for language in demo.languages() for number in range(len(LEADS_TO))]


@pytest.mark.parametrize("language", demo.languages())
def test_every_line_is_played(language: str) -> None:
    assert len(demo.guide(language).tries) == len(LEADS_TO)


@pytest.mark.parametrize(("language", "number"), LINES, ids=[f"{language}-{number + 1}" for language, number in LINES])
def test_line_does_what_it_says(language: str, number: int, stage: Stage) -> None:
    line = demo.guide(language).tries[number]
    sender = stage.begin({"as": line.persona.email} if line.persona is not None else {})
    played = stage.say(sender, line.say)
    assert LEADS_TO[number] in played.actions, f"{line.say}: {played.actions}\n{played.words}"
    assert not {"action_misunderstood", "action_default_fallback"} & set(played.actions), line.say
    assert played.words.strip(), line.say
