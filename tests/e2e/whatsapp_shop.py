"""A shop on WhatsApp, of real processes: Rasa's servers (which may be killed), the action server, and the simulated WhatsApp."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.channels.whatsapp.templates import templates
from database import engine_for, transaction
from messaging.models import ChannelAddress, InboundMessage, OutboundMessage
from messaging.turns import inbox, outbox
from tendero import demo_shop, migrating
from tendero.whatsapp.approved import to_create
from tests.balancer import Balancer
from tests.conversations.stage import ROOT, trained_model
from tests.e2e.conftest import free_port
from tests.whatsapp_simulator import Person, Simulator, simulating

CHANNEL = "whatsapp"
STARTS_WITHIN = 120.0
ASKS = "where is my order 10232?"
ASKED = "which e-mail or phone number did you buy with?"


@dataclass
class WhatsAppShop:
    """home: a folder of its own. servers: how many that answer, on one database."""

    home: Path
    database: str
    ports: list[int]
    action_port: int
    simulator: Simulator
    environment: dict[str, str]
    model: Path = field(default_factory=trained_model)
    servers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)  # by port
    phones: Iterator[int] = field(default_factory=lambda: iter(range(12025550200, 12025559999)))

    # Processes

    def start(self, port: int) -> None:
        files = ["--model", str(self.model), "--endpoints", str(self.home / "endpoints.yml")]
        where = ["--credentials", str(self.home / "credentials.yml"), "-i", "127.0.0.1", "-p", str(port)]
        self.servers[port] = self._spawn("tests.e2e.hasty_server", [*files, *where], f"server-{port}.log")

    def start_actions(self) -> subprocess.Popen[bytes]:
        return self._spawn("actions.server", ["--port", str(self.action_port)], "actions.log")

    def kill(self, port: int) -> None:
        """kill -9."""
        self.servers[port].kill()
        self.servers.pop(port).wait(30)

    def wait_until_up(self) -> None:
        for port, process in self.servers.items():
            until(lambda process=process, port=port: _is_up(process, port), f"the server on {port} answers", STARTS_WITHIN)

    def stop(self) -> None:
        for process in self.servers.values():
            process.terminate()
        for process in self.servers.values():
            process.wait(30)

    def _spawn(self, module: str, arguments: list[str], log: str) -> subprocess.Popen[bytes]:
        with (self.home / log).open("ab") as output:
            command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
            return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=output, stderr=output)

    # People

    def somebody(self, name: str = "Somebody") -> Person:
        """A new person with a phone."""
        return self.simulator.person(f"+{next(self.phones)}", name)

    def people(self, count: int) -> list[Person]:
        return [self.somebody(f"Somebody {number}") for number in range(count)]

    def sender_id(self, person: Person) -> str:
        with transaction(self.database) as session:
            named = select(ChannelAddress.sender_id).where(ChannelAddress.value == f"+{person.key}")
            return str(session.execute(named).scalar_one())

    def newest_code(self) -> str:
        """Mail goes out beside the turns: it may take a moment to come."""
        until(lambda: bool(self._codes()), "a code has come by mail")
        return self._codes()[-1]

    def _codes(self) -> list[str]:
        """Those in the mails that are there, the newest last."""
        found = []
        for file in sorted((self.home / "outbox").glob("*.eml")):
            subject = str(message_from_bytes(file.read_bytes(), policy=policy.default)["subject"])
            found += re.findall(r"(?<!\d)\d{6}(?!\d)", subject)
        return found

    def forget_mail(self) -> None:
        for file in (self.home / "outbox").glob("*.eml"):
            file.unlink()

    # What came of it

    @property
    def is_quiet(self) -> bool:
        """Nothing waits to be answered or sent."""
        with transaction(self.database) as session:
            return not inbox.senders_waiting(session) and not outbox.senders_waiting(session, [CHANNEL])

    def states(self, person: Person) -> list[str]:
        """Of the replies, in order."""
        of_theirs = select(OutboundMessage.state).where(OutboundMessage.sender_id == self.sender_id(person))
        with transaction(self.database) as session:
            return list(session.execute(of_theirs.order_by(OutboundMessage.id)).scalars())

    def messages(self, person: Person) -> list[str]:
        """The states of what they wrote."""
        of_theirs = select(InboundMessage.state).where(InboundMessage.sender_id == self.sender_id(person))
        with transaction(self.database) as session:
            return list(session.execute(of_theirs.order_by(InboundMessage.id)).scalars())

    def ready(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[0]}/ready", timeout=30) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))


@contextlib.contextmanager
def open_shop(home: Path, database: str = "", servers: int = 1, **environ: str) -> Iterator[WhatsAppShop]:
    """The demo shop, open for messages. database: a URL; else SQLite in `home`."""
    database = database or f"sqlite:///{home / 'tendero.db'}"
    *ours, action_port = (free_port() for _ in range(servers + 1))
    migrating.upgrade(database)
    demo_shop.fill(database, datetime.now(timezone.utc))
    (home / "endpoints.yml").write_text(f"action_endpoint: {{url: 'http://127.0.0.1:{action_port}/webhook'}}\n")
    (home / "credentials.yml").write_text("bot.channels.whatsapp.WhatsAppInput: {}\n")
    with contextlib.ExitStack() as stack:
        entrance = ours[0] if servers == 1 else stack.enter_context(_any_of(ours))
        simulator = stack.enter_context(simulating(f"http://127.0.0.1:{entrance}/webhooks/whatsapp/webhook", demo=False))
        for template in templates(ROOT / "data" / "templates" / "whatsapp.yml").all:
            simulator.control("templates", {**to_create(template), "status": "APPROVED"})
        own = {"TENDERO_HOME": str(home), "TENDERO_DATABASE_URL": database, "PYTHONPATH": str(ROOT)}
        shop = WhatsAppShop(
            home, database, ours, action_port, simulator, {**os.environ, **simulator.environment, **own, **environ}
        )
        actions = shop.start_actions()
        stack.callback(actions.wait, 30)
        stack.callback(actions.terminate)
        stack.callback(shop.stop)
        for port in ours:
            shop.start(port)
        shop.wait_until_up()
        until(lambda: shop.ready()["ready"], "the action server answers", STARTS_WITHIN)
        yield shop
        engine_for(database).dispose()


@contextlib.contextmanager
def _any_of(ports: list[int]) -> Iterator[int]:
    """The port of a load balancer, as simple as can be: each connection goes to the next server that takes it."""
    balancer = Balancer(ports)
    yield balancer.port
    balancer.close()


def sent_keys(person: Person) -> Counter[str]:
    """How often each reply was taken by WhatsApp, by the mark that it carries."""
    return Counter(entry["wire"]["biz_opaque_callback_data"] for entry in person.entries if entry["by"] == "shop")


def shown(person: Person) -> list[str]:
    """The shop's texts on the phone."""
    return [entry["shown"].get("text", "") for entry in person.entries if entry["by"] == "shop"]


def answered_once(shop: WhatsAppShop, people: list[Person], texts: tuple[str, ...] = (ASKED,)) -> None:
    """As soon as nothing is to be done any more, everybody has these answers, each of them once."""
    until(lambda: shop.is_quiet and all(len(shown(each)) >= len(texts) for each in people), "all are answered")
    for person in people:
        said = shown(person)
        assert len(said) == len(texts), said
        assert all(part in text for part, text in zip(texts, said, strict=True)), said
        assert set(sent_keys(person).values()) == {1}


def answers(people: list[Person]) -> int:
    return sum(len(shown(each)) for each in people)


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for it; an AssertionError says what did not come."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"after {seconds:g} s it is still not so: {what}"
        time.sleep(0.05)


def _is_up(process: subprocess.Popen[bytes], port: int) -> bool:
    assert process.poll() is None, "the server ended"
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
        return bool(answer.status == 200)
    return False
