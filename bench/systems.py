"""The two systems that are compared: how they are started, what they use, how they are stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from bench.stock import StockProject
from tendero.environment import PROJECT, for_child

STARTS_WITHIN = 600.0  # seconds
STOPS_WITHIN = 20.0
TICKS = os.sysconf("SC_CLK_TCK")
HERE = "127.0.0.1"
REST = "webhooks/rest/webhook"


class System(ABC):
    """Two servers on a demo shop of their own below `home`; the REST channel listens on `port`."""

    name: str

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.action_port = free_port(), free_port()
        self._processes: list[subprocess.Popen[bytes]] = []
        home.mkdir(parents=True, exist_ok=True)
        fill_demo(home)

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.port}/{REST}"

    @property
    @abstractmethod
    def conversations(self) -> Path:
        """The SQLite file with the table `events`."""

    @abstractmethod
    def _commands(self) -> list[list[str]]:
        """Arguments of Python: the action server, the Rasa server."""

    @property
    @abstractmethod
    def _folder(self) -> Path: ...

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **for_child(),
            "PYTHONPATH": str(PROJECT),
            "TENDERO_HOME": str(self.home),
            "TENDERO_DATA": str(PROJECT / "data"),
            "TENDERO_DATABASE_URL": f"sqlite:///{self.home / 'tendero.db'}",
        }

    def start(self) -> float:
        """Both servers, at the same time; the seconds until the first answer to a shopper."""
        began = time.monotonic()
        for number, arguments in enumerate(self._commands()):
            log = (self.home / f"server-{number}.log").open("ab")
            command = [sys.executable, "-W", "ignore", *arguments]
            self._processes.append(
                subprocess.Popen(command, cwd=self._folder, env=self._environment, stdout=log, stderr=log, start_new_session=True)
            )
        while not self._answers():
            if time.monotonic() - began > STARTS_WITHIN or any(each.poll() is not None for each in self._processes):
                raise RuntimeError(f"{self.name} did not start: {self.home}/server-*.log")
            time.sleep(0.05)
        return time.monotonic() - began

    def stop(self) -> None:
        for process in reversed(self._processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes = []

    def cpu_seconds(self) -> float:
        """Of all its processes so far."""
        return sum(_cpu_seconds(pid) for pid in self._pids())

    def memory(self) -> dict[str, float]:
        """Of all its processes together, in MB. pss: what they share with others counted by halves."""
        found = [_memory(pid) for pid in self._pids()]
        return {kind: sum(each[kind] for each in found) for kind in ("rss", "pss")}

    def vouch_for(self, senders: dict[str, str]) -> None:
        """Let each sender (name: e-mail) be who they say: codes by mail are limited, and not what is measured."""
        in_home(self.home, "vouch", json.dumps(senders))

    def _pids(self) -> list[int]:
        return [pid for process in self._processes for pid in (process.pid, *_children(process.pid))]

    def _answers(self) -> bool:
        body = json.dumps({"sender": "start", "message": "hola"}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return bool(json.load(response))
        except (OSError, ValueError):
            return False


class Stock(System):
    name = "stock"

    def __init__(self, home: Path, project: StockProject) -> None:
        super().__init__(home)
        self._project = project

    @property
    def conversations(self) -> Path:
        return self.home / "tracker.db"

    @property
    def _folder(self) -> Path:
        return self._project.folder

    def _commands(self) -> list[list[str]]:
        endpoints = self._project.write_endpoints(self.home, self.action_port)
        files = ["--endpoints", str(endpoints), "--credentials", str(self.home / "credentials.yml")]
        where = ["-i", HERE, "-p", str(self.port)]
        return [
            ["-m", "rasa", "run", "actions", "--actions", "actions", "--port", str(self.action_port)],
            ["-m", "rasa", "run", "--model", str(self._project.model), *files, *where],
        ]


class Ours(System):
    """As `tendero run` starts them."""

    name = "ours"
    credentials = "rest:\nbot.channels.webchat.WebChatInput: {}\n"

    def __init__(self, home: Path, model: Path) -> None:
        super().__init__(home)
        (home / "models").mkdir(exist_ok=True)
        self._model = Path(shutil.copy(model, home / "models" / model.name))

    @property
    def conversations(self) -> Path:
        return self.home / "tendero.db"

    @property
    def _folder(self) -> Path:
        return PROJECT

    def _commands(self) -> list[list[str]]:
        endpoints = self.home / "endpoints.yml"
        endpoints.write_text(yaml.safe_dump({"action_endpoint": {"url": f"http://{HERE}:{self.action_port}/webhook"}}))
        credentials = self.home / "credentials.yml"
        credentials.write_text(self.credentials)
        files = ["--model", str(self._model), "--endpoints", str(endpoints), "--credentials", str(credentials)]
        serve = ["-m", "tendero.rasa_jobs.serve"]
        return [
            [*serve, "actions.server", "--port", str(self.action_port)],
            [*serve, "bot.server", *files, "-i", HERE, "-p", str(self.port)],
        ]


# What needs the shop's database: in a process of its own, since an engine belongs to one home.


def fill_demo(home: Path) -> None:
    if not (home / "tendero.db").exists():
        in_home(home, "fill")


def in_home(home: Path, *arguments: str) -> None:
    environment = {**for_child(), "TENDERO_HOME": str(home), "TENDERO_DATABASE_URL": f"sqlite:///{home / 'tendero.db'}"}
    command = [sys.executable, "-W", "ignore", "-m", "bench.systems"]
    subprocess.run(command, input=json.dumps(arguments), text=True, cwd=PROJECT, env=environment, check=True, timeout=300)


def _fill() -> None:
    from database import default_url
    from tendero import demo_shop, migrating

    migrating.upgrade(default_url())
    demo_shop.fill(default_url(), datetime.now(timezone.utc))


def _vouch(senders: dict[str, str]) -> None:
    import commerce.models  # noqa: F401
    from commerce.customers import by_contact
    from database import transaction
    from messaging.identities import assert_identity

    with transaction() as session:
        for sender, email in senders.items():
            customer = by_contact(session, email)
            assert customer is not None, email
            assert_identity(session, "rest", sender, customer.id, datetime.now(timezone.utc))


# What Linux tells of a process


def _children(pid: int) -> list[int]:
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(each) for each in file.read_text().split()]
    return [each for child in found for each in (child, *_children(child))]


def _cpu_seconds(pid: int) -> float:
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(each) for each in fields[11:13]) / TICKS  # utime, stime
    return 0.0


def _memory(pid: int) -> dict[str, float]:
    sizes: dict[str, Any] = {"rss": 0.0, "pss": 0.0}
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            kind = line.partition(":")[0].lower()
            if kind in sizes:
                sizes[kind] = int(line.split()[1]) / 1024
    return sizes


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    what, *arguments = json.load(sys.stdin)
    if what == "fill":
        _fill()
    else:
        _vouch(json.loads(arguments[0]))
