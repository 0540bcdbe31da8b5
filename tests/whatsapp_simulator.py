"""The simulator of WhatsApp in a process of its own, for tests: write as a shopper, wait for replies, make things go wrong.

with simulating(webhook=f"http://127.0.0.1:{port}/webhooks/whatsapp/webhook") as whatsapp:
    ana = whatsapp.person("+525555010001")
    ana.say("hola")
    assert ana.reply()["shown"]["text"] == "¡Hola!"
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.plain_http import NO_TLS

ROOT = Path(__file__).resolve().parents[1]
PHONE_NUMBER_ID, BUSINESS_ACCOUNT_ID = "106540352242922", "102290129340398"
SECRETS = {
    "WHATSAPP_VERIFY_TOKEN": "verify-token-of-tests",
    "WHATSAPP_APP_SECRET": "app-secret-of-tests",
    "WHATSAPP_ACCESS_TOKEN": "access-token-of-tests",
}


@dataclass
class Person:
    """A shopper. `seen`: how many messages of the chat the test has looked at."""

    simulator: Simulator
    key: str
    seen: int = 0

    def say(self, text: str, **more: Any) -> dict[str, Any]:
        """The entry of a text; more: `at`, `id`, `reply_to` and so on (tendero.simulator.incoming)."""
        return self.send("text", text=text, **more)

    def send(self, type: str, **more: Any) -> dict[str, Any]:
        return self.simulator.control(f"shoppers/{self.key}/messages", {"type": type, **more})

    def tap(self, entry: dict[str, Any], title: str) -> dict[str, Any]:
        """A button or a row of a message, by its title or id."""
        return self.send("tap", message_id=entry["id"], title=title)

    def change(self, **more: Any) -> dict[str, Any]:
        """is_online, blocks_shop, takes_marketing, name, username, shows_phone."""
        return self.simulator.control(f"shoppers/{self.key}", more)

    def read(self) -> None:
        self.simulator.control(f"shoppers/{self.key}/read", {})

    @property
    def entries(self) -> list[dict[str, Any]]:
        return list(self.simulator.control(f"shoppers/{self.key}/entries")["entries"])

    @property
    def state(self) -> dict[str, Any]:
        return dict(self.simulator.control(f"shoppers/{self.key}/entries")["shopper"])

    def entry(self, message_id: str) -> dict[str, Any]:
        return next(each for each in self.entries if each["id"] == message_id)

    def reply(self, within: float = 20.0) -> dict[str, Any]:
        """The shop's next message that the test has not yet looked at; it has to come within so many seconds."""
        until = time.monotonic() + within
        while True:
            entries = self.entries
            for place in range(self.seen, len(entries)):
                if entries[place]["by"] == "shop":
                    self.seen = place + 1
                    return entries[place]
            assert time.monotonic() < until, f"no reply; refused: {self.simulator.state()['refused']}"
            time.sleep(0.05)

    def replies(self, quiet_seconds: float = 1.0, within: float = 20.0) -> list[dict[str, Any]]:
        """The shop's next messages, until it has been quiet for so long."""
        found = [self.reply(within)]
        until = time.monotonic() + quiet_seconds
        while time.monotonic() < until:
            new = [each for each in self.entries[self.seen :] if each["by"] == "shop"]
            if new:
                found.append(self.reply())
                until = time.monotonic() + quiet_seconds
            time.sleep(0.05)
        return found

    def wait_for(self, message_id: str, status: str, within: float = 10.0) -> dict[str, Any]:
        """The entry, as soon as it has this status (of the shop's: sent, delivered, read, failed; of theirs: delivered, read)."""
        until = time.monotonic() + within
        while status not in (entry := self.entry(message_id))["statuses"]:
            assert time.monotonic() < until, entry
            time.sleep(0.05)
        return entry


@dataclass
class Simulator:
    """url: where it is. environment: what a shop needs to be wired to it."""

    url: str
    process: subprocess.Popen[str]
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, trust_env=False, verify=NO_TLS))

    @property
    def environment(self) -> dict[str, str]:
        return environment_of(self.url)

    def control(self, path: str, body: dict[str, Any] | None = None, method: str = "") -> dict[str, Any]:
        """GET without a body, else POST."""
        method = method or ("GET" if body is None else "POST")
        answer = self.client.request(method, f"{self.url}/_simulator/{path}", json=body)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return dict(answer.json())

    def graph(self, method: str, path: str, token: str = SECRETS["WHATSAPP_ACCESS_TOKEN"], **more: Any) -> httpx.Response:
        """A request as the shop makes it. path: below the version."""
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.request(method, f"{self.url}/v26.0/{path}", headers=headers, **more)

    def send(self, body: dict[str, Any]) -> httpx.Response:
        return self.graph("POST", f"{PHONE_NUMBER_ID}/messages", json={"messaging_product": "whatsapp", **body})

    def person(self, key: str, name: str = "Test Person", **more: Any) -> Person:
        """Known by phone, user id or key; a phone that nobody has makes somebody new."""
        added = self.control("shoppers", {"name": name, "phone": key, **more})
        return Person(self, added["key"], seen=added["total"])

    def state(self) -> dict[str, Any]:
        return self.control("state?wait=0")

    @property
    def refused(self) -> list[dict[str, Any]]:
        return list(self.state()["refused"])

    def fault(self, kind: str, **more: Any) -> None:
        """kind: send, later or media (tendero.simulator.faults)."""
        self.control("faults", {"kind": kind, **more})

    def advance(self, hours: float = 0.0, seconds: float = 0.0) -> None:
        self.control("clock", {"advance": hours * 3600 + seconds})

    def run_at(self, factor: float) -> None:
        """So many simulated seconds a second."""
        self.control("clock", {"factor": factor})

    def reset(self) -> None:
        self.control("reset", {})


def environment_of(url: str) -> dict[str, str]:
    """What a shop needs to be wired to the simulator that is at this address."""
    numbers = {"WHATSAPP_PHONE_NUMBER_ID": PHONE_NUMBER_ID, "WHATSAPP_BUSINESS_ACCOUNT_ID": BUSINESS_ACCOUNT_ID}
    return {**SECRETS, **numbers, "WHATSAPP_GRAPH_API_URL": url}


@contextmanager
def simulating(webhook: str, seed: str = "1", demo: bool = True) -> Iterator[Simulator]:
    """Runs on a free port, until the block ends."""
    command = [sys.executable, "-W", "ignore", "-m", "tendero.simulator.server", "--webhook", webhook, "--seed", seed]
    numbers = ["--phone-number-id", PHONE_NUMBER_ID, "--business-account-id", BUSINESS_ACCOUNT_ID]
    environment = {**os.environ, **SECRETS, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*command, *numbers, *(["--demo"] if demo else [])], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        simulator = Simulator(line.removeprefix("listening on ").strip(), process)
        with simulator.client:
            yield simulator
    finally:
        process.terminate()
        process.wait(10)
