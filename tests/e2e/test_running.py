"""One command to a shop that answers: over REST, on the page, and stopped and started again."""

from __future__ import annotations

import sqlite3
import subprocess

import pytest

from tests.e2e.conftest import RunningShop, start, stop, tendero
from tests.webchat_client import Client


def test_an_order_is_found_over_rest_after_the_code(shop: RunningShop) -> None:
    assert "correo" in shop.words("rest-es", "¿dónde está mi pedido 10202?")
    assert "código" in shop.words("rest-es", "ana@example.com")
    answer = shop.words("rest-es", shop.newest_code())
    assert "10202" in answer
    assert "en camino" in answer


def test_a_strangers_order_is_answered_as_one_that_does_not_exist(shop: RunningShop) -> None:
    shop.words("rest-en", "where is my order 10231?")
    shop.words("rest-en", "emma@example.com")
    assert "10231" in shop.words("rest-en", shop.newest_code())
    strangers = shop.words("rest-en", "where is my order 10202?")
    nobodys = shop.words("rest-en", "where is my order 99999?")
    assert strangers.replace("10202", "N") == nobodys.replace("99999", "N")


def test_a_message_that_comes_again_is_one_turn_and_one_entry(shop: RunningShop) -> None:
    with Client(shop.url) as socket, Client(shop.url, "exchange") as polling:
        socket.hello(language="en")
        socket.say("hello", id="m1")
        polling.token = socket.token
        polling.hello()
        polling.say("hello", id="m1", replies=0)
        own, _ = polling.say("thank you", id="m2")
        socket.entry(lambda each: each["by"] == "assistant" and each["seq"] > own["seq"])
        assert [entry["text"] for entry in socket.entries.values() if entry["by"] == "shopper"] == ["hello", "thank you"]
    with sqlite3.connect(shop.home / "tendero.db") as database:
        heard = "select text, count(*) from inbound_message where sender_id like 'web-%' group by text"
        assert dict(database.execute(heard).fetchall()) == {"hello": 1, "thank you": 1}


def test_a_card_number_reaches_neither_database_nor_log(shop: RunningShop) -> None:
    assert "card" in shop.words("rest-card", "here is my card 4111 1111 1111 1111 charge it")
    kept = [file for file in shop.home.rglob("*") if file.is_file() and file.suffix != ".gz"]
    assert not [file.name for file in kept if b"4111 1111 1111 1111" in file.read_bytes()]


def test_it_stops_on_ctrl_c_keeps_everything_and_starts_again(shop: RunningShop) -> None:
    assert stop(shop) == 0
    said = (shop.home / "run.log").read_text()
    assert "Traceback" not in said
    again = start(shop.home)
    try:
        with sqlite3.connect(shop.home / "tendero.db") as database:
            kept = database.execute("select count(*) from events where sender_id = 'rest-es'").fetchone()[0]
        assert kept > 0
        assert "10202" in again.words("rest-es", "¿dónde está mi pedido 10202?")  # still proven, still known
        assert "Training" not in (shop.home / "run.log").read_text()
    finally:
        assert stop(again) == 0


def test_a_port_that_is_taken_is_said_in_words(shop: RunningShop) -> None:
    again = start(shop.home)
    try:
        with pytest.raises(subprocess.CalledProcessError) as refused:
            tendero(shop.home.parent / "other", "run", "--port", str(again.port))
        said = refused.value.stdout + refused.value.stderr
        assert str(again.port) in said
        assert "Traceback" not in said
    finally:
        stop(again)
