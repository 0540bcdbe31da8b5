"""The shop as `make run` starts it: real processes, a real database, real HTTP."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import ARGUMENTS, browser_path
from tests.conversations.stage import ROOT, trained_model

__all__ = ["browser_path"]
STARTS_WITHIN = 240  # seconds, on a busy machine


@dataclass
class RunningShop:
    home: Path
    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def say(self, sender: str, message: str) -> list[dict[str, Any]]:
        """A message through Rasa's REST channel, and its answers."""
        body = json.dumps({"sender": sender, "message": message}).encode()
        request = urllib.request.Request(f"{self.url}/webhooks/rest/webhook", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            return list(json.load(response))

    def words(self, sender: str, message: str) -> str:
        return "\n".join(reply.get("text") or "" for reply in self.say(sender, message))

    def newest_code(self) -> str:
        """The code that `tendero outbox` shows."""
        mails = json.loads(tendero(self.home, "outbox", "--json", "-n", "1").stdout)
        found = re.search(r"\d{6}", mails[0]["subject"])
        assert found is not None
        return found[0]


def tendero(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "tendero", *arguments]
    environment = {**os.environ, "TENDERO_HOME": str(home)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True)


def start(home: Path, *options: str, project: Path = ROOT, port: int = 0, **environ: str) -> RunningShop:
    """port: 0: any that is free. environ: more environment variables."""
    port = port or free_port()
    command = [sys.executable, "-W", "ignore", "-m", "tendero", "run", "--port", str(port), *options]
    environment = {**os.environ, "TENDERO_HOME": str(home), "PYTHONPATH": str(project), **environ}
    output = (home / "run.log").open("w")
    process = subprocess.Popen(command, cwd=project, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True)
    shop = RunningShop(home, port, process)
    _wait_until_it_answers(shop)
    return shop


def stop(shop: RunningShop) -> int:
    """Ctrl-C; the exit code."""
    if shop.process.poll() is None:
        shop.process.send_signal(signal.SIGINT)
    return shop.process.wait(60)


def home_with_model(home: Path) -> Path:
    """The folder, with the trained model in it: training is tested elsewhere."""
    (home / "models").mkdir()
    model = trained_model()
    shutil.copy(model, home / "models" / model.name)
    return home


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(shop: RunningShop) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while "Tendero answers at" not in (said := (shop.home / "run.log").read_text()):
        assert shop.process.poll() is None, f"`tendero run` ended: {said}"
        assert time.monotonic() < until, f"`tendero run` does not answer: {said}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShop]:
    shop = start(home_with_model(tmp_path_factory.mktemp("home")))
    yield shop
    stop(shop)


@pytest.fixture(scope="module")
def browser(browser_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        yield browser
        browser.close()
