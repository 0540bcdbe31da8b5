"""Several workers on one PostgreSQL, as real processes: each message one turn, in order, whoever dies."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from database import transaction
from messaging.models import InboundMessage, OutboundMessage
from messaging.turns import inbox, outbox
from tests.turns.processes import Nursery, Worker, deliver, until
from tests.turns.provider import Provider
from tests.turns.worker import CHANNEL, DEED, SAVED, Settings

Start = Callable[..., list[Worker]]


@pytest.fixture
def start(shared_url: str, tmp_path: Path, nursery: Nursery, provider: Provider) -> Start:
    """Starts so many workers on one database; named arguments are their settings."""

    def start(workers: int, **settings: float) -> list[Worker]:
        folders = [str(tmp_path / f"worker{number}") for number in range(workers)]
        return [nursery.start(Settings(shared_url, folder, provider.url, **settings)) for folder in folders]  # type: ignore[arg-type]

    return start


def nothing_is_open(url: str) -> bool:
    with transaction(url) as session:
        return not inbox.senders_waiting(session) and not outbox.senders_waiting(session, [CHANNEL])


def count(url: str, what: object) -> int:
    with transaction(url) as session:
        return int(session.execute(select(func.count()).select_from(what)).scalar_one())


def seen_by(provider: Provider, sender: str) -> list[str]:
    return [text.split("{")[0] for text in provider.shown[sender]]


def replies_to(*texts: str) -> list[str]:
    return [f"{text} {reply}" for text in texts for reply in ("done", "receipt")]


def test_webhook_that_comes_five_times_at_once_over_four_workers_has_one_turn(
    shared_url: str, start: Start, provider: Provider
) -> None:
    workers = start(4, lease=30.0, answers_in=0.1)
    messages = [(f"m{number}", f"shopper-{number}") for number in range(20)]
    deliveries = [(workers[time % 4], *message) for message in messages for time in range(5)]
    with ThreadPoolExecutor(20) as threads:
        statuses = list(threads.map(lambda each: each[0].post(each[1], each[2], "hi"), deliveries))
    assert statuses == [200] * 100
    until(lambda: len(provider.requests) == 40 and nothing_is_open(shared_url), "all are answered")
    assert [count(shared_url, table) for table in (InboundMessage, OutboundMessage, DEED, SAVED)] == [20, 40, 20, 20]
    assert all(seen_by(provider, sender) == replies_to("hi") for _, sender in messages)
    assert sum(len(worker.turns_begun) for worker in workers) == 20  # not even begun twice
    assert set(provider.requests.values()) == {1}


def test_jobs_of_a_killed_worker_are_done_by_the_others_after_the_lease(
    shared_url: str, start: Start, provider: Provider
) -> None:
    workers = start(3, answers_in=1.0, sends_in=0.5)
    for number in range(30):
        deliver(workers, f"m{number}", f"shopper-{number}", "hi")
    until(lambda: bool(provider.requests), "all workers are in the middle of it")
    workers[0].kill()
    until(lambda: len(provider.requests) == 60 and nothing_is_open(shared_url), "the others have done its work")
    assert [count(shared_url, table) for table in (DEED, SAVED, OutboundMessage)] == [30, 30, 60]
    assert all(seen_by(provider, f"shopper-{number}") == replies_to("hi") for number in range(30))
    assert provider.contradictions == []


def test_worker_that_is_told_to_stop_leaves_its_work_to_the_others(shared_url: str, start: Start, provider: Provider) -> None:
    """A deploy: one after the other is replaced."""
    workers = start(2, answers_in=0.3, sends_in=0.1)
    for number in range(20):
        deliver(workers, f"m{number}", f"shopper-{number % 5}", f"message {number}")
    workers[0].finish()
    until(lambda: len(provider.requests) == 40 and nothing_is_open(shared_url), "the other has done the rest")
    for shopper in range(5):
        assert seen_by(provider, f"shopper-{shopper}") == replies_to(*(f"message {shopper + 5 * each}" for each in range(4)))
    assert set(provider.requests.values()) == {1}  # nothing was cut off


def test_two_hundred_interleaved_conversations_keep_their_order(shared_url: str, start: Start, provider: Provider) -> None:
    workers = start(2, answers_in=0.05, sends_in=0.02, lease=30.0)
    conversations = [f"shopper-{number}" for number in range(200)]
    said = ("one", "two")
    with ThreadPoolExecutor(8) as threads:
        for text in said:
            shuffled = random.sample(conversations, len(conversations))
            list(threads.map(lambda sender, text=text: deliver(workers, f"{sender}-{text}", sender, text), shuffled))
    until(lambda: len(provider.requests) == 800 and nothing_is_open(shared_url), "all are answered", 120)
    assert [sender for sender in conversations if seen_by(provider, sender) != replies_to(*said)] == []
    assert [count(shared_url, table) for table in (InboundMessage, DEED, SAVED)] == [400, 400, 400]
    assert sum(len(worker.turns_begun) for worker in workers) == 400  # one at a time: nobody began what another had begun
