"""Turns with the real Rasa in which something goes wrong: the shopper is told, nothing is recorded that was not done."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.tracker import MOST_TURNS, ConversationTracker
from commerce.models import Cancellation, Order
from database import transaction
from messaging import handoffs
from messaging.models import ActionCall, OutboundMessage, OutgoingMail
from messaging.turns import inbox
from messaging.turns.inbox import Inbound
from tests.conversations.stage import Stage

EMMA, ANA = {"as": "emma@example.com", "at": "open"}, {"as": "ana@example.com", "at": "open"}
CANCEL = "please cancel my order 10233, I ordered it by mistake"
NOT_RIGHT_NOW = {"en": "I couldn't do that just now", "es": "ahora mismo no pude hacerlo"}
FAULTS = ("slow", "down", "rubbish", "list", "raises")
PATIENCE = 0.4


class Meddler:
    """Between Rasa and the action server: hands calls on, or does with the action `target` what `fault` says.

    late: what the action server said to calls that were handed on when nobody waited any more. afterwards: called when the
    action was done and its answer is on the way.
    """

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.target, self.fault = "", ""
        self.late: list[int] = []
        self.afterwards: Callable[[], None] = lambda: None
        self._under_way, self._all_ended = 0, threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.meddler = self
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/webhook"

    def close(self) -> None:
        """Once every call has ended: a late one would be done in the next test's fresh shop."""
        with self._all_ended:
            assert self._all_ended.wait_for(lambda: self._under_way == 0, timeout=30)
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes] | None:
        """None: the connection breaks."""
        with self._all_ended:
            self._under_way += 1
        try:
            return self._answer(body, headers)
        finally:
            with self._all_ended:
                self._under_way -= 1
                self._all_ended.notify_all()

    def _answer(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes] | None:
        if json.loads(body)["next_action"] != self.target:
            return self._hand_on(body, headers)
        if self.fault == "slow":
            time.sleep(3 * PATIENCE)
            answer = self._hand_on(body, headers)
            self.late.append(answer[0])
            return answer
        answer = self._faulty(body, headers)
        self.afterwards()
        return answer

    def _faulty(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes] | None:
        name = self.target
        if self.fault == "down":
            return None
        if self.fault == "rubbish":
            return 200, b"<html>502 Bad Gateway</html>"
        if self.fault == "list":
            return 200, b'{"events": ["slot"], "responses": []}'
        if self.fault == "raises":
            return 500, json.dumps({"error": "it failed", "action_name": name}).encode()
        return self._hand_on(body, headers)

    def _hand_on(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        request = urllib.request.Request(self.behind, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    meddler: Meddler

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever had no patience has closed the connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kept = {name: self.headers[name] for name in ("Content-Type", "Idempotency-Key") if name in self.headers}
        answer = self.server.meddler.answer(body, kept)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer[0])
        self.send_header("Content-Length", str(len(answer[1])))
        self.end_headers()
        self.wfile.write(answer[1])

    def log_message(self, format: str, *arguments: Any) -> None:
        """Tests print enough."""


@pytest.fixture
def meddler(stage: Stage) -> Iterator[Meddler]:
    """Between the stage's Rasa and its actions."""
    endpoint = stage._agent.action_endpoint
    before = endpoint.url, endpoint.patience
    meddler = Meddler(before[0])
    endpoint.url = meddler.url
    yield meddler
    endpoint.url, endpoint.patience = before
    meddler.close()


def be_impatient(stage: Stage) -> None:
    stage._agent.action_endpoint.patience = PATIENCE


def be_patient(stage: Stage) -> None:
    stage._agent.action_endpoint.patience = 30


def status_of(number: str) -> str:
    with transaction() as session:
        return str(session.execute(select(Order.status).where(Order.number == number)).scalar_one())


def count(model: Any) -> int:
    with transaction() as session:
        return int(session.execute(select(func.count()).select_from(model)).scalar_one())


def times_cancelled(number: str) -> int:
    with transaction() as session:
        cancelled = select(Cancellation.id).join(Cancellation.order).where(Order.number == number)
        return len(session.execute(cancelled).all())


def without_times(replies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in reply.items() if key != "timestamp"} for reply in replies]


