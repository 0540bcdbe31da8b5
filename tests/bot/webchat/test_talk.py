"""What a shopper says comes to the assistant once, and what it replies comes back; the same over each of the two ways."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.channels.spoken import NOT_A_COMMAND
from bot.channels.webchat.names import of_reply
from messaging.turns.engine import Limits
from messaging.turns.outbox import OutboxSender
from tests.bot.webchat.server import Served, wait_until
from tests.webchat_client import Client, Json, words_of

CHOICES = {
    "text": "Shall I?",
    "buttons": [{"title": "Yes", "payload": "/affirm_secretly"}, {"title": "No", "payload": "/deny_secretly"}],
}
CARDS = {
    "elements": [
        {"title": "Shirt", "buttons": [{"title": "This one", "payload": '/inform_secretly{"sku": "S-1"}'}]},
        {"title": "Shoe", "buttons": [{"title": "That one", "payload": '/inform_secretly{"sku": "S-2"}'}]},
    ]
}


def test_what_is_said_is_answered(server: Served, client: Client) -> None:
    own, reply = client.say(" hello ", id="m-1")
    assert (own["seq"], own["by"], own["id"], own["text"]) == (1, "shopper", "m-1", "hello")
    assert (reply["seq"], reply["by"], reply["parts"]) == (2, "assistant", [{"kind": "text", "text": "you said hello"}])
    assert [row.text for row in server.inbox()] == ["hello"]


def test_the_turn_knows_language_and_page(server: Served, connect: Callable[..., Client]) -> None:
    client = connect()
    client.hello(language="nb", page="https://shop.example/shirts")
    client.say("hei")
    [row] = server.inbox()
    assert row.details == {"language": "nb", "page": "https://shop.example/shirts"}
    assert client.welcome["language"] == "nb"


def test_several_replies_come_in_the_order_in_which_they_were_uttered(server: Served, client: Client) -> None:
    server.handler.answers["many"] = [{"text": f"reply {number}"} for number in range(8)]
    assert [words_of(entry) for entry in client.say("many", replies=8)] == ["many", *(f"reply {n}" for n in range(8))]
    assert sorted(client.entries) == list(range(1, 10))


def test_a_message_that_is_sent_again_and_again_at_once_over_everything_is_one_turn_and_one_entry(
    server: Served, connect: Callable[..., Client]
) -> None:
    first = connect()
    first.hello()
    clients = [connect(over) for over in ("socket", "exchange", "socket", "exchange")]
    start = threading.Barrier(len(clients))

    def talk(client: Client) -> None:
        client.token = first.token
        client.hello(after=0)
        start.wait(20)
        for _ in range(5):
            client.send({"type": "say", "id": "the-same", "text": "once"})
        client.entry(lambda each: each["by"] == "assistant")

    threads = [threading.Thread(target=talk, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for client in clients:
        client.quiet(0.3)
        assert client.texts == ["once", "you said once"]
    assert len(server.inbox()) == len(server.handler.heard) == len(server.outbox()) == 1
    assert [entry.seq for entry in server.entries()] == [1, 2]


def test_the_same_id_of_two_visitors_names_two_messages(server: Served, connect: Callable[..., Client]) -> None:
    for text in ("mine", "theirs"):
        client = connect()
        client.hello()
        assert [words_of(entry) for entry in client.say(text, id="m-1")] == [text, f"you said {text}"]
    assert len(server.handler.heard) == 2


def test_an_id_that_looks_like_a_replys_name_hides_no_reply(server: Served, client: Client) -> None:
    now = int(time.time())
    for at in range(now, now + 4):  # the fifth message's reply is named so, at one of these seconds
        client.say("a guess", id=of_reply(f"5-0.{at}"))
    assert words_of(client.say("hello")[1]) == "you said hello"
    assert server.inbox()[-1].id == 5


def test_a_typed_command_is_only_text(server: Served, client: Client) -> None:
    own, _ = client.say('/affirm{"a": 1}')
    assert own["text"] == '/affirm{"a": 1}'
    assert [row.text for row in server.inbox()] == [f'{NOT_A_COMMAND}/affirm{{"a": 1}}']


def test_a_card_number_is_kept_nowhere(server: Served, client: Client) -> None:
    own, _ = client.say("my card is 4111 1111 1111 1111")
    assert "4111 1111" not in own["text"]
    assert not [row for row in (*server.inbox(), *server.entries(), *server.outbox()) if "4111 1111" in str(vars(row))]


def test_a_place_is_shared(server: Served, client: Client) -> None:
    own, _ = client.tell({"type": "place", "latitude": 40.4, "longitude": -3.7})
    assert own["place"] == {"latitude": 40.4, "longitude": -3.7}
    [row] = server.inbox()
    assert (row.text, row.details["location"]) == ("/share_location", {"latitude": 40.4, "longitude": -3.7})


# Choices


def test_a_choice_says_its_payload_which_never_leaves_the_server(server: Served, client: Client) -> None:
    server.handler.answers |= {"ask": [CHOICES], "cards": [CARDS]}
    _, asked = client.say("ask")
    assert asked["parts"][0]["choices"] == [{"index": 0, "title": "Yes"}, {"index": 1, "title": "No"}]
    own, _ = client.choose(asked["seq"], 1)
    assert (own["text"], own["chose"]) == ("No", {"seq": asked["seq"], "choice": 1})
    _, cards = client.say("cards")
    client.choose(cards["seq"], 1)
    heard = [(row.text, row.details.get("tapped")) for row in server.inbox()]
    assert heard == [("ask", None), ("/deny_secretly", "No"), ("cards", None), ('/inform_secretly{"sku": "S-2"}', "That one")]
    client.say("last")
    shown = [frame for frame in client.frames if not any("you said" in words_of(e) for e in frame.get("entries", ()))]
    assert "secretly" not in str(shown)


@pytest.mark.parametrize(("seq", "choice"), [(2, 2), (2, 2**31 - 1), (1, 0), (3, 0), (0, 0), (99, 0)])
def test_a_choice_that_was_not_offered_is_refused(server: Served, client: Client, seq: int, choice: int) -> None:
    server.handler.answers["ask"] = [CHOICES]
    client.say("ask")
    refusal = client.refusal({"type": "choose", "id": "c-1", "seq": seq, "choice": choice})
    assert (refusal["of"], refusal["id"], refusal["why"]) == ("choose", "c-1", "unknown_choice")
    assert len(server.inbox()) == 1
    assert len(server.entries()) == 2


def test_a_choice_of_somebody_elses_conversation_is_refused(server: Served, connect: Callable[..., Client]) -> None:
    server.handler.answers["ask"] = [CHOICES]
    theirs, mine = connect(), connect()
    theirs.hello()
    _, asked = theirs.say("ask")
    mine.hello()
    assert mine.refusal({"type": "choose", "id": "c", "seq": asked["seq"], "choice": 0})["why"] == "unknown_choice"


# Two tabs, two ways


def test_two_tabs_show_the_same(connect: Callable[..., Client]) -> None:
    first, second = connect("socket"), connect("exchange")
    first.hello()
    first.say("one")
    second.token = first.token
    second.hello()
    second.say("two")
    first.say("three")
    for tab in (first, second):
        tab.entry(lambda each: words_of(each) == "you said three")
    assert first.entries == second.entries
    assert sorted(first.entries) == list(range(1, 7))
    assert not first.twice


def test_both_ways_say_the_same(server: Served, connect: Callable[..., Client]) -> None:
    server.handler.answers["ask"] = [CHOICES, CARDS]
    told = []
    for over in ("socket", "exchange"):
        client = connect(over)
        client.hello()
        _, asked, _ = client.say("ask", replies=2, id="a")
        client.choose(asked["seq"], 0, id="b")
        client.send({"type": "more", "before": 2})
        page = client.until(
            lambda each: each["type"] == "entries" and each["entries"][0]["seq"] == 1 and len(each["entries"]) == 1
        )
        client.send({"type": "end"})
        client.entry(lambda each: each.get("event") == "ended")
        told.append(([{**entry, "at": ""} for _, entry in sorted(client.entries.items())], page["more"]))
    assert told[0] == told[1]


# What is shown of a turn


def test_it_is_told_that_the_message_was_read_and_that_somebody_types_until_the_reply(
    serve: Callable[..., Served], connect: Callable[..., Client]
) -> None:
    client = connect(to=serve(seconds=0.5))
    client.hello()
    client.say("hello")
    client.until(lambda each: each == {"type": "typing", "on": False, "by": "assistant"})
    told = [each for each in client.frames if each["type"] in ("marks", "typing")]
    assert {"type": "marks", "read": 1} in told
    assert [each["on"] for each in told if each["type"] == "typing"] == [True, False]
    kinds = [kind_of(each) for each in client.frames]
    assert kinds.index("typing True") < kinds.index("assistant") < kinds.index("typing False")
    assert client.again()["read"] == 1


def test_with_long_polling_typing_comes_while_it_waits_and_ends(
    serve: Callable[..., Served], connect: Callable[..., Client]
) -> None:
    client = connect("exchange", to=serve(seconds=0.5))
    client.hello()
    client.say("hello")
    client.quiet(0.5)
    assert [each["on"] for each in client.frames if each["type"] == "typing"] == [True, False]
    client.send({"type": "say", "id": "x", "text": "again"})
    client.until(lambda each: each["type"] == "typing" and each["on"])
    client.until(lambda each: each["type"] == "typing" and not each["on"])


@pytest.mark.parametrize("answer", [[], ValueError("it fails"), [{"custom": {"reaction": {"message_id": "m", "emoji": ""}}}]])
def test_typing_ends_also_where_a_turn_says_nothing_or_fails(
    serve: Callable[..., Served], connect: Callable[..., Client], answer: Any
) -> None:
    server = serve(seconds=0.3, limits=Limits(first_pause=0.05, most_tries=2))
    server.handler.answers["odd"] = answer
    client = connect(to=server)
    client.hello()
    client.say("odd", replies=1 if isinstance(answer, Exception) else 0)
    client.quiet(2)
    assert [each["on"] for each in client.frames if each["type"] == "typing"] == [True, False]


def kind_of(frame: Json) -> str:
    if frame["type"] == "entries":
        return str(frame["entries"][0]["by"]) if frame["entries"] else "page"
    return f"typing {frame['on']}" if frame["type"] == "typing" else str(frame["type"])


# What the shopper has seen


def test_got_and_read_stand_in_the_outbox(server: Served, client: Client) -> None:
    server.handler.answers["two"] = [{"text": "one"}, {"text": "two"}]
    client.say("two", replies=2)
    client.send({"type": "got", "seq": 3})
    wait_until(lambda: [row.state for row in server.outbox()] == ["delivered", "delivered"])
    client.send({"type": "read", "seq": 2})
    wait_until(lambda: [row.state for row in server.outbox()] == ["read", "delivered"])
    client.send({"type": "read", "seq": 99})
    wait_until(lambda: [row.state for row in server.outbox()] == ["read", "read"])


def test_what_is_read_before_it_stands_in_the_outbox_as_sent_is_noted_as_read(
    server: Served, connect: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_down = OutboxSender._write_down

    def slowly(*arguments: Any) -> None:
        time.sleep(0.5)
        write_down(*arguments)

    monkeypatch.setattr(OutboxSender, "_write_down", slowly)
    client = connect()
    client.hello()
    _, reply = client.say("hello")
    client.send({"type": "read", "seq": reply["seq"]})
    wait_until(lambda: [row.state for row in server.outbox()] == ["read"])
    client.say("more")
    assert server.outbox()[0].state == "read"


def test_nobody_reads_for_somebody_else(server: Served, connect: Callable[..., Client]) -> None:
    theirs, mine = connect(), connect()
    theirs.hello()
    theirs.say("hello")
    mine.hello()
    mine.send({"type": "read", "seq": 99})
    mine.say("hello")
    assert next(row.state for row in server.outbox()) == "sent"
