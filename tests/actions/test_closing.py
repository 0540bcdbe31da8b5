"""A refusal always has words: the task's own, the reason's, and where a shop's own policy brings a new reason, a way on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from actions.closing import say_reason
from commerce.proposals import Refusal


@pytest.mark.parametrize(
    ("task", "reason", "response"),
    [
        ("cancel_order", "already_delivered", "utter_refused_cancel_order_already_delivered"),
        ("redeem_points", "no_account", "utter_refused_no_account"),
        ("redeem_points", "full_moon", "utter_refused"),
    ],
)
def test_the_most_telling_words_that_there_are_are_said(task: str, reason: str, response: str) -> None:
    said: list[str] = []
    turn: Any = SimpleNamespace(slots={}, dispatcher=SimpleNamespace(utter_message=lambda response, **_: said.append(response)))
    say_reason(turn, task, Refusal(rule=reason, reason=reason))
    assert said == [response]