def shop(stage: Stage) -> dict[str, list[Any]]:
    """The rows of the tables that only a deed changes."""
    with sqlite3.connect(stage.home / "tendero.db") as connection:
        names = ("order", "cancellation", "return_authorization", "ledger_entry", "outgoing_mail", "handoff")
        known = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        rows = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in known if name in names}
    connection.close()
    assert len(rows) >= 4, known
    return rows


# Actions that fail


@pytest.mark.parametrize("fault", FAULTS)
def test_failed_action_is_told_and_not_recorded_and_the_next_message_works(stage: Stage, meddler: Meddler, fault: str) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "hola")
    meddler.target, meddler.fault = "action_track_order", fault
    if fault == "slow":
        be_impatient(stage)
    failed = stage.say(sender, "dónde está mi pedido 10202")
    assert NOT_RIGHT_NOW["es"] in failed.words
    assert "action_track_order" not in failed.actions
    meddler.fault = ""
    be_patient(stage)
    again = stage.say(sender, "dónde está mi pedido 10202")
    assert again.actions == ["track_order_form", "action_track_order"]
    assert "10202" in again.words


@pytest.mark.parametrize("fault", FAULTS)
def test_failed_write_is_told_and_changes_nothing_and_works_the_next_time(stage: Stage, meddler: Meddler, fault: str) -> None:
    sender = stage.begin(EMMA)
    assert "Shall I cancel it?" in stage.say(sender, CANCEL).words
    before = shop(stage)
    meddler.target, meddler.fault = "action_cancel_order", fault
    if fault == "slow":
        be_impatient(stage)
    failed = stage.say(sender, "yes")
    assert NOT_RIGHT_NOW["en"] in failed.words
    assert "action_cancel_order" not in failed.actions
    assert (shop(stage), status_of("10233")) == (before, "paid")
    meddler.fault = ""
    be_patient(stage)
    stage.say(sender, CANCEL)
    assert "is cancelled" in stage.say(sender, "yes").words
    assert status_of("10233") == "cancelled"


def test_slow_write_that_was_given_up_is_not_done_later(stage: Stage, meddler: Meddler) -> None:
    sender = stage.begin(EMMA)
    stage.say(sender, CANCEL)
    meddler.target, meddler.fault = "action_cancel_order", "slow"
    be_impatient(stage)
    assert NOT_RIGHT_NOW["en"] in stage.say(sender, "yes").words
    ends = time.monotonic() + 30
    while not meddler.late:
        assert time.monotonic() < ends
        time.sleep(0.02)
    assert (meddler.late, status_of("10233"), times_cancelled("10233")) == ([409], "paid", 0)


def test_answer_that_comes_too_late_for_a_write_that_was_done_is_that_answer(stage: Stage, meddler: Meddler) -> None:
    """It was done before it was given up: the shopper must not be told that it was not."""
    sender = stage.begin(EMMA)
    stage.say(sender, CANCEL)
    meddler.target, meddler.afterwards = "action_cancel_order", lambda: time.sleep(6 * PATIENCE)
    stage._agent.action_endpoint.patience = 5 * PATIENCE  # the deed itself takes less
    played = stage.say(sender, "yes")
    assert "is cancelled" in played.words
    assert (status_of("10233"), times_cancelled("10233")) == ("cancelled", 1)


def test_answer_to_a_question_can_be_given_again_when_its_validation_failed(stage: Stage, meddler: Meddler) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "quiero devolver la camisa azul del 10201")
    meddler.target, meddler.fault = "validate_return_request_form", "rubbish"
    assert NOT_RIGHT_NOW["es"] in stage.say(sender, "me queda chica").words
    meddler.fault = ""
    assert "Cómo prefieres enviarlo" in stage.say(sender, "me queda chica").words


# A turn that is run again


