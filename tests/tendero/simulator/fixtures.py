"""One simulator and one receiver for a module's tests, as new for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tendero.simulator.receiver import Receiver, receiving
from tests.whatsapp_simulator import Person, Simulator, simulating


@pytest.fixture(scope="module")
def _both() -> Iterator[tuple[Simulator, Receiver]]:
    with receiving() as receiver, simulating(receiver.url) as simulator:
        yield simulator, receiver


@pytest.fixture
def whatsapp(_both: tuple[Simulator, Receiver]) -> Simulator:
    simulator, receiver = _both
    simulator.reset()
    receiver.clear()
    return simulator


@pytest.fixture
def shop(_both: tuple[Simulator, Receiver], whatsapp: Simulator) -> Receiver:
    return _both[1]


@pytest.fixture
def emma(whatsapp: Simulator) -> Person:
    return whatsapp.person("+12025550101")
