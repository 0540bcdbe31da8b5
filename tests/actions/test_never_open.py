"""A shop whose people have no hours: whoever asks for one is answered all the same."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from actions import handoff
from messaging.calendar import Calendar
from tests.messaging.test_handoffs import asked


@pytest.mark.parametrize("times", [1, 2])
def test_whoever_asks_for_a_person_where_it_never_opens_hears_that_it_was_passed_on(
    session: Session, now: datetime, times: int
) -> None:
    never = Calendar("support", ZoneInfo("UTC"), ((),) * 7)
    opened = [asked(session, now, calendar=never) for _ in range(times)][-1]
    said: list[str] = []
    turn: Any = SimpleNamespace(session=session, now=now, say=lambda response, **_values: said.append(response))
    handoff._tell_when(turn, opened)
    assert len(said) == 1
