"""What is read before the first shopper writes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from actions import faq, mailing, shop, words
from actions.read_ahead import read_ahead
from messaging import kept

READ_ONCE = (shop.policies, faq._index, faq._calendars, mailing._texts, words._labels, words.response_keys)


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
