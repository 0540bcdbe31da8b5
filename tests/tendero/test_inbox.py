"""`tendero inbox`: what has no answer, and a second chance for what has failed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from click.testing import CliRunner
from sqlalchemy import select

from database import transaction
from messaging.models import ActionCall, InboundMessage, OutboundMessage
from messaging.turns import calls
from messaging.turns.engine import Limits, Outcome, TurnEngine
from messaging.turns.inbox import Claim, Inbound
from messaging.turns.queues.local import LocalQueue
from tendero.cli import cli


class Handler:
    """Fails until it is mended."""

    def __init__(self) -> None:
        self.is_mended = False

    async def run(self, claim: Claim) -> Outcome:
        if claim.kind == "timer":
            return Outcome([])
        if not self.is_mended:
            raise ValueError(f"cannot read {claim.text!r}")
        return Outcome([{"text": "Done after all"}])

    async def apologise(self, claim: Claim) -> Outcome:
        return Outcome([{"text": "Sorry"}])


def engine_of(handler: Handler, url: str) -> TurnEngine:
    return TurnEngine(handler, LocalQueue(), url, limits=Limits(most_tries=1, first_pause=0.001, longest_pause=0.001))


async def failed_message(engine: TurnEngine) -> int:
    receipt = await engine.receive(Inbound("test", "m-1", "s", "I am Ana"))
    await engine.work("s")
    return receipt.id


async def test_a_failed_message_is_listed_without_its_words(shop: str, runner: CliRunner) -> None:
    number = await failed_message(engine_of(Handler(), shop))
    (row,) = json.loads(runner.invoke(cli, ["inbox", "--json"]).output)
    assert (row["id"], row["channel"], row["state"], row["tries"], row["error"]) == (number, "test", "failed", 2, "ValueError")
    assert 0 <= row["age_seconds"] < 60
    assert "Ana" not in runner.invoke(cli, ["inbox", "--json"]).output + runner.invoke(cli, ["inbox"]).output
    (row,) = json.loads(runner.invoke(cli, ["inbox", "--text", "--json"]).output)
    assert (row["text"], row["error"]) == ("I am Ana", "ValueError: cannot read 'I am Ana'")
    assert "I am Ana" in runner.invoke(cli, ["inbox", "--text"]).output


def test_what_waits_is_listed_the_oldest_first_and_what_is_done_is_not(shop: str, runner: CliRunner) -> None:
    now = datetime.now(timezone.utc)
    known: dict[str, Any] = {"channel": "test", "sender_id": "s", "text": "", "trace_id": "0" * 32}
    with transaction(shop) as session:
        for name, state, age in (("a", "waiting", 7200), ("b", "done", 60), ("c", "taken", 5)):
            at = now - timedelta(seconds=age)
            session.add(InboundMessage(provider_id=name, state=state, received_at=at, **known))
            session.flush()
    assert [row["state"] for row in json.loads(runner.invoke(cli, ["inbox", "--json"]).output)] == ["waiting", "taken"]
    assert "2 h" in runner.invoke(cli, ["inbox"]).output


def test_an_empty_inbox_says_so(shop: str, runner: CliRunner) -> None:
    assert runner.invoke(cli, ["inbox"]).output == "Every message has its answer.\n"


async def test_a_message_that_is_put_back_is_answered_by_the_shop_and_not_done_twice(shop: str, runner: CliRunner) -> None:
    handler = Handler()
    engine = engine_of(handler, shop)
    number = await failed_message(engine)
    with transaction(shop) as session:
        calls.store(session, f"{number}/action_cancel/1", "s", {"events": [], "responses": []}, datetime.now(timezone.utc))
        calls.abandon(session, f"{number}/action_tell/1", "s", datetime.now(timezone.utc))
    assert runner.invoke(cli, ["inbox", "retry", str(number)]).output == f"Put back: {number}.\n"
    handler.is_mended = True
    with transaction(shop) as session:
        assert engine._fire_timers(session) == ["s"]
    await engine.work("s")
    with transaction(shop) as session:
        message = session.get(InboundMessage, number)
        assert (message.state, message.error) == ("done", None)
        said = select(OutboundMessage.content).where(OutboundMessage.turn_id == number).order_by(OutboundMessage.position)
        assert [content["text"] for content in session.execute(said).scalars()] == ["Sorry", "Done after all"]
        kept = session.execute(select(ActionCall.key)).scalars().all()
        assert kept == [f"{number}/action_cancel/1"]  # it is done; what was given up may be tried anew
    assert runner.invoke(cli, ["inbox"]).output == "Every message has its answer.\n"


async def test_only_a_failed_message_can_be_put_back(shop: str, runner: CliRunner) -> None:
    engine = engine_of(Handler(), shop)
    receipt = await engine.receive(Inbound("test", "m-1", "s", "hello"))
    for number, why in ((receipt.id, "it is waiting"), (99, "there is no message 99")):
        refused = runner.invoke(cli, ["inbox", "retry", str(number)])
        assert refused.exit_code == 1
        assert why in str(refused.exception)
