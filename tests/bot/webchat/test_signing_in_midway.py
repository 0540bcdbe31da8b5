"""Where a task is at hand, the connector lets it go on by itself once the shop's sign-in says who writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from bot.channels.spoken import SIGNED_IN
from bot.channels.webchat.conversation import GOES_ON_WITHIN
from bot.channels.webchat.settings import CHANNEL
from messaging import conversations, identities
from messaging.tasks_at_hand import Task, note
from messaging.turns.engine import Limits
from tests.bot.webchat.server import Served, wait_until
from tests.bot.webchat.test_strangers import SECRET, sign_in
from tests.webchat_client import Client

MINUTE = timedelta(minutes=1)
NEXT = "Which order?"


@pytest.fixture
def shop(serve: Callable[..., Served]) -> Served:
    shop = serve(jwt_secret=SECRET)
    shop.handler.answers[SIGNED_IN] = [{"text": NEXT}]
    return shop


def asked(shop: Served, client: Client, ago: timedelta = timedelta(0)) -> str:
    """A form has begun, and the shopper has not answered its question; the sender's id."""
    client.hello()
    client.say("I want to return something")
    sender_id = shop.entries()[-1].sender_id
    with shop.session() as session:
        note(session, sender_id, None, Task("return_request_form", {}), datetime.now(timezone.utc) - ago)
    return sender_id


def identify(client: Client, jwt: str) -> None:
    client.send({"type": "identify", "jwt": jwt})
    client.entry(lambda each: each.get("event") == "signed_in")
    client.quiet()


def turns(shop: Served) -> list[str]:
    return [row.text for row in shop.inbox() if row.text == SIGNED_IN]


@pytest.mark.parametrize("over", ["socket", "exchange"])
def test_the_task_goes_on_without_a_word_of_the_shopper(shop: Served, connect: Callable[..., Client], over: Any) -> None:
    client = connect(over, to=shop)
    sender_id = asked(shop, client)
    client.send({"type": "identify", "jwt": sign_in("C-1")})
    client.entry(lambda each: NEXT in str(each))
    assert client.texts == ["I want to return something", "you said I want to return something", "signed_in", NEXT]
    assert [each["by"] for each in client.entries.values()].count("shopper") == 1
    assert [(row.sender_id, row.channel, row.kind) for row in shop.inbox()][1:] == [(sender_id, CHANNEL, "message")]


def test_the_turn_knows_language_and_page(shop: Served, connect: Callable[..., Client]) -> None:
    client = connect(to=shop)
    asked(shop, client)
    client.again(language="nb", page="https://shop.example/account", jwt=sign_in("C-1"))  # their sign-in is a page of its own
    client.entry(lambda each: NEXT in str(each))
    assert shop.inbox()[-1].details == {"language": "nb", "page": "https://shop.example/account"}


def test_the_same_frame_again_by_any_tab_is_one_turn(shop: Served, connect: Callable[..., Client]) -> None:
    client, other = connect(to=shop), connect("exchange", to=shop)
    asked(shop, client)
    other.token, jwt = client.token, sign_in("C-1")
    other.hello()
    for each in (client, other, client):
        identify(each, jwt)
    client.again(jwt=jwt)
    client.again(jwt=sign_in("C-1"))  # as each page of the shop that is opened has a new one
    client.quiet()
    assert len(turns(shop)) == 1
    assert client.texts.count(NEXT) == 1


def test_without_a_task_nothing_is_said(shop: Served, connect: Callable[..., Client]) -> None:
    client = connect(to=shop)
    client.hello()
    client.say("hello")
    identify(client, sign_in("C-1"))
    assert turns(shop) == []


def test_a_task_that_was_left_alone_for_long_waits_for_the_shopper(shop: Served, connect: Callable[..., Client]) -> None:
    client = connect(to=shop)
    asked(shop, client, ago=GOES_ON_WITHIN + MINUTE)
    identify(client, sign_in("C-1"))
    assert turns(shop) == []


def test_whoever_was_proven_by_a_code_was_not_asked(shop: Served, connect: Callable[..., Client]) -> None:
    client = connect(to=shop)
    sender_id = asked(shop, client)
    with shop.session() as session:
        identities.prove_identity(session, CHANNEL, sender_id, 1, datetime.now(timezone.utc))
    identify(client, sign_in("C-1"))
    assert turns(shop) == []


def test_another_customer_begins_anew_and_goes_on_with_nothing(shop: Served, connect: Callable[..., Client]) -> None:
    client = connect(to=shop)
    asked(shop, client)
    identify(client, sign_in("C-1"))
    client.send({"type": "identify", "jwt": sign_in("C-2")})
    client.until(lambda each: each["type"] == "welcome")
    client.quiet()
    assert client.texts == ["signed_in"]
    assert len(turns(shop)) == 1


def test_whoever_talks_with_a_person_is_not_interrupted(shop: Served, connect: Callable[..., Client]) -> None:
    client = connect(to=shop)
    sender_id = asked(shop, client)
    with shop.session() as session:
        conversations.set_owner(session, sender_id, "agent", "Maria")
    identify(client, sign_in("C-1"))
    assert turns(shop) == []


def test_a_sign_in_that_is_refused_says_nothing(shop: Served, connect: Callable[..., Client]) -> None:
    client = connect(to=shop)
    asked(shop, client)
    assert client.refusal({"type": "identify", "jwt": sign_in("C-1", aud="another-service")})["why"] == "bad_jwt"
    assert turns(shop) == []


def test_where_too_much_waits_nobody_is_half_signed_in(serve: Callable[..., Served], connect: Callable[..., Client]) -> None:
    shop = serve(jwt_secret=SECRET, seconds=3, limits=Limits(first_pause=0.05, most_waiting=1))
    client = connect(to=shop)
    asked(shop, client)
    client.send({"type": "say", "id": "m-2", "text": "wait"})
    wait_until(lambda: len(shop.inbox()) == 2)
    jwt = sign_in("C-1")
    assert client.refusal({"type": "identify", "jwt": jwt})["why"] == "busy"
    assert not client.again(jwt=jwt)["signed_in"]  # the page may be read all the same
    assert client.until(lambda each: True)["why"] == "busy"
    assert "signed_in" not in client.texts
    wait_until(lambda: len(shop.outbox()) == 2)
    identify(client, jwt)
    assert len(turns(shop)) == 1


def test_typed_it_is_a_text_like_any_other(shop: Served, connect: Callable[..., Client]) -> None:
    client = connect(to=shop)
    asked(shop, client)
    client.say(SIGNED_IN)
    assert turns(shop) == []
