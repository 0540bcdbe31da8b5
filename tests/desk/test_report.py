"""What the report says of a desk of which everything is known."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import Base, engine_for, transaction
from desk.report import shown
from desk.routing import place_new
from messaging import agent_messages, handoffs, satisfaction
from messaging.models import Handoff, HandoffEvent
from tendero.cli import cli
from tests.desk.people import NIGHT, NOW, OPENING, agent, asks, minutes, takes

LATER = NOW + timedelta(days=1)


def helped(
    session: Session, sender: str, wait: float, reply: float, handle: float, now: datetime = NOW, **changes: object
) -> int:
    """A matter that was opened, taken, answered and settled after so many minutes each."""
    handoff = asks(session, sender, now, **changes)
    place_new(session, now)
    taken = now + minutes(wait)
    takes(session, handoff, "Ana", taken)
    agent_messages.say(session, handoff, "Ana", "1", {"text": "Hola, ¿en qué te ayudo?"}, now + minutes(reply))
    handoffs.resolve(session, handoff, taken + minutes(handle), by="Ana", reason="answered", topic="order")
    return handoff


def test_empty_desk_has_an_empty_report(session: Session) -> None:
    found = shown(session, 30, NOW)
    assert (found["count"], found["by_reason"], found["outcomes"]) == (0, [], {})
    assert found["wait_minutes"] == {"count": 0, "median": None, "p90": None}
    assert found["rating"] == {"asked": 0, "answered": 0, "mean": None, "good": None}


def test_waits_replies_and_handle_times_have_their_median_and_ninth_tenth(session: Session) -> None:
    for number in range(1, 11):
        helped(session, f"s{number}", wait=number, reply=number + 2, handle=10 * number)
    found = shown(session, 30, LATER)
    assert found["wait_minutes"] == {"count": 10, "median": 5.5, "p90": 9.0}
    assert found["first_reply_minutes"] == {"count": 10, "median": 7.5, "p90": 11.0}
    assert found["handle_minutes"] == {"count": 10, "median": 55.0, "p90": 90.0}


def test_minutes_are_of_opening_hours(session: Session) -> None:
    handoff = asks(session, now=NIGHT)
    place_new(session, NIGHT)
    handoffs.call_back(session, handoff, OPENING)
    takes(session, handoff, "Ana", OPENING + minutes(4))
    assert shown(session, 30, LATER)["wait_minutes"] == {"count": 1, "median": 4.0, "p90": 4.0}


def test_only_the_time_in_peoples_hands_is_handle_time(session: Session) -> None:
    handoff = asks(session)
    place_new(session, NOW)
    takes(session, handoff, "Ana", NOW + minutes(1))
    handoffs.release(session, handoff, "Ana", NOW + minutes(6))
    takes(session, handoff, "Bea", NOW + minutes(30))
    handoffs.transfer(session, handoff, NOW + minutes(32), by="Bea", agent="Caro")
    handoffs.give_back(session, handoff, NOW + minutes(40))
    assert shown(session, 30, LATER)["handle_minutes"] == {"count": 1, "median": 15.0, "p90": 15.0}


def test_reasons_goals_topics_queues_and_outcomes_are_counted(session: Session) -> None:
    helped(session, "s1", 1, 2, 3)
    helped(session, "s2", 1, 2, 3, goal="request_return", reason="policy")
    waiting = asks(session, "s3")
    place_new(session, NOW)
    left = asks(session, "s4", goal=None)
    place_new(session, NOW)
    handoffs.cancel(session, left, NOW + minutes(1))
    found = shown(session, 30, LATER, "es")
    assert [(row["name"], row["count"]) for row in found["by_reason"]] == [("asked", 3), ("policy", 1)]
    assert [(row["name"], row["count"]) for row in found["by_goal"]] == [("track_order", 2), (None, 1), ("request_return", 1)]
    assert found["by_topic"] == [{"name": "order", "title": "Pedido", "count": 2}]
    assert [(row["title"], row["count"]) for row in found["by_queue"]] == [("Pedidos", 2), ("General", 1), ("Devoluciones", 1)]
    assert found["outcomes"] == {"resolved": 2, "waiting": 1, "cancelled": 1}
    assert handoffs.by_id(session, waiting).status == "waiting"


def test_what_was_opened_earlier_is_in_no_report(session: Session) -> None:
    helped(session, "s1", 1, 2, 3, NOW - timedelta(days=8))
    helped(session, "s2", 1, 2, 3)
    assert [shown(session, days, LATER)["count"] for days in (7, 30)] == [1, 2]


def test_asking_for_what_was_in_the_packet_counts_once_a_conversation(session: Session) -> None:
    asked = asks(session, "s1", collected={"order_number": "10201"})
    fair = asks(session, "s2")
    silent = asks(session, "s3", collected={"order_number": "10201"})
    for handoff in (asked, fair, silent):
        takes(session, handoff, "Ana")
    for handoff, texts in ((asked, ("¿Tu número de pedido?", "¿Qué pedido es?")), (fair, ("¿Tu número de pedido?",))):
        for number, text in enumerate(texts):
            agent_messages.say(session, handoff, "Ana", str(number), {"text": text}, NOW + minutes(number))
    found = shown(session, 30, LATER)["asked_again"]
    assert found == {"is_estimate": True, "conversations": 1, "of": 2, "facts": {"order_number": 2}}


def test_settled_is_quiet_where_nobody_asks_again_within_a_week(session: Session) -> None:
    helped(session, "quiet", 1, 2, 3)
    helped(session, "again", 1, 2, 3)
    asks(session, "again", NOW + timedelta(days=6))
    helped(session, "late", 1, 2, 3)
    asks(session, "late", NOW + timedelta(days=8))
    helped(session, "here", 1, 2, 3, customer_id=7)
    asks(session, "there", NOW + timedelta(days=2), customer_id=7)  # the same customer on another channel
    helped(session, "new", 1, 2, 3, NOW + timedelta(days=9))
    assert shown(session, 30, NOW + timedelta(days=10))["quiet"] == {"of": 4, "quiet": 2}


def test_breaches_and_losses_are_counted(session: Session) -> None:
    handoff = asks(session)
    takes(session, handoff, "Ana")
    handoffs.lose_overdue(session, NOW + minutes(5))
    for level in ("first_reply", "resolution"):
        about = {"handoff_id": handoff, "sender_id": "s1", "by": "", "at": NOW + minutes(9)}
        session.add(HandoffEvent(kind="breached", details={"level": level}, **about))
    found = shown(session, 30, LATER)
    assert (found["lost"], found["breached"]) == (1, {"first_reply": 1, "resolution": 1})


def test_rating_is_that_of_these_conversations(session: Session) -> None:
    for number, score in enumerate((5, 4, 1, None)):
        handoff = helped(session, f"s{number}", 1, 2, 3)
        satisfaction.ask(session, f"s{number}", f"handoff:{handoff}", NOW)
        if score is not None:
            satisfaction.answer(session, f"s{number}", score, "", NOW)
    satisfaction.ask(session, "other", "return:RMA-1", NOW)
    assert shown(session, 30, LATER)["rating"] == {"asked": 4, "answered": 3, "mean": 3.33, "good": 0.67}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database that the command line looks into, with one matter that was settled an hour ago."""
    url = f"sqlite:///{tmp_path / 'tendero.db'}"
    Base.metadata.create_all(engine_for(url))
    monkeypatch.setenv("TENDERO_DATABASE_URL", url)
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    with transaction(url) as session:
        helped(session, "s1", 4, 6, 8)
        by = datetime.now(NOW.tzinfo) - NOW
        for handoff in session.execute(select(Handoff)).scalars():
            handoff.created_at += by
            handoff.closed_at += by
    return url


