"""kill -9 in the middle of a turn, in the shop as `make run` starts it: the message is answered after the next start, once."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.conftest import RunningShop, start, stop


def test_a_message_whose_server_was_killed_is_answered_after_the_next_start_and_once(shop: RunningShop) -> None:
    token = post(shop, "session", {})["token"]
    message = {"token": token, "id": "m1", "message": "where is my order 10232?"}
    os.kill(pid_of(shop, "actions.server"), signal.SIGSTOP)  # the turn waits for it
    threading.Thread(target=try_to_post, args=(shop, message), daemon=True).start()
    wait_until_taken(shop.home, token)
    os.kill(pid_of(shop, "bot.server"), signal.SIGKILL)
    shop.process.wait(60)  # the launcher ends when one of its servers does
    again = start(shop.home)
    try:
        first, repeated = (post(again, "webhook", message) for _ in range(2))
        assert first == repeated
        [reply] = first
        assert "which e-mail or phone number did you buy with?" in reply["text"]
        assert count(again.home, "inbound_message", token) == 1
        assert count(again.home, "events", token, "and type_name = 'user'") == 1
        assert count(again.home, "outbound_message", token) == 1
    finally:
        assert stop(again) == 0


def pid_of(shop: RunningShop, module: str) -> int:
    """The launcher's child that runs this module."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if module.encode() in command and int(parent) == shop.process.pid:
                return int(folder.name)
    raise AssertionError(f"no {module} runs below {shop.process.pid}")


def wait_until_taken(home: Path, token: str, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not count(home, "inbound_message", token, "and state = 'taken'"):
        assert time.monotonic() < until, "the message was not taken"
        time.sleep(0.02)


def count(home: Path, table: str, token: str, more: str = "") -> int:
    with contextlib.closing(sqlite3.connect(home / "tendero.db")) as database:
        sender = f"web-{token.partition('.')[0]}"
        return int(database.execute(f"select count(*) from {table} where sender_id = ? {more}", (sender,)).fetchone()[0])


def post(shop: RunningShop, route: str, body: object) -> Any:
    request = urllib.request.Request(
        f"{shop.url}/webhooks/webchat/{route}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def try_to_post(shop: RunningShop, body: object) -> None:
    with contextlib.suppress(OSError, urllib.error.URLError):
        post(shop, "webhook", body)