def test_turn_that_is_run_again_after_its_actions_were_done_repeats_no_write_and_no_words(stage: Stage) -> None:
    """The process died when everything was done and nothing of the turn was saved."""
    sender = stage.begin(EMMA)
    stage.say(sender, CANCEL)
    engine = stage._agent.engine
    receipt = stage._loop.run_until_complete(engine.receive(Inbound("test", uuid.uuid4().hex, sender, "yes")))
    with transaction() as session:
        claim = inbox.claim(session, sender, datetime.now(timezone.utc))
    assert claim is not None
    lost = stage._loop.run_until_complete(engine._handler.run(claim))
    done = (times_cancelled("10233"), count(OutgoingMail), count(ActionCall))
    assert (done[0], status_of("10233")) == (1, "cancelled")

    stage._loop.run_until_complete(engine.work(sender))  # the next process
    answer = stage._loop.run_until_complete(engine.answer(receipt))
    assert (times_cancelled("10233"), count(OutgoingMail), count(ActionCall)) == done
    assert without_times(answer.replies) == without_times(lost.contents)
    assert any("is cancelled" in (reply.get("text") or "") for reply in answer.replies)
    assert stage.say(sender, "thanks").replies


# Who answers


def test_agent_who_takes_the_conversation_during_a_turn_is_not_talked_over(stage: Stage, meddler: Meddler) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "quiero hablar con una persona")

    def agent_takes_it() -> None:
        with transaction() as session:
            handoff = handoffs.open_for(session, sender)
            assert handoff is not None
            handoffs.take(session, handoff.id, "Lucía", datetime.now(timezone.utc))
        meddler.target = ""

    meddler.target, meddler.afterwards = "action_track_order", agent_takes_it
    assert stage.say(sender, "dónde está mi pedido 10202").replies == []
    with transaction() as session:
        newest = session.execute(
            select(OutboundMessage.state).where(OutboundMessage.sender_id == sender).order_by(OutboundMessage.id.desc())
        )
        assert newest.scalars().first() == "withheld"
    kept = stage._agent.tracker_store.load(sender)
    said = [event for event in kept.events if event.type_name in ("user", "bot")]
    assert said[-1].type_name == "user"  # what nobody saw was not said
    assert stage.say(sender, "¿hola?").replies == []


# Long conversations

FORTH_AND_BACK = ("what are your opening hours?", "do you ship abroad?", "thanks", "which payment methods do you take?")


def state_of(tracker: ConversationTracker) -> dict[str, Any]:
    """All that a turn can depend on; what stands for the time before the cut has no times of its own."""
    events = without_times([event.as_dict() for event in tracker.events])
    slots = {name: slot.value for name, slot in tracker.slots.items()}
    return {"events": events, "slots": slots, "loop": tracker.active_loop_name, "version": tracker.version}


def test_long_conversation_keeps_its_slots_and_its_form_over_the_cut(stage: Stage) -> None:
    sender = stage.begin(EMMA)
    store = stage._agent.tracker_store
    stage.say(sender, "I want to return the blue shirt from 10231")
    begun = {name: slot.value for name, slot in store.load(sender).slots.items()}
    assert store.load(sender).active_loop_name == "return_request_form"
    for turn in range(60):
        assert stage.say(sender, FORTH_AND_BACK[turn % len(FORTH_AND_BACK)]).replies
        if turn % 10 == 9 or MOST_TURNS - 4 < turn < MOST_TURNS + 2:
            cached = store.load(sender)
            store.drop(sender)
            assert state_of(store.load(sender)) == state_of(cached), f"turn {turn}"
    tracker = store.load(sender)
    heard = [event for event in tracker.events if event.type_name == "user"]
    assert len(heard) <= MOST_TURNS
    assert tracker.active_loop_name == "return_request_form"
    for name in ("order_number", "language"):
        assert tracker.get_slot(name) == begun[name], name
    assert "How would you like to send it back" in stage.say(sender, "it's too small").words
    whole = stage._loop.run_until_complete(store.retrieve_full_tracker(sender))
    assert len([event for event in whole.events if event.type_name == "user"]) == 62  # the history stays
