"""`/health`, `/ready` and `/metrics`: over HTTP, of a server that listens on every address."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from bot import status
from database import transaction
from messaging.models import InboundMessage
from tendero import migrating
from tests.conversations.stage import ROOT, trained_model

ROUTES = ("/health", "/ready", "/metrics")
TOKEN = "a token that only tests know"
STARTS_WITHIN = 120.0


@dataclass
class Server:
    home: Path
    port: int
    action_port: int

    @property
    def database(self) -> str:
        return f"sqlite:///{self.home / 'tendero.db'}"

    def get(self, path: str, host: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(f"http://{host}:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def say(self, text: str) -> list[str]:
        """What Rasa's REST channel answers."""
        body = json.dumps({"sender": "somebody", "message": text}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/webhooks/rest/webhook", body)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [reply["text"] for reply in json.load(answer)]

    def ready(self) -> tuple[int, list[str]]:
        status, body = self.get("/ready")
        return status, json.loads(body)["missing"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without an action server."""
    with _server(tmp_path_factory.mktemp("status"), TENDERO_STATUS_TOKEN=TOKEN) as server:
        yield server


@contextlib.contextmanager
def _server(home: Path, **environ: str) -> Iterator[Server]:
    server = Server(home, _free_port(), _free_port())
    migrating.upgrade(server.database)
    (home / "endpoints.yml").write_text(f"action_endpoint: {{url: 'http://127.0.0.1:{server.action_port}/webhook'}}\n")
    (home / "credentials.yml").write_text("rest:\n")
    files = ["--model", str(trained_model()), "--endpoints", str(home / "endpoints.yml")]
    where = ["--credentials", str(home / "credentials.yml"), "-i", "0.0.0.0", "-p", str(server.port)]
    command = [sys.executable, "-W", "ignore", "-m", "bot.server", *files, *where]
    known = {name: value for name, value in os.environ.items() if name not in ("TENDERO_DATABASE_URL", "TENDERO_STATUS_TOKEN")}
    with (home / "log").open("w") as log:
        running = subprocess.Popen(command, cwd=ROOT, env={**known, "TENDERO_HOME": str(home), **environ}, stdout=log, stderr=log)
        try:
            wait_until(lambda: _answers(server, running))
            yield server
        finally:
            running.terminate()
            running.wait(30)


def _answers(server: Server, running: subprocess.Popen[Any]) -> bool:
    assert running.poll() is None, (server.home / "log").read_text()
    with contextlib.suppress(OSError):
        return server.get("/health")[0] == 200
    return False


@pytest.fixture
def actions(server: Server) -> Iterator[None]:
    """Something that answers where the action server should be."""
    healthy = HTTPServer(("127.0.0.1", server.action_port), _Healthy)
    threading.Thread(target=healthy.serve_forever, daemon=True).start()
    yield
    healthy.shutdown()
    healthy.server_close()


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        return


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def other_address() -> str:
    """An address of this machine that is not its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 1))  # nothing is sent
        except OSError:
            pytest.skip("this machine has no network")
        address = str(probe.getsockname()[0])
    return pytest.skip("this machine has no network") if address.startswith("127.") else address


def test_it_is_ready_once_everything_that_it_needs_is_there(server: Server, actions: None) -> None:
    assert server.ready() == (200, [])
    assert json.loads(server.get("/ready")[1])["model"] == trained_model().name


def test_a_missing_action_server_is_named(server: Server) -> None:
    assert server.ready() == (503, ["actions"])
    assert server.get("/health") == (200, '{"status":"ok"}')


def test_a_backlog_that_is_too_old_is_named_and_measured(server: Server, actions: None) -> None:
    old = datetime.now(timezone.utc) - timedelta(minutes=5)
    known: dict[str, Any] = {"channel": "test", "sender_id": "s", "text": "", "trace_id": "0" * 32, "state": "waiting"}
    with transaction(server.database) as session:
        session.add(InboundMessage(provider_id="old", received_at=old, **known))
    try:
        assert server.ready() == (503, ["backlog"])
        values = _values(server.get("/metrics")[1])
        assert values['tendero_backlog{of="messages"}'] == 1
        assert 300 <= values['tendero_backlog_oldest_seconds{of="messages"}'] < 400
    finally:
        with transaction(server.database) as session:
            session.query(InboundMessage).delete()
    assert server.ready() == (200, [])


def test_a_database_that_cannot_be_asked_is_named(server: Server, actions: None) -> None:
    def rename(old: str, new: str) -> None:
        with contextlib.closing(sqlite3.connect(server.home / "tendero.db")) as database:
            database.execute(f"ALTER TABLE {old} RENAME TO {new}")

    rename("inbound_message", "hidden")
    try:
        assert server.ready() == (503, ["database", "backlog"])
        assert _values(server.get("/metrics")[1])["tendero_database_up"] == 0
    finally:
        rename("hidden", "inbound_message")
    assert server.ready() == (200, [])


async def test_a_server_without_a_model_is_not_ready(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_DATABASE_URL", server.database)
    assert (await status.readiness(None))["missing"] == ["model", "actions"]


@pytest.mark.parametrize("route", ROUTES)
def test_from_elsewhere_the_token_is_needed(server: Server, route: str) -> None:
    host = other_address()
    assert server.get(route, host)[0] == 401
    assert server.get(route, host, Authorization="Bearer wrong")[0] == 401
    assert server.get(route, host, Authorization="Bearer ")[0] == 401
    assert server.get(route, host, Authorization=f"Bearer {TOKEN}")[0] in (200, 503)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_comes_through_a_web_server_on_this_machine_is_from_elsewhere(server: Server, route: str, header: str) -> None:
    assert server.get(route, **{header: "127.0.0.1"})[0] == 401


def test_the_metrics_are_prometheus_text(server: Server) -> None:
    values = _values(server.get("/metrics")[1])
    assert values["tendero_database_up"] == 1
    assert values['tendero_backlog{of="messages"}'] == values['tendero_backlog{of="replies"}'] == 0


def _values(page: str) -> dict[str, float]:
    samples = [line.rpartition(" ") for line in page.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in samples}


def test_without_a_token_of_its_own_no_token_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same check in this process: a second server would only take time."""
    monkeypatch.delenv(status.TOKEN, raising=False)
    for given in ("Bearer", "Bearer ", f"Bearer {TOKEN}"):
        request: Any = SimpleNamespace(ip="192.0.2.1", headers={"authorization": given})
        assert not status._is_from_here(request)
        assert not status._has_token(request)


def test_who_cannot_be_heard_is_told_so_and_nothing_is_kept(tmp_path: Path) -> None:
    with _server(tmp_path, TENDERO_MOST_WAITING="0") as server:
        assert [words[:49] for words in server.say("where is my order?")] == ["A lot of people are writing to us right now and I"]
        with transaction(server.database) as session:
            assert session.execute(select(func.count()).select_from(InboundMessage)).scalar_one() == 0
        assert 'tendero_messages_refused_total{channel="rest"} 1.0' in server.get("/metrics")[1]
