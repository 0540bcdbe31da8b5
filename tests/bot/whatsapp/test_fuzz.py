"""Whatever a webhook looks like: no error of the server, and every message in it that makes sense is kept."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.whatsapp.parsing import parse
from bot.channels.whatsapp.updates import Message
from tests.bot.whatsapp.server import Served
from tests.bot.whatsapp.shapes import fixture, fixtures, text, value, webhook

_runs = itertools.count()

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.text("\ud800\0/<>é👟", max_size=5),
    st.sampled_from(["", "0", "-1", "1e999", "/affirm", "messages", "whatsapp", 10**30, "9" * 40, "x" * 500]),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def _places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [path, *(place for step, inner in steps for place in _places(inner, (*path, step)))]


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """A real webhook in which one to three places are something else, or missing."""
    content = copy.deepcopy(fixture(draw(st.sampled_from(fixtures()))))
    for _ in range(draw(st.integers(1, 3))):
        places = [place for place in _places(content) if place]
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        holder = content
        for step in way:
            holder = holder[step]
        if draw(st.booleans()):
            holder[last] = draw(anything)
        else:
            del holder[last]
    return content


with_everything = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@with_everything
@given(broken())
def test_broken_webhook_is_answered_and_stops_no_valid_message(server: Served, content: dict[str, Any]) -> None:
    id = f"wamid.valid{next(_runs)}"
    valid = webhook(value(text("valid", id=id)))["entry"]
    entries = content.get("entry") if isinstance(content.get("entry"), list) else []
    assert server.post({"object": "whatsapp_business_account", "entry": [*entries, *valid]}).status_code == 200
    assert [row.text for row in server.rows() if row.provider_id.endswith(id)] == ["valid"]


@with_everything
@given(st.lists(anything, max_size=4), st.lists(anything, max_size=3))
def test_anything_among_messages_and_statuses_stops_none(server: Served, messages: list[Any], statuses: list[Any]) -> None:
    id = f"wamid.amid{next(_runs)}"
    values = value(text("valid", id=id), statuses=statuses)
    values["messages"] = [*messages, *values["messages"], *messages]
    assert server.post(webhook(values)).status_code == 200
    assert [row.text for row in server.rows() if row.provider_id.endswith(id)] == ["valid"]


@with_everything
@given(anything)
def test_parser_takes_anything(content: Any) -> None:
    assert isinstance(parse(json.loads(json.dumps(content))), list)


@with_everything
@given(st.binary(max_size=200))
def test_signed_rubbish_is_no_error_of_the_server(server: Served, body: bytes) -> None:
    assert server.post(body).status_code in (200, 400)


@pytest.mark.parametrize("name", fixtures())
def test_details_are_fit_for_any_database(name: str) -> None:
    for update in parse(fixture(name)):
        if isinstance(update, Message):
            json.dumps(update.details, allow_nan=False)
