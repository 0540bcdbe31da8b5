"""The review's page, served on a free port by a thread of this process, or by a process of its own.

A real browser needs the second: Sanic compiles itself as it starts, which Python 3.11 cannot do beside Playwright's greenlets.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import httpx
from sanic import Sanic

from tendero.review.page import HOST, Door, Train, listen, make_app, serve_on
from tendero.review.session import Review
from tendero.review.training import Outcome

TRAINED = Outcome(["data/nlu/en/orders.yml:9: a problem"], "Trained 7 examples in 3 s; 1 problem to look at.", True)


@dataclass
class Served:
    """told: what the terminal was told."""

    origin: str
    door: Door
    told: list[str] = field(default_factory=list)

    @property
    def token(self) -> str:
        return self.door.address.partition("#")[2]


@contextmanager
def serving(review: Review, train: Train) -> Iterator[Served]:
    listening = listen(None)
    origin = f"http://{HOST}:{listening.getsockname()[1]}"
    told: list[str] = []
    served = Served(origin, Door(origin, told.append), told)
    loop = asyncio.new_event_loop()
    serving = loop.create_task(serve_on(listening, make_app(review, served.door, train)))

    def run() -> None:
        asyncio.set_event_loop(loop)
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(serving)

    thread = threading.Thread(target=run, daemon=True)
    with patch.object(Sanic, "test_mode", True):  # else Sanic could not be started a second time in one process
        thread.start()
        httpx.get(served.origin, timeout=30)  # Sanic has compiled itself when it answers
        try:
            yield served
        finally:
            loop.call_soon_threadsafe(serving.cancel)
            thread.join(10)
            loop.close()
            listening.close()


@contextmanager
def served_by_a_process(project: Path) -> Iterator[str]:
    """The address. Its training is TRAINED; the database is that of the environment."""
    command = [sys.executable, "-u", "-W", "ignore", "-m", "tests.tendero.review_page", str(project)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()  # type: ignore[union-attr]
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    listening = listen(None)
    door = Door(f"http://{HOST}:{listening.getsockname()[1]}", lambda _text: None)
    app = make_app(Review(Path(sys.argv[1])), door, lambda: TRAINED)
    print(door.address)
    asyncio.run(serve_on(listening, app))
