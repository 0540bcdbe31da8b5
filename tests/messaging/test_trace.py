"""One trace id from the webhook to the delivery status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from sqlalchemy import select

from database import transaction
from messaging.models import InboundMessage, OutboundMessage
from messaging.turns import trace
from messaging.turns.engine import Limits, Outcome, TurnEngine
from messaging.turns.inbox import Claim, Inbound
from messaging.turns.metrics import Metrics
from messaging.turns.outbox import Outgoing
from messaging.turns.queues.local import LocalQueue

OURS = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("header", "taken_up"),
    [
        (f"00-{OURS}-00f067aa0ba902b7-01", OURS),
        (f"01-{OURS}-00f067aa0ba902b7-00-more", OURS),  # a later version may say more
        (f"ff-{OURS}-00f067aa0ba902b7-01", None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{OURS}-{'0' * 16}-01", None),
        (f"00-{OURS.upper()}-00f067aa0ba902b7-01", None),
        ("nonsense", None),
        ("", None),
        (None, None),
    ],
)
def test_a_callers_traceparent_is_taken_up_where_it_is_one(header: str | None, taken_up: str | None) -> None:
    assert trace.taken_up(header) == taken_up


def test_what_we_send_on_is_a_traceparent() -> None:
    assert trace.taken_up(trace.traceparent(OURS, trace.span_of_turn(OURS, 7))) == OURS


class Echo:
    """Answers with the trace that it sees."""

    async def run(self, claim: Claim) -> Outcome:
        return Outcome([{"text": trace.current()}])

    async def apologise(self, claim: Claim) -> Outcome:
        return Outcome([])


class Provider:
    """Takes every message; `seen`: the traces under which it did."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def send(self, message: Outgoing) -> str:
        self.seen.append(trace.current())
        return f"wamid-{message.id}"


class Told(Metrics):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []

    def turned(self, claim: Claim, state: str, seconds: float, waited: float) -> None:
        super().turned(claim, state, seconds, waited)
        self.told.append(("turn", claim.trace_id))

    def reported(self, channel: str, status: str, trace_id: str) -> None:
        super().reported(channel, status, trace_id)
        self.told.append((status, trace_id))


@contextmanager
def request(header: str | None) -> Iterator[None]:
    with trace.followed(trace.taken_up(header) or trace.new()):
        yield


async def test_one_trace_leads_from_the_webhook_to_the_delivery_status(database_url: str) -> None:
    provider, watch = Provider(), Told()
    engine = TurnEngine(
        Echo(), LocalQueue(), database_url, pushes={"test": provider}, watch=watch, limits=Limits(timers_every=3600)
    )
    with request(f"00-{OURS}-00f067aa0ba902b7-01"):
        receipt = await engine.receive(Inbound("test", "m-1", "s", "hello"))
    await engine.work("s")
    await engine._sender.serve("test:s")
    with transaction(database_url) as session:
        assert session.execute(select(InboundMessage.trace_id)).scalars().all() == [OURS]
        reply = session.execute(select(OutboundMessage)).scalar_one()
    assert (reply.trace_id, reply.content, provider.seen) == (OURS, {"text": OURS}, [OURS])
    assert await engine.note_status("test", str(reply.provider_id), "delivered") is True
    assert await engine.note_status("test", str(reply.provider_id), "delivered") is False
    assert await engine.note_status("test", "somebody's", "read") is False
    assert watch.told == [("turn", OURS), ("delivered", OURS)]
    assert receipt.is_new


async def test_a_message_without_a_callers_trace_gets_one_of_its_own(database_url: str, now: datetime) -> None:
    engine = TurnEngine(Echo(), LocalQueue(), database_url)
    for name in ("m-1", "m-2"):
        await engine.receive(Inbound("test", name, "s", "hello"))
    with transaction(database_url) as session:
        traces = session.execute(select(InboundMessage.trace_id)).scalars().all()
    assert len(set(traces)) == 2
    assert all(len(each) == 32 for each in traces)


async def test_the_metrics_say_where_the_time_goes_and_what_waits(database_url: str) -> None:
    from messaging.turns.inbox import backlog

    watch = Metrics()
    engine = TurnEngine(Echo(), LocalQueue(), database_url, pushes={"test": Provider()}, watch=watch)
    await engine.receive(Inbound("test", "m-1", "s", "hello"))
    await engine.work("s")
    await engine.receive(Inbound("test", "m-2", "s", "hello"))
    with transaction(database_url) as session:
        rows = session.execute(select(InboundMessage.received_at).where(InboundMessage.provider_id == "m-2")).scalar_one()
        behind = backlog(session, rows)
    page = watch.page(behind)
    assert 'tendero_backlog{of="messages"} 1.0' in page
    assert 'tendero_backlog{of="replies"} 1.0' in page
    assert 'tendero_backlog_oldest_seconds{of="messages"} 0.0' in page
    await engine._sender.serve("test:s")
    page = watch.page()
    for stage in ("queue", "save", "send"):
        assert f'tendero_stage_seconds_count{{stage="{stage}"}} 1.0' in page
    assert "tendero_database_up 0.0" in page
    assert 'tendero_backlog{of="messages"} NaN' in page
