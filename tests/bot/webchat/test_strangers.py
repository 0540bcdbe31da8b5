"""Nobody reads or writes another visitor's conversation, whatever they guess or replay; who is signed in is who the shop says."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import jwt
import pytest

from bot.channels.webchat.visitors import revoke
from tests.bot.webchat.server import Served
from tests.webchat_client import Client, Gone, Refused

SECRET = "a secret of the shop and the assistant, long enough"
SHOP = "https://shop.example"


def test_whoever_has_no_token_of_it_sees_nothing_of_a_conversation(connect: Callable[..., Client]) -> None:
    theirs, mine = connect(), connect()
    theirs.hello()
    theirs.say("a secret", id="m-1")
    mine.hello(after=0)
    mine.send({"type": "more", "before": 99})
    assert mine.until(lambda each: each["type"] == "entries")["entries"] == []
    theirs.say("another secret", id="m-2")
    mine.say("what is there?", id="m-1")
    mine.quiet(0.3)
    assert mine.texts == ["what is there?", "you said what is there?"]
    assert theirs.texts == ["a secret", "you said a secret", "another secret", "you said another secret"]


def test_the_name_of_a_conversation_opens_nothing(client: Client, connect: Callable[..., Client]) -> None:
    for token in (client.conversation, f"{client.conversation}.1.{client.token.rpartition('.')[2]}"):
        with pytest.raises(Refused) as refused:
            connect().hello(token=token)
        assert refused.value.why == "unknown_visitor"


def with_another_end(token: str) -> str:
    return token[:-1] + ("0" if token[-1] != "0" else "1")


@pytest.mark.parametrize("change", [with_another_end, lambda token: token.replace(".1.", ".2."), str.upper])
def test_a_token_that_we_did_not_sign_opens_nothing(
    client: Client, connect: Callable[..., Client], change: Callable[[str], str]
) -> None:
    with pytest.raises(Refused) as refused:
        connect(client.over).hello(token=change(client.token))
    assert refused.value.why == "unknown_visitor"


@pytest.mark.parametrize("token", ["é", "\ud800", "a" * 900, " ", "web-x.1.0", "null"])
def test_an_odd_token_is_refused_in_words(connect: Callable[..., Client], token: str) -> None:
    with pytest.raises(Refused) as refused:
        connect().hello(token=token)
    assert refused.value.why == "unknown_visitor"


def test_a_token_is_good_at_its_origin_only(serve: Callable[..., Served], connect: Callable[..., Client]) -> None:
    server = serve(origins=[SHOP])
    first = connect(to=server, origin=SHOP)
    first.hello()
    elsewhere = connect(to=server)
    elsewhere.token = first.token
    with pytest.raises(Refused) as refused:
        elsewhere.hello()
    assert refused.value.why == "unknown_visitor"
    first.again()


@pytest.mark.parametrize("over", ["socket", "exchange"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "https://shop.example.evil.example"])
def test_a_page_of_another_origin_gets_no_connection(
    serve: Callable[..., Served], connect: Callable[..., Client], over: Any, origin: str
) -> None:
    client = connect(over, to=serve(origins=[SHOP]), origin=origin)
    with pytest.raises(Gone, match=r"403|forbidden"):
        client.hello()


def test_before_hello_nothing_is_taken(server: Served, connect: Callable[..., Client]) -> None:
    client = connect()
    client.connect()
    for frame in (
        {"type": "say", "id": "x", "text": "hi"},
        {"type": "more", "before": 9},
        {"type": "restart"},
        {"type": "read", "seq": 1},
    ):
        assert client.refusal(frame)["why"] == "bad_frame"
    assert server.inbox() == server.entries() == []


def test_a_connection_of_a_visitor_who_was_revoked_elsewhere_says_nothing_more(
    server: Served, connect: Callable[..., Client]
) -> None:
    client = connect()
    client.hello()
    client.say("hello")
    sender_id = server.entries()[0].sender_id
    with server.session() as session:
        revoke(session, sender_id, datetime.now(timezone.utc))
    with contextlib.suppress(Gone):  # it may have been sent away by then
        assert client.refusal({"type": "say", "id": "m-2", "text": "and more"})["why"] == "unknown_visitor"
        client.quiet()
    assert client.frames[-1] == {"type": "bye", "why": "restart", "after": 0}
    assert len(server.inbox()) == 1
    assert len(server.entries()) == 2


# The shop's own sign-in


def sign_in(number: str, **claims: Any) -> str:
    now = int(time.time())
    given = {"sub": number, "iat": now, "exp": now + 300, "aud": "tendero-webchat", "jti": secrets.token_hex(8), **claims}
    return jwt.encode(given, SECRET, "HS256")


@pytest.fixture
def shop(serve: Callable[..., Served]) -> Served:
    return serve(jwt_secret=SECRET)


@pytest.mark.parametrize("over", ["socket", "exchange"])
def test_signing_in_midway_keeps_the_conversation(shop: Served, connect: Callable[..., Client], over: Any) -> None:
    client = connect(over, to=shop)
    client.hello()
    client.say("hello")
    before = client.conversation
    token = sign_in("C-1")
    client.send({"type": "identify", "jwt": token})
    client.entry(lambda each: each.get("event") == "signed_in")
    assert client.again(jwt=token)["signed_in"]  # the same one again, as a page does that connects anew
    assert client.conversation == before
    client.say("where is my order?")
    client.quiet(0.3)
    assert client.texts[:3] == ["hello", "you said hello", "signed_in"]
    assert client.texts.count("signed_in") == 1


def test_another_customer_begins_anew_in_a_conversation_of_their_own(shop: Served, connect: Callable[..., Client]) -> None:
    client, other_tab = connect(to=shop), connect(to=shop)
    client.hello(jwt=sign_in("C-1"))
    client.say("a secret of C-1")
    old = other_tab.token = client.token
    other_tab.hello()
    client.send({"type": "identify", "jwt": sign_in("C-2")})
    client.until(lambda each: each["type"] == "welcome")
    client.quiet(0.3)
    assert client.texts == ["signed_in"]
    assert client.token != old
    client.say("hello of C-2")
    assert "hello of C-2" not in str(other_tab.frames)


def test_a_sign_in_that_somebody_else_has_used_is_refused(shop: Served, connect: Callable[..., Client]) -> None:
    token = sign_in("C-1")
    connect(to=shop).hello(jwt=token)
    thief = connect(to=shop)
    thief.hello(jwt=token)
    told = thief.quiet()
    assert [(each["of"], each["why"]) for each in told if each["type"] == "refused"] == [("identify", "used_jwt")]
    assert not thief.welcome["signed_in"]


def test_without_the_shops_secret_nobody_signs_in(client: Client) -> None:
    assert client.refusal({"type": "identify", "jwt": sign_in("C-1")})["why"] == "not_configured"


def test_after_signing_out_the_conversation_is_nobodys(shop: Served, connect: Callable[..., Client]) -> None:
    client = connect(to=shop)
    client.hello(jwt=sign_in("C-1"))
    client.say("a secret of C-1")
    old = client.token
    client.send({"type": "sign_out"})
    welcome = client.until(lambda each: each["type"] == "welcome")
    assert not welcome["signed_in"]
    assert client.entries == {}
    with pytest.raises(Refused):
        connect(to=shop).hello(token=old)


def test_whoever_restarts_stays_signed_in(shop: Served, connect: Callable[..., Client]) -> None:
    client = connect(to=shop)
    client.hello(jwt=sign_in("C-1"))
    client.say("hello")
    client.send({"type": "restart"})
    assert client.until(lambda each: each["type"] == "welcome")["signed_in"]
    assert client.again()["signed_in"]
    assert client.texts == []


# On WhatsApp


def test_the_conversation_goes_on_on_whatsapp_by_a_link(serve: Callable[..., Served], connect: Callable[..., Client]) -> None:
    client = connect(to=serve(whatsapp="+34 600 000 000"))
    assert client.hello(language="en")["whatsapp"]
    client.send({"type": "whatsapp"})
    told = client.until(lambda each: each["type"] == "whatsapp")
    assert told["link"].startswith("https://wa.me/34600000000?text=")
    assert told["until"].endswith("Z")
    client.send({"type": "unlink"})
    for _ in range(4):
        client.send({"type": "whatsapp"})
        client.until(lambda each: each["type"] == "whatsapp")
    assert client.refusal({"type": "whatsapp"})["why"] == "too_many"


def test_without_a_number_there_is_no_link(client: Client) -> None:
    assert not client.welcome["whatsapp"]
    assert client.refusal({"type": "whatsapp"})["why"] == "not_configured"


# Files


def test_a_file_is_said_once_by_whom_it_belongs_to(server: Served, client: Client, connect: Callable[..., Client]) -> None:
    picture = client.upload(b"\x89PNG\r\n\x1a\n" + b"0" * 64, "a shirt.png", "image/png")
    thief = connect()
    thief.hello()
    assert thief.refusal({"type": "say", "id": "t", "text": "mine", "files": [picture["id"]]})["why"] == "unknown_file"
    own, _ = client.say("", files=[picture["id"]], id="f-1")
    assert [(file["name"], file["type"], file["size"]) for file in own["files"]] == [("a shirt.png", "image/png", 72)]
    assert "text" not in own
    client.say("", files=[picture["id"]], id="f-1", replies=0)
    assert client.refusal({"type": "say", "id": "f-2", "text": "again", "files": [picture["id"]]})["why"] == "unknown_file"
    [row] = server.inbox()
    assert (row.text, row.details["files"][0]["kind"]) == ("/share_picture", "image")
    assert client.get(own["files"][0]["url"]).content.startswith(b"\x89PNG")
    document = client.upload(b"%PDF-1.4 x", "b.pdf", "application/pdf")
    own, _ = client.say("with words", files=[document["id"]])
    assert (own["text"], own["files"][0]["name"]) == ("with words", "b.pdf")
