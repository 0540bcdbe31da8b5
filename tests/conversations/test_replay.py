"""`tendero replay`: a stored conversation again on a model, without any effect."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import MetaData, select, text

from bot.replay import ReplayedTurn, Replayer
from bot.tracker_store import ConversationTrackerStore
from database import default_url, engine_for, transaction
from messaging import handoffs
from tests.conversations.stage import ROOT, Stage
from tests.conversations.test_handoff_record import give_back, taken_by_agent

ANA = {"as": "ana@example.com", "at": "open"}
CANCELLATION = ("hola", "quiero cancelar mi pedido 10203", "¿por qué preguntas?", "ya no lo necesito", "sí")


@pytest.fixture(scope="module")
def replayer(stage: Stage) -> Replayer:
    """On the model that the stage has played with."""
    return Replayer(stage.model, ConversationTrackerStore())


def replayed(replayer: Replayer, sender: str) -> list[ReplayedTurn]:
    turns = asyncio.run(replayer.replay(sender))
    assert turns is not None
    return turns


def spoken(stage: Stage, *texts: str) -> str:
    sender = stage.begin(ANA)
    for each in texts:
        stage.say(sender, each)
    return sender


def change(sender: str, changed: Callable[[dict[str, Any]], bool]) -> None:
    """Another past: `changed` changes an event and says so; the first that it changes is written back."""
    with transaction() as session:
        rows = session.execute(text("SELECT id, data FROM events WHERE sender_id = :s ORDER BY id"), {"s": sender}).all()
        for row in rows:
            event = json.loads(row.data)
            if changed(event):
                session.execute(text("UPDATE events SET data = :d WHERE id = :i"), {"d": json.dumps(event), "i": row.id})
                return
    raise AssertionError("there is no such event")


def everything() -> dict[str, list[Any]]:
    engine = engine_for(default_url())
    known = MetaData()
    known.reflect(engine)
    with engine.connect() as connection:
        return {table.name: [tuple(row) for row in connection.execute(select(table))] for table in known.sorted_tables}


def test_on_the_same_model_nothing_differs(stage: Stage, replayer: Replayer) -> None:
    turns = replayed(replayer, spoken(stage, *CANCELLATION))
    assert [turn.text for turn in turns] == list(CANCELLATION)
    assert [turn for turn in turns if turn.differs] == []
    assert turns[1].actions[0] == "cancel_order_form"
    assert turns[1].intent == "cancel_order"


def test_a_turn_whose_intent_would_differ_is_shown(stage: Stage, replayer: Replayer) -> None:
    sender = spoken(stage, *CANCELLATION)

    def was_a_return(event: dict[str, Any]) -> bool:
        if event["event"] != "user" or event["parse_data"]["intent"]["name"] != "cancel_order":
            return False
        event["parse_data"]["intent"]["name"] = "request_return"
        return True

    change(sender, was_a_return)
    (different,) = [turn for turn in replayed(replayer, sender) if turn.differs]
    assert (different.number, different.text) == (2, CANCELLATION[1])
    assert (different.intent, different.predicted_intent) == ("request_return", "cancel_order")
    assert different.actions == different.predicted


def test_a_turn_whose_actions_would_differ_is_shown_up_to_the_difference(stage: Stage, replayer: Replayer) -> None:
    sender = spoken(stage, *CANCELLATION)

    def was_another_form(event: dict[str, Any]) -> bool:
        if event["event"] != "action" or event["name"] != "cancel_order_form":
            return False
        event["name"] = "return_request_form"
        return True

    change(sender, was_another_form)
    different = next(turn for turn in replayed(replayer, sender) if turn.differs)
    assert (different.number, different.intent) == (2, different.predicted_intent)
    assert different.actions == ["return_request_form", "action_listen"]
    assert different.predicted == ["cancel_order_form"]


def test_what_a_person_answered_is_left_out_and_the_recap_is_not(stage: Stage, replayer: Replayer) -> None:
    sender = spoken(stage, "quiero cancelar mi pedido 10203", "mejor pásame con una persona")
    handoff = taken_by_agent(sender)
    stage.say(sender, "¿hola?")
    give_back(handoff)
    stage.say(sender, "¿dónde está mi pedido 10202?")
    turns = replayed(replayer, sender)
    assert [turn.number for turn in turns] == [1, 2, 4]
    assert turns[-1].actions[0] == "action_recap"
    assert [turn for turn in turns if turn.differs] == []


def test_replaying_has_no_effect(stage: Stage, replayer: Replayer) -> None:
    sender = spoken(stage, *CANCELLATION[:3], "mejor pásame con una persona")
    give_back(taken_by_agent(sender))  # a recap is due
    before = everything()
    calls = (stage.home / "actions.log").stat().st_size
    replayed(replayer, sender)
    assert everything() == before
    assert (stage.home / "actions.log").stat().st_size == calls
    with transaction() as session:
        assert handoffs.open_for(session, sender) is None


def test_an_unknown_conversation_is_none(stage: Stage, replayer: Replayer) -> None:
    assert asyncio.run(replayer.replay("nobody")) is None


def test_the_command_tells_what_would_differ(stage: Stage) -> None:
    sender = spoken(stage, *CANCELLATION)

    def was_small_talk(event: dict[str, Any]) -> bool:
        if event["event"] != "user":
            return False
        event["parse_data"]["intent"]["name"] = "goodbye"
        return True

    change(sender, was_small_talk)
    command = [sys.executable, "-W", "ignore", "-m", "tendero", "replay", sender, "--model", str(stage.model)]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines() == ["   1  hola", "      intent   goodbye -> greet", "1 of 5 turns would differ."]
