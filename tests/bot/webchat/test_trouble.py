"""Too much at once, and a database that is away: the shopper is told to come back, and nothing is kept by halves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.channels.webchat import limits
from messaging.turns.engine import Limits
from tests.bot.webchat.server import Served, wait_until
from tests.webchat_client import Client, Refused, words_of


@pytest.mark.parametrize("over", ["socket", "exchange"])
def test_where_too_much_waits_nothing_of_a_message_is_kept(
    serve: Callable[..., Served], connect: Callable[..., Client], over: Any
) -> None:
    server = serve(seconds=1.0, limits=Limits(most_waiting=1))
    client = connect(over, to=server)
    client.hello()
    client.say("one", replies=0)
    refusal = client.refusal({"type": "say", "id": "m-2", "text": "two"})
    assert (refusal["of"], refusal["id"], refusal["why"], refusal["after"]) == ("say", "m-2", "busy", 30)
    assert [entry.content["text"] for entry in server.entries()] == ["one"]
    assert [row.text for row in server.inbox()] == ["one"]
    client.entry(lambda each: words_of(each) == "you said one")
    assert [words_of(entry) for entry in client.say("two", id="m-2")] == ["two", "you said two"]


class Away:
    """The database file is not there for a while."""

    def __init__(self, url: str) -> None:
        self._file = Path(url.removeprefix("sqlite:///"))
        self._kept = self._file.with_suffix(".kept")

    def __enter__(self) -> None:
        self._file.rename(self._kept)
        self._file.mkdir()

    def __exit__(self, *_error: object) -> None:
        self._file.rmdir()
        self._kept.rename(self._file)


def test_while_the_database_is_away_nothing_is_taken_and_nobody_is_cut_off(
    server: Served, connect: Callable[..., Client]
) -> None:
    client, other, late = connect("socket"), connect("exchange"), connect("socket")
    client.hello()
    client.say("one")
    other.token = client.token
    other.hello()
    with Away(server.database):
        for each, id in ((client, "m-2"), (other, "m-3")):
            refusal = each.refusal({"type": "say", "id": id, "text": "two"})
            assert refusal["why"] == "not_now"
            assert refusal["after"] == 5
        with pytest.raises(Refused) as refused:
            late.hello()
        assert refused.value.why == "not_now"
    assert [words_of(entry) for entry in client.say("two", id="m-2")] == ["two", "you said two"]
    assert [entry.seq for entry in server.entries()] == [1, 2, 3, 4]
    assert [row.text for row in server.inbox()] == ["one", "two"]
    late.hello()


@pytest.mark.parametrize("over", ["socket", "exchange"])
def test_who_says_too_much_at_once_has_to_wait(server: Served, connect: Callable[..., Client], over: Any) -> None:
    client = connect(over)
    client.hello()
    for number in range(3 * limits.OF_VISITOR["message"].burst):
        client.send({"type": "say", "id": f"m-{number}", "text": f"{number}"})
    refusal = client.until(lambda each: each["type"] == "refused")
    assert (refusal["of"], refusal["why"]) == ("say", "too_many")
    assert 0 < refusal["after"] <= 60
    assert f"{refusal['id']}" not in [entry.content["id"] for entry in server.entries() if entry.by == "shopper"]


def test_a_visitor_has_so_many_connections_and_no_more(server: Served, connect: Callable[..., Client]) -> None:
    first = connect()
    first.hello()
    tabs = [first]
    for _ in range(limits.CONNECTIONS_OF_VISITOR - 1):
        tabs.append(connect())
        tabs[-1].token = first.token
        tabs[-1].hello(after=0)
    too_many = connect()
    too_many.token = first.token
    too_many.connect()
    too_many.send({"type": "hello", "v": 1, "token": first.token})
    assert too_many.until(lambda each: each["type"] == "bye")["why"] == "too_many"
    tabs[-1].close()
    too_many.close()
    too_many.hello()


def test_an_answer_that_no_page_can_show_stops_none_after_it(server: Served, client: Client) -> None:
    server.handler.answers["odd"] = [{"custom": {"template": {"name": "a", "language": "en"}}}, {"text": "and this"}]
    assert words_of(client.say("odd")[1]) == "and this"
    wait_until(lambda: [row.state for row in server.outbox()] == ["failed", "sent"])
