"""kill -9 at every step of sending on WhatsApp, which knows no repetition by a key: what has arrived is known by its status."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from database import transaction
from messaging.turns import inbox, outbox
from tests.balancer import Balancer
from tests.turns.processes import Nursery, Worker, until
from tests.turns.worker import Settings
from tests.whatsapp_simulator import Person, Simulator, simulating

NEVER = 10_000  # a step that is not reached


@pytest.fixture
def entrance() -> Iterator[Balancer]:
    balancer = Balancer([])
    yield balancer
    balancer.close()


@pytest.fixture
def whatsapp(entrance: Balancer) -> Iterator[Simulator]:
    with simulating(f"http://127.0.0.1:{entrance.port}/", demo=False) as simulator:
        simulator.run_at(10)  # Meta's pauses between its tries
        yield simulator


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    nursery = Nursery("tests.turns.whatsapp_worker")
    yield nursery
    nursery.close()


def test_kill_at_every_step_of_sending_loses_and_repeats_nothing(
    own_url: str, tmp_path: Path, nursery: Nursery, whatsapp: Simulator, entrance: Balancer
) -> None:
    settings = Settings(own_url, str(tmp_path / "worker"), whatsapp.url, lease=1.2)

    def start(crash_at: int) -> Worker:
        worker = nursery.start(replace(settings, crash_at=crash_at))
        entrance.ports = [worker.port] if worker.is_alive else []
        return worker

    worker = start(NEVER)
    talk(whatsapp.person("+12025550200"), own_url)
    steps = worker.steps
    worker.kill()
    first = next(number for number, step in enumerate(steps, 1) if "before a sending" in step)
    killed = 0
    for crash_at in range(first, len(steps) + 1):
        worker = start(crash_at)
        person = whatsapp.person(f"+1202555{1000 + crash_at}")
        person.say("one")
        until(lambda worker=worker, person=person: not worker.is_alive or is_done(own_url, person), "it is killed, or done")  # type: ignore[misc]
        killed += not worker.is_alive
        worker.kill()
        worker = start(0)
        until(lambda person=person: is_done(own_url, person), f"killed at {steps[crash_at - 1]}: all is sent")  # type: ignore[misc]
        assert shown(person) == ["one done", "one receipt"], f"killed at {steps[crash_at - 1]}"
        worker.kill()
    assert killed > 8


def talk(person: Person, url: str) -> None:
    person.say("one")
    until(lambda: is_done(url, person), "the first is answered")


def is_done(url: str, person: Person) -> bool:
    """Two replies are there, and nothing waits."""
    with transaction(url) as session:
        waits: list[Any] = [*inbox.senders_waiting(session), *outbox.senders_waiting(session, ["whatsapp"])]
    return not waits and len(shown(person)) >= 2


def shown(person: Person) -> list[str]:
    return [entry["shown"]["text"].split("{")[0] for entry in person.entries if entry["by"] == "shop"]
