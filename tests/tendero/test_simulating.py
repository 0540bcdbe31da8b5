"""`tendero simulate whatsapp`: what is started, how it is wired, and what it refuses to do."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from bot.channels.whatsapp.settings import WhatsAppSettings
from tendero import running, simulating
from tendero.cli import cli
from tendero.environment import PROJECT
from tendero.obstacles import Obstacle
from tendero.settings import Settings
from tendero.simulator import server
from tests.tendero.simulator.receiver import receiving


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def api_only(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running command, and what it has said up to its start."""
    command = [sys.executable, "-W", "ignore", "-m", "tendero", "simulate", "whatsapp", "--api-only", *options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""
    try:
        assert process.stdout is not None
        while "listening on" not in said and (line := process.stdout.readline()):
            said += line
        yield process, said
    finally:
        process.kill()
        process.wait(10)


def test_simulator_alone_says_what_a_bot_needs_and_ends_with_ctrl_c() -> None:
    port = free_port()
    with receiving() as bot, api_only("--port", str(port), "--webhook", bot.url) as (process, said):
        variables = dict(re.findall(r"^export (WHATSAPP_\w+)=(\S+)$", said, re.MULTILINE))
        settings = WhatsAppSettings.of({}, variables)
        assert settings.missing == []
        headers = {"Authorization": f"Bearer {settings.access_token}"}
        answer = httpx.get(f"{settings.base_url}/{settings.phone_number_id}", headers=headers, timeout=20)
        assert answer.json()["id"] == settings.phone_number_id
        assert "<title>Simulated WhatsApp</title>" in httpx.get(f"http://localhost:{port}/").text
        assert f"webhooks go to {bot.url}" in said
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_secrets_are_new_at_each_start_and_people_are_not() -> None:
    first, second = simulating.Wiring.anew(8090, 5005), simulating.Wiring.anew(8090, 5005)
    for name in ("WHATSAPP_VERIFY_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_ACCESS_TOKEN"):
        assert first.variables[name] != second.variables[name]
        assert first.variables[name] not in repr(first)
        assert first.variables[name] not in " ".join(first.arguments)  # anybody can list processes and their arguments
    for name in ("WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_BUSINESS_ACCOUNT_ID", "WHATSAPP_GRAPH_API_URL"):
        assert first.variables[name] == second.variables[name]


def test_shop_and_simulator_start_wired_to_each_other(home: Path, runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop itself is started by `running.run`, whose own tests are elsewhere."""
    ran: list[tuple[Settings, running.Beside]] = []
    monkeypatch.setattr(running, "run", lambda settings, beside: ran.append((settings, beside)) or 0)
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", "a real one")
    monkeypatch.setenv("WHATSAPP_GRAPH_API_URL", "https://graph.facebook.com")
    wiring = simulating.Wiring.anew(free_port(), free_port())
    for name in wiring.variables:
        monkeypatch.setenv(name, os.environ.get(name, ""))  # put back after the test
    assert simulating.run_with_shop(wiring) == 0
    [(settings, beside)] = ran
    assert (settings.port, settings.home) == (wiring.shop_port, home)
    assert WhatsAppSettings.of({}).base_url == f"http://127.0.0.1:{wiring.port}/v26.0"
    assert WhatsAppSettings.of({}).access_token == wiring.variables["WHATSAPP_ACCESS_TOKEN"]
    assert any(wiring.page in line for line in beside.told)
    home.mkdir()
    child = beside.start()
    try:
        answer = None
        while answer is None:
            child.raise_if_dead()
            try:
                answer = httpx.get(f"http://127.0.0.1:{wiring.port}/_simulator/state?wait=0", timeout=5)
            except httpx.TransportError:
                continue
        assert answer.json()["webhook"] == f"http://127.0.0.1:{wiring.shop_port}/webhooks/whatsapp/webhook"
        assert "Ana García" in [each["name"] for each in answer.json()["shoppers"]]
        checked = runner.invoke(cli, ["whatsapp", "templates"])
        assert checked.exit_code == 0, checked.output
        assert "tendero_news" in checked.output
        checked = runner.invoke(cli, ["whatsapp", "check"])
        assert checked.exit_code == 0, checked.output
    finally:
        child.stop()


@pytest.mark.parametrize(
    ("written", "is_refused"),
    [
        ("{}", False),
        ("{access_token: '${WHATSAPP_ACCESS_TOKEN}', graph_api_version: v25.0}", False),
        ("{access_token: EAAG}", True),
        ("{graph_api_url: 'https://graph.facebook.com'}", True),
        ("{access_token: '${OUR_TOKEN}'}", True),
    ],
)
def test_credentials_of_a_real_number_are_not_simulated_with(tmp_path: Path, written: str, is_refused: bool) -> None:
    (tmp_path / "credentials.yml").write_text(f"bot.channels.whatsapp.WhatsAppInput: {written}\n")
    if is_refused:
        with pytest.raises(Obstacle, match="real people"):
            simulating.check_credentials(tmp_path)
    else:
        simulating.check_credentials(tmp_path)


@pytest.mark.parametrize(
    "url", ["https://shop.example/webhook", "http://127.0.0.1.shop.example/", "http://[::2]/", "ftp://localhost/", "x"]
)
def test_webhook_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(Obstacle):
        server.check_webhook(url, allow_remote=False)


def test_webhook_elsewhere_can_be_allowed() -> None:
    server.check_webhook("https://shop.example/webhook", allow_remote=True)
    server.check_webhook("http://[::1]:5005/webhook", allow_remote=False)


def test_taken_port_and_options_that_do_not_go_together_are_told(runner: CliRunner) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result: Any = runner.invoke(cli, ["simulate", "whatsapp", "--api-only", "--port", str(taken.getsockname()[1])])
        assert isinstance(result.exception, Obstacle)
        assert "Choose another with --port" in str(result.exception)
    result = runner.invoke(cli, ["simulate", "whatsapp", "--webhook", "http://127.0.0.1:1/"])
    assert result.exit_code == 2
    assert "go with --api-only" in result.output
    result = runner.invoke(cli, ["simulate", "whatsapp", "--port", "5005", "--shop-port", "5005"])
    assert isinstance(result.exception, Obstacle)
