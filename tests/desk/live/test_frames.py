"""Whatever a page, or somebody who is none, sends: an answer of the protocol, and the server goes on."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desk.frames import BadFrame, parse
from tests.desk.live.conftest import Desk
from tests.desk_client import DeskClient
from tests.webchat_client import Gone

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["hello", "watch", "typing", "status", "ping", "x"]) | st.text(max_size=8)
FRAMES = st.fixed_dictionaries(
    {"type": TYPES}, optional={"v": JSON, "handoff": JSON, "on": JSON, "status": JSON, "language": JSON}
)
BODIES = st.dictionaries(
    st.sampled_from("id text files template entry until reason topic note queue agent over instruction".split()), JSON, max_size=5
)
STATUSES = {200, 201, 400, 403, 404, 409, 413, 415, 422, 429}


@given(
    st.binary(max_size=200) | FRAMES.map(lambda frame: json.dumps(frame).encode()) | JSON.map(lambda it: json.dumps(it).encode())
)
def test_a_frame_is_one_of_ours_or_bad(data: bytes) -> None:
    with contextlib.suppress(BadFrame):
        parse(data)


def test_a_page_that_talks_nonsense_is_answered_and_then_ended(desk: Desk) -> None:
    marta = desk.agent("Marta")
    marta.hello()
    marta.send_raw("no JSON")
    assert marta.until(lambda frame: frame["type"] == "error") == {"type": "error", "error": "bad_request"}
    for _ in range(25):
        with contextlib.suppress(Gone):
            marta.send_raw("[1]")
    assert marta.until(lambda frame: frame["type"] == "bye")["why"] == "too_many"


def test_hello_comes_first(desk: Desk) -> None:
    handoff = desk.asks()
    marta = desk.agent("Marta")
    marta.connect()
    marta.send(type="watch", handoff=handoff)
    assert marta.until(lambda frame: True)["type"] == "error"
    marta.send(type="ping")
    assert marta.until(lambda frame: True) == {"type": "pong"}


def test_a_flood_of_frames_is_ended(desk: Desk) -> None:
    marta = desk.agent("Marta")
    marta.hello()
    with contextlib.suppress(Gone):
        for _ in range(300):
            marta.send(type="ping")
    assert marta.until(lambda frame: frame["type"] == "bye")["why"] == "too_many"
    assert marta.again()["type"] == "welcome"


def test_a_huge_frame_ends_the_connection(desk: Desk) -> None:
    marta = desk.agent("Marta")
    marta.hello()
    with contextlib.suppress(Gone):
        marta.send_raw("x" * 300_000)
    with pytest.raises(Gone):
        marta.quiet(5)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=FRAMES)
def test_any_frame_leaves_the_connection_able_to_answer(one_desk: tuple[Desk, DeskClient], frame: dict[str, Any]) -> None:
    _, marta = one_desk
    try:
        marta.send(**frame)
        marta.send(type="ping")
        marta.until(lambda each: each["type"] in ("pong", "bye"))
    except Gone:
        pass
    if marta.frames[-1]["type"] == "bye":
        marta.again()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    move=st.sampled_from("take release transfer snooze wake resolve give-back message note read acts/x/propose".split()),
    body=BODIES | JSON,
)
def test_any_body_is_answered_by_the_protocol(
    one_desk: tuple[Desk, DeskClient], monkeypatch: pytest.MonkeyPatch, move: str, body: Any
) -> None:
    _, marta = one_desk
    answer = marta.http.post("handoffs/1/" + move, json=body)
    assert answer.status_code in STATUSES, (answer.status_code, answer.text)
    told = answer.json()
    assert answer.status_code < 300 or told["error"]
    assert answer.status_code != 400 or "field" in told


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.dictionaries(
        st.sampled_from("state queue assignee language channel topic reason q before".split()), st.text(max_size=20), max_size=4
    )
)
def test_any_search_is_answered(one_desk: tuple[Desk, DeskClient], asked: dict[str, str]) -> None:
    _, marta = one_desk
    answer = marta.http.get("handoffs", params=asked)
    assert answer.status_code in (200, 400), answer.text


@pytest.fixture
def one_desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, DeskClient]:
    from throttled import MemoryStore, Throttled, per_sec

    lavish = Throttled(using="gcra", quota=per_sec(100_000, burst=100_000), store=MemoryStore(), key_prefix="test")
    monkeypatch.setattr("desk.conversation_routes._writes", lavish)
    desk.is_known_on_whatsapp("wa-1")
    desk.asks("wa-1")
    marta = desk.agent("Marta")
    marta.hello()
    return desk, marta
