"""Too much to do, or no database: what was acknowledged is answered, what cannot be kept is not acknowledged."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from database import transaction
from messaging.models import InboundMessage
from messaging.turns import inbox
from tests.turns.processes import Nursery, Worker, until
from tests.turns.provider import Provider
from tests.turns.proxy import Proxy
from tests.turns.test_many_workers import nothing_is_open, replies_to, seen_by
from tests.turns.worker import Settings

AWAY_FOR = 3.0  # seconds
BASE = 8  # messages a second; the worker below manages about three times as many
MOST_WAITING = 30


class Shoppers:
    """Write at a rate, each message once or until it is taken; `statuses`: what the intake said."""

    def __init__(self, worker: Worker, is_patient: bool) -> None:
        self._worker, self._is_patient = worker, is_patient
        self.statuses: Counter[int | None] = Counter()
        self.acknowledged: list[tuple[str, str]] = []
        self._number = 0
        self._threads = ThreadPoolExecutor(64)

    def write(self, rate: float, seconds: float) -> None:
        began = time.monotonic()
        for beat in range(int(rate * seconds)):
            time.sleep(max(0.0, began + beat / rate - time.monotonic()))
            self._number += 1
            self._threads.submit(self._deliver, f"message {self._number}", f"shopper-{self._number}")

    def wait(self) -> None:
        self._threads.shutdown()

    def _deliver(self, text: str, sender: str) -> None:
        while (status := self._worker.post(text, sender, text)) != 200:
            self.statuses[status] += 1
            if not self._is_patient:
                return
            time.sleep(0.1)
        self.statuses[200] += 1
        self.acknowledged.append((sender, text))


@contextmanager
def greatest_backlog(url: str) -> Iterator[list[int]]:
    """Looks again and again how many wait; the list holds the most that was seen."""
    most, is_over = [0], threading.Event()

    def look() -> None:
        while not is_over.wait(0.05):
            with transaction(url) as session:
                most[0] = max(most[0], inbox.waiting(session))

    looker = threading.Thread(target=look)
    looker.start()
    yield most
    is_over.set()
    looker.join()


def kept(url: str) -> int:
    with transaction(url) as session:
        return int(session.execute(select(func.count()).select_from(InboundMessage)).scalar_one())


def test_nothing_is_lost_while_the_database_is_away_and_the_process_recovers_by_itself(
    shared_url: str, tmp_path: Path, nursery: Nursery, provider: Provider
) -> None:
    proxy = Proxy(shared_url)
    worker = nursery.start(Settings(proxy.url, str(tmp_path / "worker"), provider.url, answers_in=0.2, sends_in=0.2))
    shoppers = Shoppers(worker, is_patient=True)
    shoppers.write(BASE, 2)
    proxy.close()
    before = kept(shared_url)
    shoppers.write(BASE, AWAY_FOR)
    assert kept(shared_url) == before
    assert worker.is_alive
    proxy.open()
    shoppers.write(BASE, 1)
    shoppers.wait()
    assert shoppers.statuses[503] > 0  # not acknowledged: a provider tries again
    until(lambda: nothing_is_open(shared_url), "everything is answered")
    assert len(shoppers.acknowledged) == kept(shared_url) == int(BASE * (3 + AWAY_FOR))
    for sender, text in shoppers.acknowledged:
        assert seen_by(provider, sender) == replies_to(text)
    assert provider.contradictions == []
    proxy.close()


def test_peak_of_six_times_the_load_is_bounded_refused_in_words_and_drains(
    own_url: str, tmp_path: Path, nursery: Nursery, provider: Provider
) -> None:
    limits = {"most_waiting": MOST_WAITING, "turns_at_once": 2}
    worker = nursery.start(Settings(own_url, str(tmp_path / "worker"), provider.url, answers_in=0.15, **limits))
    shoppers = Shoppers(worker, is_patient=False)
    with greatest_backlog(own_url) as most:
        shoppers.write(BASE, 1)
        shoppers.write(6 * BASE, 4)
        shoppers.write(BASE, 1)
        shoppers.wait()
        until(lambda: nothing_is_open(own_url), "the backlog drains")
    assert set(shoppers.statuses) == {200, 429}  # no third way: taken, or told
    assert most[0] <= MOST_WAITING
    assert len(shoppers.acknowledged) == kept(own_url) == shoppers.statuses[200]
    for sender, text in shoppers.acknowledged:
        assert seen_by(provider, sender) == replies_to(text)
    assert worker.post("afterwards", "shopper-0", "afterwards") == 200
    until(lambda: seen_by(provider, "shopper-0") == replies_to("afterwards"), "it answers as before")
