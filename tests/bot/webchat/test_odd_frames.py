"""Whatever comes in, it is refused in words: no error of the server, no lost connection, nothing kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.channels.webchat.frames import LARGEST, LONGEST_TEXT, Frame, Hello, Refused, parse, read
from bot.channels.webchat.limits import OF_VISITOR
from tests.bot.webchat.server import Served
from tests.webchat_client import Client

TYPES = "hello say choose place got read typing more identify sign_out whatsapp unlink end restart ping".split()
KEYS = "v token after language page jwt id text files seq choice latitude longitude on before".split()

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
odd_frames = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES) | scalars},
    optional={key: values | st.sampled_from([0, 1, "m", [], "x" * 70, 2**31, -1, 10**400, True]) for key in KEYS},
)
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(values)
def test_anything_is_a_frame_or_refused(value: Any) -> None:
    assert isinstance(read(value), Frame)


@given(odd_frames)
@example({"type": "say", "id": "x", "text": "\ud800\0"})
@example({"type": "place", "id": "x", "latitude": 10**400, "longitude": 0})
def test_what_a_frame_says_fits_into_the_database(frame: Any) -> None:
    found = read(frame)
    for value in vars(found).values():
        if isinstance(value, str) and not isinstance(found, Refused):
            value.encode()
            assert "\0" not in value
        if isinstance(value, int):
            assert 0 <= value < 2**31


@given(st.binary(max_size=300) | st.text(max_size=300))
@example(b"\xff\xfe")
@example("[" * 60_000)
@example('{"type": "got", "seq": ' + "9" * 5000 + "}")
def test_no_text_breaks_the_reader(data: bytes | str) -> None:
    assert isinstance(parse(data), Frame)


@pytest.mark.parametrize(
    ("data", "of", "why"),
    [
        ("", "", "bad_frame"),
        ("null", "", "bad_frame"),
        ("[]", "", "bad_frame"),
        ('{"type": 5}', "", "bad_frame"),
        ('{"type": "hello"}', "hello", "unknown_version"),
        ('{"type": "hello", "v": 2}', "hello", "unknown_version"),
        ('{"type": "hello", "v": true}', "hello", "unknown_version"),
        ('{"type": "hello", "v": 1, "after": -1}', "hello", "bad_frame"),
        ('{"type": "say", "text": "x"}', "say", "bad_frame"),
        ('{"type": "say", "id": "", "text": "x"}', "say", "bad_frame"),
        ('{"type": "say", "id": "a\\u0000", "text": "x"}', "say", "bad_frame"),
        (json.dumps({"type": "say", "id": "x" * 65, "text": "x"}), "say", "bad_frame"),
        ('{"type": "say", "id": "a", "text": "  "}', "say", "empty"),
        ('{"type": "say", "id": "a", "text": "\\u0000"}', "say", "empty"),
        ('{"type": "say", "id": "a", "text": 5}', "say", "bad_frame"),
        (json.dumps({"type": "say", "id": "a", "text": "x" * (LONGEST_TEXT + 1)}), "say", "too_long"),
        (json.dumps({"type": "say", "id": "a", "text": "x", "files": ["f"] * 11}), "say", "bad_frame"),
        ('{"type": "place", "id": "a", "latitude": NaN, "longitude": 0}', "place", "bad_frame"),
        ('{"type": "place", "id": "a", "latitude": 91, "longitude": 0}', "place", "bad_frame"),
        ('{"type": "choose", "id": "a", "seq": 1.5, "choice": 0}', "choose", "bad_frame"),
        ("x" * (LARGEST + 1), "", "too_long"),
        ("é" * (LARGEST // 2 + 1), "", "too_long"),
    ],
)
def test_what_is_wrong_with_a_frame_is_said(data: str, of: str, why: str) -> None:
    refused = parse(data)
    assert isinstance(refused, Refused)
    assert (refused.of, refused.why) == (of, why)


@pytest.mark.parametrize(("tag", "language"), [("es", "es"), ("nb-NO", "nb"), ("PT-br", "pt"), ("", ""), ("x", ""), ("<b>", "")])
def test_of_a_language_tag_the_language_is_taken(tag: str, language: str) -> None:
    hello = read({"type": "hello", "v": 1, "language": tag})
    assert isinstance(hello, Hello)
    assert hello.language == language


def test_a_text_of_the_most_that_is_allowed_is_taken(client: Client) -> None:
    text = "🙂" * LONGEST_TEXT
    assert client.say(text)[0]["text"] == text


@pytest.fixture
def talking(server: Served, connect: Callable[..., Client]) -> Iterator[Client]:
    client = connect()
    client.hello(after=0)
    yield client
    assert client.say("are you still there?")[1]["parts"] == [{"kind": "text", "text": "you said are you still there?"}]


def test_odd_frames_end_no_connection(talking: Client) -> None:
    @QUICK
    @given(odd_frames.filter(lambda frame: frame["type"] not in ("ping", "hello", "restart", "sign_out", "end", "say", "place")))
    def try_one(frame: Any) -> None:
        talking.transport.send_raw(json.dumps(frame))
        talking.send({"type": "ping"})
        while (told := talking.next()) is not None and told["type"] != "pong":
            assert told["type"] in ("refused", "entries", "marks"), told

    try_one()


NO_FRAMES: dict[str, bytes | str] = {
    "no UTF-8": b"\xff\xfe\x00",
    "half of JSON": b"{",
    "too long": "x" * (LARGEST + 1),
    "too deep": "[" * 50_000,
    "nothing": b"",
}


@pytest.mark.parametrize("data", NO_FRAMES.values(), ids=NO_FRAMES)
def test_what_is_no_json_ends_no_connection(talking: Client, data: bytes | str) -> None:
    talking.transport.send_raw(data)
    talking.send({"type": "ping"})
    assert [each and each["type"] for each in (talking.next(), talking.next())] == ["refused", "pong"]


def test_half_a_sign_is_taken_as_one_that_cannot_be_read(talking: Client) -> None:
    talking.transport.send_raw('{"type": "say", "id": "a", "text": "x\\ud800"}')
    assert talking.entry(lambda each: each.get("id") == "a")["text"] == "x\ufffd"
    talking.entry(lambda each: each["by"] == "assistant")


def test_many_frames_at_once_are_taken_in_their_order(talking: Client) -> None:
    for number in range(160):
        talking.send({"type": "ping"} if number % 2 else {"type": "more", "before": number})
    kinds = [frame["type"] for frame in (talking.next() for _ in range(160)) if frame]
    assert kinds == ["entries", "pong"] * 80


def test_pages_cannot_be_asked_for_without_end(talking: Client) -> None:
    for _ in range(2 * OF_VISITOR["hello"].burst):
        talking.send({"type": "more", "before": 1})
    assert talking.until(lambda each: each["type"] == "refused")["why"] == "too_many"
    talking.quiet()


def test_an_unknown_frame_is_left_alone(client: Client) -> None:
    client.send({"type": "dance", "id": "x"})
    client.say("hello")
    assert not [frame for frame in client.frames if frame["type"] == "refused"]


# Long polling


BODIES = {
    "nothing": b"",
    "half": b"{",
    "a list": b"[]",
    "no frames": b"{}",
    "a number of frames": b'{"frames": 5}',
    "a word to wait": b'{"frames": [], "wait": "x"}',
    "odd frames": b'{"frames": [1, null, {"type": "hello"}], "wait": NaN}',
    "no time": b'{"frames": [{"type": "say"}], "wait": -1}',
    "too many": b'{"frames": [' + b",".join([b'{"type": "ping"}'] * 51) + b"]}",
    "no UTF-8": b"\xff" * 100,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_an_odd_body_is_answered_at_once_and_without_an_error(server: Served, body: bytes) -> None:
    answer = httpx.post(f"{server.url}/webhooks/webchat/v1/exchange", content=body, headers={"Origin": server.url}, timeout=10)
    assert answer.status_code == 200
    assert {frame["type"] for frame in answer.json()["frames"]} <= {"refused", "pong"}


def test_a_body_that_is_too_long_is_refused(server: Served) -> None:
    url, body = f"{server.url}/webhooks/webchat/v1/exchange", b" " * (300 * 1024)
    answer = httpx.post(url, content=body, headers={"Origin": server.url}, timeout=10)
    assert (answer.status_code, answer.json()["frames"][0]["why"]) == (413, "too_long")


def test_a_request_that_is_no_handshake_is_told_so(server: Served) -> None:
    url = f"{server.url}/webhooks/webchat/v1/socket"
    assert httpx.get(url, headers={"Origin": server.url}, timeout=10).status_code == 426
    half = {"Origin": server.url, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    assert httpx.get(url, headers=half, timeout=10).status_code == 400
