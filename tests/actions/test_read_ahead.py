"""What is read before the first shopper writes."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Thread

import pytest

from actions import faq, shop, words
from actions.read_ahead import read_ahead
from actions.server import Actions
from messaging import kept, labels, worded_mail

READ_ONCE = (shop.policies, faq._index, faq._versions, faq.calendars, worded_mail.texts, labels.labels, words.response_keys)


@pytest.fixture
def values(monkeypatch: pytest.MonkeyPatch) -> kept.Values:
    """Nothing has been read."""
    values: kept.Values = {}
    monkeypatch.setattr(kept, "_newest", values)
    return values


def test_it_is_read_before_anybody_asks(values: kept.Values) -> None:
    read_ahead()
    assert {*READ_ONCE} <= {reader for reader, *_ in values}


def test_what_cannot_be_read_keeps_no_server_from_starting(
    values: kept.Values, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TENDERO_DATA", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        read_ahead()
    assert "not read ahead" in caplog.text


async def test_an_action_ends_with_the_files_that_it_began_with(
    values: kept.Values, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENDERO_DATABASE_URL", database_url)
    numbers = iter((1, 2))
    number = kept.kept(lambda: next(numbers))
    seen = []

    def action(_dispatcher: object, _tracker: object, _domain: object) -> None:
        seen.append(number())
        Thread(target=kept.read_again).start()
        while kept._newest is values:  # until it is read
            time.sleep(0.01)
        seen.append(number())

    actions = Actions()
    monkeypatch.setitem(actions._registry.actions, "action_slow", action)
    await actions.answer({"next_action": "action_slow", "tracker": {"sender_id": "s"}}, None)
    assert (seen, number()) == ([1, 1], 2)
