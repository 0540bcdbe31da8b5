"""Wishes reach the servers that run, which say what has become of them; nobody hears of those that are gone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from messaging.turns import wishes
from messaging.turns.wishes import Refused, Server, Wish, follow, running, wish

STARTED = """
import sys, time
from pathlib import Path
from messaging.turns.wishes import Presence
presence = Presence(Path(sys.argv[1]), "assistant", model="old")
print("here", flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wishes, "LOOK_EVERY", 0.01)


async def until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


def only(home: Path) -> Server:
    [server] = running(home)
    return server


async def test_a_wish_is_fulfilled_once_and_its_outcome_is_told(tmp_path: Path) -> None:
    heard: list[Wish] = []

    async def fulfil(wished: Wish) -> str:
        heard.append(wished)
        return str(wished.model)

    end = follow(tmp_path, "assistant", fulfil, model="old", code="c")
    assert (only(tmp_path).model, only(tmp_path).wish) == ("old", "")
    wished = wish(tmp_path, "assistant", "new")
    await until(lambda: only(tmp_path).wish == wished)
    assert (only(tmp_path).model, only(tmp_path).error, only(tmp_path).code) == ("new", "", "c")
    await asyncio.sleep(0.1)
    assert heard == [Wish(wished, "new")]
    end()
    assert running(tmp_path) == []


@pytest.mark.parametrize(("error", "told"), [(Refused("not that one"), "not that one"), (ValueError("why"), "ValueError: why")])
async def test_what_cannot_be_fulfilled_is_told_and_later_wishes_are_heard(tmp_path: Path, error: Exception, told: str) -> None:
    async def fulfil(wished: Wish) -> str:
        if wished.model == "bad":
            raise error
        return str(wished.model)

    end = follow(tmp_path, "assistant", fulfil, model="old")
    bad = wish(tmp_path, "assistant", "bad")
    await until(lambda: only(tmp_path).wish == bad)
    assert (only(tmp_path).model, only(tmp_path).error) == ("old", told)
    good = wish(tmp_path, "assistant", "good")
    await until(lambda: only(tmp_path).wish == good)
    assert (only(tmp_path).model, only(tmp_path).error) == ("good", "")
    end()


async def test_what_was_wished_before_the_start_and_of_others_is_no_wish(tmp_path: Path) -> None:
    async def fulfil(wished: Wish) -> str:
        raise AssertionError(wished)

    wish(tmp_path, "assistant", "older")
    end = follow(tmp_path, "assistant", fulfil, model="started with")
    wish(tmp_path, "actions")
    await asyncio.sleep(0.2)
    assert (only(tmp_path).model, only(tmp_path).wish) == ("started with", "")
    end()


def test_a_server_that_was_killed_is_seen_no_more(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", STARTED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    assert only(tmp_path) == Server("assistant", only(tmp_path).name, process.pid, "old")
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    assert running(tmp_path) == []
    assert list((tmp_path / "running").iterdir()) == []


async def test_where_nothing_can_be_written_the_server_runs_all_the_same(tmp_path: Path) -> None:
    async def fulfil(wished: Wish) -> str:
        return ""

    (tmp_path / "running").write_text("no folder")
    follow(tmp_path, "assistant", fulfil)()
