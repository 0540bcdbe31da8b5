"""What is read before the first shopper writes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from actions import faq, mailing, shop, words
from actions.read_ahead import read_ahead

READ_ONCE = (shop.policies, faq._index, faq._calendars, mailing._texts, words._labels, words.response_keys)


@pytest.fixture
def nothing_read() -> None:
    for each in (*READ_ONCE, faq._entries):
        each.cache_clear()


def test_it_is_read_before_anybody_asks(nothing_read: None) -> None:
    read_ahead()
    assert [each.cache_info().currsize for each in READ_ONCE] == [1] * len(READ_ONCE)


def test_what_cannot_be_read_keeps_no_server_from_starting(
    nothing_read: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TENDERO_DATA", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        read_ahead()
    assert "not read ahead" in caplog.text
    for each in (*READ_ONCE, faq._entries):
        each.cache_clear()
