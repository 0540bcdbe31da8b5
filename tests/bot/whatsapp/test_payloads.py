"""An id that comes back is one that we made, and means what it meant."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from bot.channels.whatsapp.limits import ROW_ID
from bot.channels.whatsapp.payloads import contents_sent, payload_of, signed, told_apart
from bot.channels.whatsapp.texts import length
from messaging.turns import outbox

KEY = b"the key of this shop"
CHOICE = '/inform{"choice": "offer:1.ab12cd34"}'
LONG = '/inform{"choice": "' + "x" * 300 + '"}'


@given(st.text(min_size=1), st.integers(min_value=1, max_value=10))
def test_every_payload_comes_back_however_often_it_is_offered(payload: str, times: int) -> None:
    ids = told_apart([signed(payload, KEY)] * times)
    assert len(set(ids)) == times
    for each in ids:
        assert length(each) <= ROW_ID
        assert each == each.strip()
        assert payload_of(each, KEY, [{"buttons": [{"title": "A", "payload": payload}]}]) == payload


def test_a_short_payload_needs_nothing_kept() -> None:
    assert payload_of(signed(CHOICE, KEY), KEY) == CHOICE


@pytest.mark.parametrize(
    "forged",
    [
        CHOICE,
        f"{CHOICE}|",
        f"{CHOICE}|{'A' * 16}",
        signed(CHOICE, KEY).replace("offer:1", "offer:2"),
        signed(CHOICE, b"the key of another shop"),
        signed(CHOICE, KEY) + "x",
        f"|{'A' * 16}",
        "",
        "/restart",
    ],
)
def test_what_we_did_not_sign_is_no_payload(forged: str) -> None:
    assert payload_of(forged, KEY, [{"buttons": [{"title": "A", "payload": CHOICE}]}]) is None


def test_a_payload_that_is_read_as_another_is_not_ours() -> None:
    id_ = signed("/a|b", KEY)
    assert payload_of(id_, KEY) == "/a|b"
    assert payload_of(id_.removeprefix("/a|"), KEY) is None


def test_a_long_payload_is_found_among_what_was_sent(session: Session, now: datetime) -> None:
    contents = [
        {"text": "Which?", "buttons": [{"title": "A", "payload": CHOICE}, {"title": "B", "payload": LONG}]},
        {"custom": {"template": {"name": "a", "language": "en", "buttons": [{"payload": LONG + "2"}]}}},
    ]
    outbox.put(session, turn_id=1, channel="whatsapp", sender_id="wa-1", contents=contents, trace_id="t", now=now)
    assert payload_of(signed(LONG, KEY), KEY, contents_sent(session, "wa-1")) == LONG
    assert payload_of(signed(LONG + "2", KEY), KEY, contents_sent(session, "wa-1")) == LONG + "2"
    assert payload_of(signed(LONG, KEY), KEY, contents_sent(session, "wa-2")) is None
