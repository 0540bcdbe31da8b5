"""The shop with its web chat as `tendero run` starts it, on the simulated WhatsApp too; and the chat as its shopper sees it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.widget import Panel
from tests.conversations.stage import ROOT
from tests.e2e.conftest import RunningShop, free_port, home_with_model, start, stop
from tests.e2e.test_crash import pid_of
from tests.whatsapp_simulator import Simulator, simulating

SHOTS = ROOT / "var" / "reports" / "screenshots"
PICTURE = ROOT / "web" / "products" / "ceramic-vase.png"
PATIENCE = 60_000  # milliseconds, on a busy machine
NUMBER = "525550000001"  # of the shop, on WhatsApp


@dataclass
class WebChatShop:
    """elsewhere: the port on which pages of other origins may be served, of which 127.0.0.1 is on the allow-list."""

    running: RunningShop
    simulator: Simulator
    environ: dict[str, str]
    elsewhere: int

    @property
    def url(self) -> str:
        return self.running.url

    def signed_in(self, person: str) -> str:
        """The token that the shop's server gives its page for a customer of the demo, by first name."""
        body = json.dumps({"person": person}).encode()
        request = urllib.request.Request(f"{self.url}/webhooks/demo_shop/sign-in", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.load(answer)["jwt"])

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.running.home / "tendero.db", timeout=30)) as database:
            return database.execute(query, values).fetchall()

    def change(self, query: str, *values: object) -> None:
        with contextlib.closing(sqlite3.connect(self.running.home / "tendero.db", timeout=30)) as database, database:
            database.execute(query, values)

    def said(self, text: str) -> int:
        """How often the shop has taken this from a shopper of the web chat."""
        [[count]] = self.rows("select count(*) from inbound_message where channel = 'webchat' and text = ?", text)
        return int(count)

    @contextlib.contextmanager
    def slow_to_act(self) -> Iterator[None]:
        """No turn comes to its end meanwhile."""
        server = pid_of(self.running, "actions.server")
        os.kill(server, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server, signal.SIGCONT)

    def die(self) -> None:
        """kill -9 of the server that shoppers are connected to; `tendero run` ends with it."""
        os.kill(pid_of(self.running, "bot.server"), signal.SIGKILL)
        self.running.process.wait(60)

    def start_again(self) -> None:
        self.running = _start(self.running.home, self.running.port, self.environ)


def _start(home: Path, port: int, environ: dict[str, str]) -> RunningShop:
    """With a port for the actions of its own: of two shops that start at once, both would take the first that is free."""
    return start(home, "--action-port", str(free_port()), port=port, **environ)


@contextlib.contextmanager
def open_shop(home: Path, **more: str) -> Iterator[WebChatShop]:
    """more: of the environment."""
    port, elsewhere = free_port(), free_port()
    with simulating(f"http://127.0.0.1:{port}/webhooks/whatsapp/webhook", demo=False) as simulator:
        chat = {"WEBCHAT_ORIGINS": f"http://127.0.0.1:{elsewhere}", "WEBCHAT_WHATSAPP": NUMBER}
        environ = {**simulator.environment, **chat, **more}
        shop = WebChatShop(_start(home_with_model(home), port, environ), simulator, environ, elsewhere)
        expect.set_options(timeout=PATIENCE)
        try:
            yield shop
        finally:
            expect.set_options(timeout=None)
            stop(shop.running)


class Chat(Panel):
    """The chat on a page of the real shop."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.from_shop = self.log.locator(".entry.shop:not(.welcome)")
        self.own = self.log.locator(".entry.shopper")

    def open(self) -> Chat:
        self.launcher.click()
        expect(self.box).to_be_visible()
        return self

    def asks(self, text: str, answer: str) -> Locator:
        """Say it, and wait for an entry of the shop with this answer in it."""
        return self.answered(answer, lambda: self.say(text))

    def taps(self, choice: str, answer: str) -> Locator:
        return self.answered(answer, lambda: self.log.locator(".choice:enabled", has_text=choice).last.click())

    def answered(self, answer: str, act: Callable[[], object]) -> Locator:
        those = self.from_shop.filter(has_text=re.compile(answer))
        entry = those.nth(those.count())
        act()
        expect(entry).to_be_visible()
        return entry

    def attach(self, file: Path) -> None:
        """It is uploaded, and goes with the next message."""
        with self.page.expect_file_chooser() as chooser:
            self.button("Add a picture or file").click()
        chooser.value.set_files(file)
        expect(self.button(f"Remove {file.name}")).to_be_visible()
        expect(self.panel.get_by_role("progressbar")).to_have_count(0)

    def has_been_read(self) -> None:
        """The newest message of the shopper."""
        expect(self.own.last).to_have_attribute("data-state", "read")

    def signs_in(self, jwt: str) -> None:
        self.page.evaluate("jwt => document.querySelector('tendero-chat').signIn(jwt)", jwt)
        expect(self.log).to_contain_text(re.compile("You're signed in|Ya iniciaste sesión"))

    def shot(self, name: str) -> None:
        """Kept for people to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SHOTS / f"webchat-{name}.png"), animations="disabled")


@contextlib.contextmanager
def another_site(port: int, html: str, policy: str) -> Iterator[None]:
    """A shop's own web server: one page, under any name of this machine. policy: its Content-Security-Policy."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_page = self.path == "/"
            self.send_response(200 if is_page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            if is_page:
                self.wfile.write(html.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
