"""What must not be kept, and what a stranger must not learn or change: looked up in the database, not only in the answers."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from rasa.core import processor
from rasa.core.policies import rule_policy
from rasa.utils.log_utils import configure_structlog

from tests.conversations.stage import Stage

CARD = "4111111111111111"
WRITTEN = ("4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "my visa is 4111.1111.1111.1111 12/29 123")
# Talk, not the shop.
CHANGES_ANYWAY = {"events", "conversation", "channel_identity", "code_request", "outgoing_mail", "sqlite_sequence"} | {
    "inbound_message",
    "outbound_message",
    "action_call",
    "tracker_state",
    "task_at_hand",
    "timer",
}


def dump(stage: Stage) -> str:
    """Everything in the database as text."""
    connection = sqlite3.connect(stage.home / "tendero.db")
    text = "\n".join(connection.iterdump())
    connection.close()
    return text


def shop(stage: Stage) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table that holds the shop's own things."""
    connection = sqlite3.connect(stage.home / "tendero.db")
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names if name not in CHANGES_ANYWAY}
    connection.close()
    return rows


def digits_only(text: str) -> str:
    return re.sub(r"(?<=\d)[ .-](?=\d)", "", text)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that Rasa would log at its most talkative."""
    _set_level(logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        yield caplog
    _set_level(logging.ERROR)


def _set_level(level: int) -> None:
    configure_structlog(level)
    for logger in (processor.structlogger, rule_policy.structlogger):
        logger.__dict__.pop("bind", None)  # a logger keeps the level of its first use


@pytest.mark.parametrize("written", WRITTEN)
def test_card_number_is_kept_nowhere(stage: Stage, logged: pytest.LogCaptureFixture, written: str) -> None:
    sender = stage.begin({"as": "ana@example.com"})
    stage.say(sender, "quiero devolver la camisa azul del 10201")
    played = stage.say(sender, f"te paso mi tarjeta {written}")
    stage.say(sender, "quiero hablar con una persona")
    assert "¿Cuál es el motivo?" in played.words  # the form goes on
    assert "share_secret" in logged.text  # the logs do tell of this message
    for place in (dump(stage), logged.text, (stage.home / "actions.log").read_text()):
        assert CARD not in digits_only(place)


def test_password_is_kept_nowhere(stage: Stage, logged: pytest.LogCaptureFixture) -> None:
    sender = stage.begin({})
    stage.say(sender, "hi")
    played = stage.say(sender, "my password is Tr0ub4dor&3 and I can't get in")
    assert "passwords" in played.words
    for place in (dump(stage), logged.text, (stage.home / "actions.log").read_text()):
        assert "Tr0ub4dor" not in place


STRANGERS_REQUESTS = (
    "where is my order 10232",
    "cancel order 10233 because I don't need it anymore",
    "I want to return the blue shirt from order 10231, it's too small",
    "change the address of 10233",
    "send me the invoice of 10231",
    "yes",
)


@pytest.mark.parametrize("known", ["nobody", "asserted", "proven"])
def test_stranger_learns_nothing_and_changes_nothing(stage: Stage, known: str) -> None:
    sender = stage.begin({"as": "ana@example.com"} if known == "asserted" else {})
    if known == "proven":
        for text in ("how many points do I have", "ana@example.com", "{code}"):
            stage.say(sender, text)
    before = shop(stage)
    said = "\n".join(stage.say(sender, text).words for text in STRANGERS_REQUESTS)
    for secret in ("Emma", "Oxford Shirt (blue, M), by", "Example Street", "Austin", "Dallas", "$44", "$60", "Sample Parcel"):
        assert secret not in said, secret
    assert shop(stage) == before


def test_strangers_order_is_answered_as_one_that_does_not_exist(stage: Stage) -> None:
    answers = []
    for number in ("10232", "19999"):
        sender = stage.begin({"as": "ana@example.com"})
        answers.append(stage.say(sender, f"where is my order {number}").words.replace(number, "N"))
    assert answers[0] == answers[1]


def test_known_and_unknown_address_are_answered_alike(stage: Stage) -> None:
    answers = []
    for address in ("emma@example.com", "erna@example.com"):
        sender = stage.begin({})
        said = [stage.say(sender, text) for text in ("where is my order 10232", address, "111111", "what?", "222222")]
        answers.append([(played.actions, played.words) for played in said])
    assert answers[0] == answers[1]


def test_code_is_worth_nothing_after_ten_minutes(stage: Stage) -> None:
    start = datetime.now(timezone.utc)
    sender = stage.begin({"at": start.isoformat()})
    stage.say(sender, "where is my order 10232")
    stage.say(sender, "emma@example.com")
    stage.clock.write_text((start + timedelta(minutes=11)).isoformat())
    played = stage.say(sender, "{code}")
    assert "has run out" in played.words
    assert "which e-mail or phone" in played.words
    assert "10232" not in played.words


def test_code_works_until_then(stage: Stage) -> None:
    start = datetime.now(timezone.utc)
    sender = stage.begin({"at": start.isoformat()})
    stage.say(sender, "where is my order 10232")
    stage.say(sender, "emma@example.com")
    stage.clock.write_text((start + timedelta(minutes=9)).isoformat())
    assert "10232" in stage.say(sender, "{code}").words


def test_proof_ends_after_half_a_day(stage: Stage) -> None:
    start = datetime.now(timezone.utc)
    sender = stage.begin({"at": start.isoformat()})
    for text in ("where is my order 10232", "emma@example.com", "{code}"):
        stage.say(sender, text)
    stage.clock.write_text((start + timedelta(hours=13)).isoformat())
    assert "which e-mail or phone" in stage.say(sender, "where is my order 10231").words


def test_abandoned_task_is_never_rated(stage: Stage) -> None:
    sender = stage.begin({"as": "emma@example.com"})
    for text in ("I want to cancel 10233", "found it cheaper", "no", "I want to cancel 10233", "never mind"):
        stage.say(sender, text)
    with sqlite3.connect(stage.home / "tendero.db") as connection:
        assert connection.execute("SELECT count(*) FROM satisfaction_rating").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize(("reply", "score"), [("4", 4), ("a five", 5), ("not good", 2), ("three", 3)])
def test_rating_is_kept_with_its_score(stage: Stage, reply: str, score: int) -> None:
    sender = stage.begin({"as": "emma@example.com"})
    for text in ("cancel order 10233, I found it cheaper", "yes", reply):
        stage.say(sender, text)
    with sqlite3.connect(stage.home / "tendero.db") as connection:
        assert connection.execute("SELECT score FROM satisfaction_rating").fetchall() == [(score,)]
    connection.close()
