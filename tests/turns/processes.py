"""Workers as a test handles them: started, written to, killed, and waited for."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.turns.worker import Settings

ROOT = Path(__file__).resolve().parents[2]
GENEROUS = 60.0  # seconds, on a busy machine


class Worker:
    """One that runs, or ran."""

    def __init__(self, pid: int, settings: Settings) -> None:
        self.pid = pid
        self._folder = Path(settings.folder)

    @property
    def is_alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    @property
    def steps(self) -> list[str]:
        return (self._folder / "steps").read_text().splitlines() if (self._folder / "steps").exists() else []

    @property
    def turns_begun(self) -> list[str]:
        return (self._folder / "runs").read_text().splitlines() if (self._folder / "runs").exists() else []

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    def post(self, message_id: str, sender: str, text: str) -> int | None:
        """The intake's status; None where nobody answers."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            with contextlib.closing(connection):
                connection.request("POST", "/", json.dumps({"id": message_id, "sender": sender, "text": text}))
                return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None

    @property
    def port(self) -> int:
        return int((self._folder / "port").read_text())

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def finish(self) -> None:
        """SIGTERM, and wait: it ends what is under way."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        until(lambda: not self.is_alive, "the worker ended")


class Nursery:
    """Starts workers, and ends them all. module: whose `main` it is."""

    def __init__(self, module: str = "tests.turns.worker") -> None:
        command = [sys.executable, "-W", "ignore", "-m", module]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()
        self._workers: list[Worker] = []

    def start(self, settings: Settings) -> Worker:
        folder = Path(settings.folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "port").unlink(missing_ok=True)
        (folder / "steps").unlink(missing_ok=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(asdict(settings)) + "\n")
            self._process.stdin.flush()
            worker = Worker(int(self._process.stdout.readline()), settings)
            self._workers.append(worker)
        until(lambda: (folder / "port").exists() or not worker.is_alive, "the worker began")
        return worker

    def end_all(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers = []

    def close(self) -> None:
        self.end_all()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(GENEROUS)


def until(condition: Callable[[], bool], what: str, seconds: float = GENEROUS) -> None:
    """Wait for it; an AssertionError says what did not come."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"after {seconds:g} s it is still not so: {what}"
        time.sleep(0.01)


def deliver(workers: Sequence[Worker], message_id: str, sender: str, text: str, seconds: float = GENEROUS) -> int:
    """As a provider does it: again and again until somebody answers 200. How often it took."""
    ends = time.monotonic() + seconds
    for attempt in range(1, 100_000):
        if workers[attempt % len(workers)].post(message_id, sender, text) == 200:
            return attempt
        assert time.monotonic() < ends, f"{message_id} was never taken"
        time.sleep(0.02)
    raise AssertionError("not reached")
