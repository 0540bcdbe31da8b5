"""kill -9 at every step of a turn: no message is lost, no reply is missing, none comes twice, nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from sqlalchemy import func, select

from database import engine_for, transaction
from messaging.models import InboundMessage, OutboundMessage
from messaging.turns import inbox, outbox
from tests.turns.processes import Nursery, Worker, until
from tests.turns.provider import Provider
from tests.turns.worker import CHANNEL, DEED, SAVED, Settings

SAID = ("one", "two")
QUIET = 0.25  # seconds without a step: nothing more comes by itself
LANES = 6  # PostgreSQL waits for leases most of the time: so many walk side by side


def test_kill_at_every_step_loses_and_repeats_nothing_on_sqlite(
    own_url: str, tmp_path: Path, nursery: Nursery, provider: Provider
) -> None:
    steps = walk(Settings(own_url, str(tmp_path / "worker"), provider.url), nursery, provider)
    assert steps > 40  # both messages: received, taken, done, saved, sent


def test_kill_at_every_step_loses_and_repeats_nothing_on_postgresql(
    new_database: Callable[[], str], tmp_path: Path, nursery: Nursery
) -> None:
    """Each lane walks every so manieth step with a database and a provider of its own."""

    def walk_lane(first: int) -> int:
        with closing(Provider()) as provider:
            settings = Settings(new_database(), str(tmp_path / f"worker{first}"), provider.url)
            reached = walk(settings, nursery, provider, first)
            engine_for(settings.url).dispose()
            return reached

    with ThreadPoolExecutor(LANES) as threads:
        assert min(threads.map(walk_lane, range(1, LANES + 1))) > 40


def walk(settings: Settings, nursery: Nursery, provider: Provider, first: int | None = None) -> int:
    """Kill a worker at its first step, the next one at its second, ... until one gets through; at which step it would have
    been killed. first: begin there, and leave out the steps of the other lanes."""
    step = first or 1
    while True:
        sender = f"shopper-{step}"
        if not was_killed(replace(settings, crash_at=step), nursery, provider, sender):
            return step
        check(settings.url, provider, sender, step)
        step += LANES if first else 1


def was_killed(settings: Settings, nursery: Nursery, provider: Provider, sender: str) -> bool:
    """Play a conversation over a worker that kills itself at a step, and over the one that is started after it."""
    crew = Crew(settings, nursery)
    for text in SAID:
        crew.deliver(f"{sender}-{text}", sender, text)
    crew.stay_until(
        lambda: len(provider.shown[sender]) == 2 * len(SAID) and nothing_is_open(settings.url), f"{sender} is answered"
    )
    if not crew.has_lost_one:
        crew.stay_until_quiet()
    crew.worker.finish() if not crew.has_lost_one else crew.worker.kill()
    return crew.has_lost_one


class Crew:
    """A worker, and the next one when it was killed."""

    def __init__(self, settings: Settings, nursery: Nursery) -> None:
        self._settings, self._nursery = settings, nursery
        self.worker: Worker = nursery.start(settings)
        self.has_lost_one = False

    def replace_the_dead(self) -> None:
        if not self.worker.is_alive:
            assert not self.has_lost_one, f"the second worker ended: {self.worker.log}"
            self.has_lost_one = True
            self.worker = self._nursery.start(replace(self._settings, crash_at=0))

    def deliver(self, message_id: str, sender: str, text: str) -> None:
        def is_taken() -> bool:
            self.replace_the_dead()
            return self.worker.post(message_id, sender, text) == 200

        until(is_taken, f"{message_id} is taken")

    def stay_until(self, condition: Callable[[], bool], what: str) -> None:
        def is_so() -> bool:
            self.replace_the_dead()
            return condition()

        until(is_so, what)

    def stay_until_quiet(self) -> None:
        seen, since = -1, time.monotonic()

        def is_quiet() -> bool:
            nonlocal seen, since
            if len(self.worker.steps) != seen:
                seen, since = len(self.worker.steps), time.monotonic()
            return time.monotonic() - since > QUIET

        self.stay_until(is_quiet, "nothing happens any more")


def nothing_is_open(url: str) -> bool:
    with transaction(url) as session:
        return not inbox.senders_waiting(session) and not outbox.senders_waiting(session, [CHANNEL])


def check(url: str, provider: Provider, sender: str, step: int) -> None:
    """Every message one turn, each deed once, all replies once and in order."""
    where = f"killed at step {step}"
    with transaction(url) as session:
        columns = (InboundMessage.id, InboundMessage.text, InboundMessage.state)
        messages = session.execute(select(*columns).where(InboundMessage.sender_id == sender).order_by(InboundMessage.id)).all()
        assert [(each.text, each.state) for each in messages] == [(text, "done") for text in SAID], where
        turns = [each.id for each in messages]
        for table in (DEED, SAVED):
            rows = session.execute(select(table.c.turn_id).where(table.c.turn_id.in_(turns))).scalars().all()
            assert sorted(rows) == turns, f"{where}: {table.name}"
        sent = select(func.count()).where(OutboundMessage.turn_id.in_(turns), OutboundMessage.state == "sent")
        assert session.execute(sent).scalar_one() == 2 * len(SAID), where
    shown = [text.split("{")[0] for text in provider.shown[sender]]
    assert shown == [f"{text} {reply}" for text in SAID for reply in ("done", "receipt")], where
    assert provider.contradictions == [], f"{where}: a reply came again in other words"
