"""Whoever comes back gets exactly what they have missed: after a lost connection, in another tab, from a server begun anew."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.channels.webchat.conversation import Conversation
from messaging import chat_log
from tests.bot.webchat.server import Served, wait_until
from tests.webchat_client import Client, Gone, Refused, words_of


def test_after_a_reconnect_exactly_what_is_missing_comes_in_order(server: Served, client: Client) -> None:
    client.say("one")
    client.close()
    fill(server, 3, 130)  # more than two pages
    client.frames.clear()
    client.again()
    client.entry(lambda each: each["seq"] == 132)
    came = [entry["seq"] for frame in client.frames if frame["type"] == "entries" for entry in frame["entries"]]
    assert came == list(range(3, 133))
    assert not client.twice


def test_without_after_the_newest_page_comes_and_then_the_ones_before(server: Served, client: Client) -> None:
    client.say("one")
    fill(server, 3, 118)
    client.close()
    client.entries.clear()
    assert client.hello()["seq"] == 120
    client.until(lambda each: each["type"] == "entries" and each["more"])
    assert sorted(client.entries) == list(range(71, 121))
    client.send({"type": "more", "before": 71})
    client.until(lambda each: each["type"] == "entries" and each["more"])
    client.send({"type": "more", "before": 21})
    last = client.until(lambda each: each["type"] == "entries")
    assert not last["more"]
    assert sorted(client.entries) == list(range(1, 121))
    assert not client.twice


def test_a_frame_whose_answer_was_lost_is_sent_again_after_the_reconnect(server: Served, client: Client) -> None:
    client.send({"type": "say", "id": "m-1", "text": "hello"})
    client.close()
    client.again()
    client.say("hello", id="m-1")
    assert client.texts == ["hello", "you said hello"]
    assert len(server.inbox()) == 1


def test_a_frame_that_was_taken_long_ago_is_answered_with_its_entry_again(server: Served, client: Client) -> None:
    own, _ = client.say("hello", id="m-1")
    client.frames.clear()
    client.send({"type": "say", "id": "m-1", "text": "hello"})
    client.until(lambda each: each == {"type": "entries", "entries": [own], "more": False})
    client.again()
    client.send({"type": "say", "id": "m-1", "text": "something else"})
    client.until(lambda each: each == {"type": "entries", "entries": [own], "more": False})
    assert client.quiet() == []
    assert len(server.inbox()) == 1


def test_what_nobody_tells_of_is_found_all_the_same(server: Served, client: Client) -> None:
    client.say("one")
    fill(server, 3, 1)
    client.entry(lambda each: each["seq"] == 3, 8)


def test_a_conversation_is_another_one_for_another_visitor(connect: Callable[..., Client]) -> None:
    first, second = connect(), connect()
    assert first.hello()["conversation"] != second.hello()["conversation"]
    assert first.again()["conversation"] == first.conversation


# The server ends


def test_a_server_that_stops_says_so_and_when_to_come_back(server: Served, client: Client) -> None:
    if client.over == "exchange":
        pytest.skip("a request that waits is tried below")
    server.thread.say_goodbye()
    bye = client.until(lambda each: each["type"] == "bye")
    assert bye["why"] == "restart"
    assert 0 < bye["after"] < 10
    with pytest.raises(Gone):
        client.next(5)


def test_a_request_that_waits_is_answered_when_the_server_stops(server: Served, connect: Callable[..., Client]) -> None:
    client = connect("exchange")
    client.hello(after=0)
    timer = server.thread.later(0.5, server.thread.say_goodbye)
    assert client.until(lambda each: each["type"] == "bye")["why"] == "restart"
    timer.join(10)


@pytest.fixture
def process(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], subprocess.Popen[str]]]:
    """Servers in processes of their own, on one database and one port; `seconds`: that a turn takes."""
    running: list[subprocess.Popen[str]] = []
    port = 0
    monkeypatch.setenv("TENDERO_DATABASE_URL", database_url)

    def start(seconds: float) -> subprocess.Popen[str]:
        nonlocal port
        command = [sys.executable, "-m", "tests.bot.webchat.server", database_url, str(port), str(seconds)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert running[-1].stdout is not None
        port = int(running[-1].stdout.readline())
        running[-1].url = f"http://127.0.0.1:{port}"  # type: ignore[attr-defined]
        return running[-1]

    yield start
    for each in running:
        each.kill()
        each.wait(10)


@pytest.mark.parametrize("over", ["socket", "exchange"])
def test_a_server_that_is_killed_in_the_middle_of_a_turn_still_replies_once(process: Any, over: Any, database_url: str) -> None:
    first = process(3600)
    client = Client(first.url, over)
    client.hello()
    client.say("hello", id="m-1", replies=0)
    client.until(lambda each: each["type"] == "marks")  # the turn is under way
    os.kill(first.pid, signal.SIGKILL)
    first.wait(10)
    client.close()
    process(0)
    client.again()
    client.entry(lambda each: each["by"] == "assistant")
    assert not client.twice
    client.say("hello", id="m-1", replies=0)
    client.say("more")
    client.quiet(0.5)
    client.close()
    assert client.texts == ["hello", "you said hello", "more", "you said more"]


# Connections that end


def test_a_connection_that_says_nothing_is_closed(serve: Callable[..., Served], connect: Callable[..., Client]) -> None:
    client = connect(to=serve(idle_seconds=2.5))
    client.hello()
    for _ in range(3):
        client.quiet(1.0)
        client.send({"type": "ping"})
        client.until(lambda each: each["type"] == "pong")
    assert client.until(lambda each: each["type"] == "bye")["why"] == "idle"
    with pytest.raises(Gone):
        client.next(5)
    client.again()


def test_so_is_one_that_never_says_hello(serve: Callable[..., Served], connect: Callable[..., Client]) -> None:
    server = serve(idle_seconds=0.4)
    client = connect(to=server)
    client.connect()
    assert client.until(lambda each: each["type"] == "bye", 5)["why"] == "idle"
    client.close()
    wait_until(lambda: server.connections == 0)


def test_whoever_waits_for_a_slow_answer_is_not_silent(
    serve: Callable[..., Served], connect: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = Conversation.take

    async def take(conversation: Conversation, frame: Any) -> Any:
        await asyncio.sleep(1.0)
        return await takes(conversation, frame)

    monkeypatch.setattr(Conversation, "take", take)
    client = connect(to=serve(idle_seconds=0.6))
    client.hello()
    assert [frame["type"] for frame in client.frames] == ["welcome"]


def test_nothing_is_left_of_connections_that_are_gone(server: Served, connect: Callable[..., Client]) -> None:
    for over in ("socket", "exchange"):
        for _ in range(5):
            client = connect(over)
            client.hello()
            client.say("hello")
            client.close()
    wait_until(lambda: server.connections == 0)
    assert server.thread.channel._hub._joined == {}


# Another conversation


def test_after_a_restart_the_old_conversation_cannot_be_opened(
    server: Served, client: Client, connect: Callable[..., Client]
) -> None:
    client.say("a secret")
    old = client.token
    other_tab = connect()
    other_tab.token = old
    other_tab.hello()
    before = client.conversation
    client.send({"type": "restart"})
    client.until(lambda each: each["type"] == "welcome")
    assert client.conversation != before
    assert client.token != old
    assert client.entries == {}
    assert other_tab.until(lambda each: each["type"] == "bye") == {"type": "bye", "why": "restart", "after": 0}
    thief = connect()
    thief.token = old
    with pytest.raises(Refused) as refused:
        thief.hello()
    assert refused.value.why == "unknown_visitor"
    assert [words_of(entry) for entry in client.say("new")] == ["new", "you said new"]
    assert len({claim.sender_id for claim in server.handler.heard}) == 2


def test_a_conversation_that_was_ended_stays_to_be_read_and_ends_once(client: Client) -> None:
    client.say("hello")
    for _ in range(3):
        client.send({"type": "end"})
    client.entry(lambda each: each.get("event") == "ended")
    client.quiet(0.3)
    client.entries.clear()
    client.close()
    client.hello()
    client.entry(lambda each: each["seq"] == 3)
    assert client.texts == ["hello", "you said hello", "ended"]
    client.say("but one thing more")
    assert len(client.entries) == 5


def fill(server: Served, first: int, count: int) -> None:
    """Entries that nobody tells this process of."""
    entry = server.entries()[0]
    with server.session() as session:
        for number in range(first, first + count):
            content = {"text": f"{number}"}
            seq, _ = chat_log.append(session, entry.sender_id, "assistant", f"n{number}", content, entry.at)
            assert seq == number
