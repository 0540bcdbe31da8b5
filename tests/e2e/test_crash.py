"""kill -9 in the middle of a turn, in the shop as `make run` starts it: the message is answered after the next start, once."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from pathlib import Path

from tests.e2e.conftest import RunningShop, start, stop
from tests.webchat_client import Client, words_of


def test_a_message_whose_server_was_killed_is_answered_after_the_next_start_and_once(shop: RunningShop) -> None:
    client = Client(shop.url)
    client.hello(language="en")
    os.kill(pid_of(shop, "actions.server"), signal.SIGSTOP)  # the turn waits for it
    client.say("where is my order 10232?", id="m1", replies=0)
    wait_until_taken(shop.home)
    os.kill(pid_of(shop, "bot.server"), signal.SIGKILL)
    client.close()
    shop.process.wait(60)  # the launcher ends when one of its servers does
    again = start(shop.home, port=shop.port)
    try:
        client.again()
        _, reply = client.say("where is my order 10232?", id="m1")
        assert "which e-mail or phone number did you buy with?" in words_of(reply)
        assert not [entry for frame in client.quiet(1) for entry in frame.get("entries", ()) if entry["by"] == "assistant"]
        client.close()
        assert count(again.home, "inbound_message") == 1
        assert count(again.home, "events", "and type_name = 'user'") == 1
        assert count(again.home, "outbound_message") == 1
        assert count(again.home, "chat_entry") == 2
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


def wait_until_taken(home: Path, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not count(home, "inbound_message", "and state = 'taken'"):
        assert time.monotonic() < until, "the message was not taken"
        time.sleep(0.02)


def count(home: Path, table: str, more: str = "") -> int:
    """Rows of the only web conversation."""
    with contextlib.closing(sqlite3.connect(home / "tendero.db")) as database:
        return int(database.execute(f"select count(*) from {table} where sender_id like 'web-%' {more}").fetchone()[0])