def test_command_prints_a_short_table(shop: str) -> None:
    result = CliRunner().invoke(cli, ["desk", "report"])
    assert result.exit_code == 0, result.output
    for line in (
        "last 30 days: 1",
        "Orders",
        "resolved",
        "median",
        "Settled, and quiet for 7 days: 0 of 0",
        "Promises broken: none",
    ):
        assert line in result.output
    assert max(map(len, result.output.splitlines())) <= 100


def test_command_says_since_when_it_is_complete_and_what_nobody_works_in(shop: str) -> None:
    with transaction(shop) as session:
        agent(session, "Ana", queues=["orders", "general"])
    output = CliRunner().invoke(cli, ["desk", "report", "--days", "400"]).output
    assert "! Complete since 20" in output
    assert "! Nobody works in the queue Returns in en, es, nb, pt" in output
    assert "Complete since" not in CliRunner().invoke(cli, ["desk", "report"]).output


def test_command_prints_json(shop: str) -> None:
    result = CliRunner().invoke(cli, ["desk", "report", "--days", "1", "--json"])
    assert json.loads(result.output)["count"] == 1


def test_command_refuses_what_is_no_number_of_days(shop: str) -> None:
    result = CliRunner().invoke(cli, ["desk", "report", "--days", "soon"])
    assert result.exit_code == 2
    assert "give a number of days" in result.output
