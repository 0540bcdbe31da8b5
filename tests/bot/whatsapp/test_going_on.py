"""A message that brings a code from the web chat: what Rasa is told of it."""

from __future__ import annotations

from bot.channels.whatsapp.receiving import GOES_ON_HERE
from messaging import channel_links
from messaging.channel_links import mark_of
from tests.bot.whatsapp.server import Served
from tests.bot.whatsapp.shapes import message, text, value, webhook
from tests.conftest import NOW


def _code(server: Served) -> str:
    with server.session() as session:
        code = channel_links.offer(session, "web-1", NOW)
    assert code is not None
    return code


def test_code_becomes_a_command_and_is_nowhere_in_the_inbox(server: Served) -> None:
    code = _code(server)
    server.post(webhook(value(text(f"Continue my chat ({code}) hey"))))
    [row] = server.rows()
    assert row.text == GOES_ON_HERE
    assert row.details["link"] == mark_of(code)
    assert row.details["words"] == "Continue my chat ([code]) hey"
    assert row.details["language"] == "en"  # of the link, though the number is Brazilian
    assert code not in str(vars(row))


def test_wrong_code_is_told_as_one_and_a_model_number_is_not(server: Served) -> None:
    server.post(webhook(value(text("A7K2-9QPM"))))
    server.post(webhook(value(text("vocês têm o AB12-34CD?"))))
    assert server.waiting() == [GOES_ON_HERE, "vocês têm o AB12-34CD?"]


def test_typed_command_is_no_command_without_a_code(server: Served) -> None:
    server.post(webhook(value(text(GOES_ON_HERE))))
    [row] = server.rows()
    assert row.text != GOES_ON_HERE
    assert "link" not in row.details


def test_code_below_a_picture_is_found(server: Served) -> None:
    code = _code(server)
    picture = {"id": "media-1", "mime_type": "image/jpeg", "sha256": "x", "caption": code}
    server.post(webhook(value(message("image", picture))))
    [row] = server.rows()
    assert (row.text, row.details["link"]) == (GOES_ON_HERE, mark_of(code))
