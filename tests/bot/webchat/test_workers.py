"""Two workers on one PostgreSQL: what the one does is seen by whoever is connected to the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from database import engine_for
from messaging import chat_log
from messaging.chat_log import append
from tests.bot.webchat.server import Served
from tests.turns.conftest import new_database  # noqa: F401
from tests.webchat_client import Client, Refused, words_of

SHOP = "https://shop.example"  # both are behind one address


@pytest.fixture(scope="module")
def _url(new_database: Callable[[], str]) -> str:  # noqa: F811
    return new_database()


@pytest.fixture
def workers(_url: str, serve: Callable[..., Served]) -> list[Served]:
    with engine_for(_url).begin() as connection:
        connection.execute(text("TRUNCATE inbound_message, outbound_message, chat_entry, web_visitor RESTART IDENTITY"))
    return [serve(url=_url, seconds=0.3, origins=[SHOP]) for _ in range(2)]


@pytest.fixture
def pair(workers: list[Served], connect: Callable[..., Client]) -> list[Client]:
    """Two tabs of one visitor, each at another worker."""
    first, second = (connect(to=worker, origin=SHOP) for worker in workers)
    first.hello()
    second.token = first.token
    second.hello(after=0)
    time.sleep(0.5)  # so that both listen
    return [first, second]


def test_a_reply_reaches_the_socket_at_the_other_worker_within_a_second(workers: list[Served], pair: list[Client]) -> None:
    first, second = pair
    for number in range(4):
        first.say(f"{number}")
        second.entry(lambda each, said=f"you said {number}": words_of(each) == said, seconds=1)
    assert first.entries == second.entries
    assert not second.twice
    assert len(workers[0].outbox()) == 4
    assert sum(len(worker.handler.heard) for worker in workers) == 4


def test_marks_and_typing_are_told_there_too_and_typing_ends(pair: list[Client]) -> None:
    first, second = pair
    for client, other in ((first, second), (second, first)):
        client.say(f"hello of {client.url}")
        other.quiet(2)
        assert {each["read"] for each in other.frames if each["type"] == "marks"} >= {1}
        typing = [each["on"] for each in other.frames if each["type"] == "typing"]
        assert typing
        assert typing[::2] == [True] * (len(typing) // 2)
        assert typing[-1] is False


def test_the_same_message_at_both_workers_at_once_is_one_turn(workers: list[Served], pair: list[Client]) -> None:
    for number in range(10):
        for client in pair:
            client.send({"type": "say", "id": f"m-{number}", "text": f"{number}"})
    for client in pair:
        client.entry(lambda each: each["seq"] == 20)
    assert pair[0].entries == pair[1].entries
    assert len(workers[0].inbox()) == len(workers[0].outbox()) == 10


def test_a_conversation_that_was_restarted_at_one_worker_ends_at_the_other(pair: list[Client]) -> None:
    first, second = pair
    first.send({"type": "restart"})
    assert second.until(lambda each: each["type"] == "bye", 1)["why"] == "restart"
    second.close()
    with pytest.raises(Refused):
        second.hello()


def test_what_is_not_told_of_is_found_all_the_same(
    workers: list[Served], pair: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_arguments: Any) -> None: ...

    monkeypatch.setattr(chat_log, "tell", nothing)
    pair[0].say("hello", replies=0)
    sender_id = workers[0].entries()[0].sender_id
    with workers[0].session() as session:
        append(session, sender_id, "shop", "an event", {"event": "ended"}, workers[0].entries()[0].at)
    for client in pair:
        client.entry(lambda each: each.get("event") == "ended", seconds=8)
