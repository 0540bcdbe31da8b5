"""What was promised to whoever waits, worked out from the handoff's own columns."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from desk import sla
from desk.rules import load_rules
from messaging.calendar import load_calendar
from messaging.models import Handoff
from tendero.environment import PROJECT

POLICIES: Path = PROJECT / "data" / "policies"
RULES = load_rules(POLICIES / "desk.yml")  # orders: 10, 15 and 480 minutes, warned at three quarters
SUPPORT = load_calendar(POLICIES / "support.yml")
ASKED = datetime(2026, 11, 18, 17, 0, tzinfo=timezone.utc)  # 11:00 in Mexico City, a Wednesday; open from 09:00 to 20:00


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def handoff(**columns: Any) -> Handoff:
    return Handoff(**{"queue": "orders", "status": "waiting", "created_at": ASKED, **columns})


def due(**columns: Any) -> tuple[str, datetime, datetime] | None:
    found = sla.of(handoff(**columns), RULES, SUPPORT)
    return (found.level, found.warn_at, found.due_at) if found else None


def test_first_reply_is_due_from_when_a_person_was_asked_for() -> None:
    assert due() == ("first_reply", ASKED + minutes(7.5), ASKED + minutes(10))


@pytest.mark.parametrize("status", ["waiting", "assigned"])
def test_clock_goes_on_when_the_conversation_is_lost(status: str) -> None:
    assert due(status=status, assignee="Marta", assigned_at=ASKED + minutes(5)) == due()


def test_next_reply_is_due_from_the_shoppers_first_unanswered_message() -> None:
    wrote = ASKED + minutes(60)
    found = due(status="assigned", first_reply_at=ASKED + minutes(5), last_reply_at=ASKED + minutes(50), awaiting_since=wrote)
    assert found == ("next_reply", wrote + minutes(11.25), wrote + minutes(15))


def test_once_answered_only_the_resolution_is_due() -> None:
    found = due(status="assigned", first_reply_at=ASKED + minutes(5), last_reply_at=ASKED + minutes(5))
    assert found == ("resolution", ASKED + minutes(360), ASKED + minutes(480))


def test_resolution_is_on_the_business_clock_over_the_night() -> None:
    late = ASKED + timedelta(hours=4)  # 15:00: five of the eight hours are left today
    found = due(status="assigned", created_at=late, first_reply_at=late)
    assert found is not None
    assert found[2] == datetime(2026, 11, 19, 18, 0, tzinfo=timezone.utc)  # 12:00 on the next day


def test_call_back_waits_for_the_opening() -> None:
    night = datetime(2026, 11, 19, 4, 0, tzinfo=timezone.utc)  # 22:00
    opening = datetime(2026, 11, 19, 15, 0, tzinfo=timezone.utc)
    assert due(status="callback", created_at=night, callback_at=opening) == (
        "first_reply",
        opening + minutes(7.5),
        opening + minutes(10),
    )


@pytest.mark.parametrize("status", ["resolved", "given_back", "cancelled"])
def test_nothing_is_due_once_it_is_closed(status: str) -> None:
    assert due(status=status) is None


def test_it_is_breached_from_the_moment_it_is_due() -> None:
    found = sla.of(handoff(), RULES, SUPPORT)
    assert found is not None
    assert [found.is_breached(ASKED + minutes(after)) for after in (9.99, 10)] == [False, True]
    assert found.shown(ASKED) == {
        "level": "first_reply",
        "due_at": "2026-11-18T17:10:00+00:00",
        "warn_at": "2026-11-18T17:07:30+00:00",
        "is_breached": False,
    }
