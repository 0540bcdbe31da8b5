"""What the servers of a running shop write down: enough to follow each message, and nothing of the people who write."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import RunningShop
from tests.e2e.test_crash import pid_of
from tests.e2e.test_status import wait_until

OURS = "4bf92f3577b34da6a3ce929d0e0e4736"
PHONE = "525598765432"  # on some channels a conversation's name is a phone number
CODE = "{code}"

TALKS = {
    PHONE: (
        "hola, soy Ana y mi teléfono es +52 55 9876 5432",
        "¿dónde está mi pedido 10202?",
        "ana@example.com",
        CODE,
        "quiero cambiar la dirección del pedido 10203",
        "Calle Falsa 123, Springfield, 28013 Madrid",
        "sí",
        "quiero cancelar mi pedido 10203",
        "ya no lo necesito",
        "sí, cancélalo",
        "quiero devolver la camisa azul del 10201, me queda chica",
        "¿qué datos tienen de mí?",
        "quiero borrar todos mis datos",
        "no, déjalo",
        "mándame la factura del 10201",
        "esto es una vergüenza, quiero hablar con una persona",
    ),
    "rest-emma": (
        "Hi, this is Emma, where is my order 10232?",
        "emma@example.com",
        CODE,
        "How many points do I have?",
        "I want to redeem 1000 points",
        "yes please",
        "my card is 4111 1111 1111 1111",
        "subscribe me to the newsletter at emma.private@example.com",
        "asdf qwertz nobody understands this",
        "nor this one, xyzzy",
        "delete my data",
        "what time does the Madrid store open?",
        "goodbye then",
    ),
}


@pytest.fixture(scope="module")
def played(shop: RunningShop) -> list[str]:
    """All that was typed in a run of the demo in which also something fails."""
    return [*_play(shop), *_go_wrong(shop)]


def _play(shop: RunningShop) -> Iterator[str]:
    for sender, texts in TALKS.items():
        for text in texts:
            typed = shop.newest_code() if text == CODE else text
            assert shop.say(sender, typed)
            yield typed


def _go_wrong(shop: RunningShop) -> Iterator[str]:
    yield (slow := "is order 10272 of Liam late?")
    actions = pid_of(shop, "actions.server")
    os.kill(actions, signal.SIGSTOP)
    try:
        assert "something failed on our side" in shop.words("rest-liam", slow)
    finally:
        os.kill(actions, signal.SIGCONT)
    yield (nobodys := "somebody.unknown@example.com")
    for path, body in (("/" + nobodys, None), ("/webhooks/rest/webhook", nobodys), ("/webhooks/webchat/v1/exchange", nobodys)):
        with contextlib.suppress(urllib.error.URLError):
            urllib.request.urlopen(shop.url + path, body.encode() if body else None, timeout=30).close()


def lines(shop: RunningShop, name: str) -> list[dict[str, Any]]:
    """The log of one server; each of its lines has to be an object of its own."""
    return [json.loads(line) for line in (shop.home / "logs" / name).read_text(encoding="utf-8").splitlines()]


def people(database: Path) -> set[str]:
    """Name, e-mail, phone and address line of everybody in the shop."""
    with contextlib.closing(sqlite3.connect(database)) as shop:
        found = {value for row in shop.execute("SELECT name, email, phone FROM customer") for value in row}
        for row in shop.execute("SELECT shipping_address, email FROM orders"):
            found |= {row[1], *_lines_of(json.loads(row[0]))}
        columns = [column[1] for column in shop.execute("PRAGMA table_info(customer_address)")]
        for row in shop.execute("SELECT * FROM customer_address"):
            found |= set(_lines_of(dict(zip(columns, row, strict=True))))
    known = {str(value) for value in found if value}
    return known | {value.lstrip("+") for value in known}


def _lines_of(address: dict[str, Any]) -> Iterator[str]:
    yield from (str(address[name]) for name in ("recipient", "name", "line1", "line2", "phone") if address.get(name))


def test_nothing_of_any_customer_and_nothing_that_was_typed_is_in_the_logs(shop: RunningShop, played: list[str]) -> None:
    logs = {file.name: file.read_text(encoding="utf-8") for file in [*(shop.home / "logs").iterdir(), shop.home / "run.log"]}
    known = people(shop.home / "tendero.db")
    assert len(known) > 1500
    long_enough = [text for text in played if len(text) > 5]  # "sí" is part of other words: see below
    parts = ("Calle Falsa", "4111", "emma.private", PHONE, "9876 5432", "xyzzy")
    for name, log in logs.items():
        assert [each for each in [*known, *long_enough, *parts] if each in log] == [], name
    values = {value for name in ("rasa.log", "actions.log") for line in lines(shop, name) for value in line.values()
              if isinstance(value, str)}  # fmt: skip
    assert values.isdisjoint(played)


def test_every_line_is_an_object_with_time_level_logger_and_message(shop: RunningShop, played: list[str]) -> None:
    for name in ("rasa.log", "actions.log"):
        assert len(lines(shop, name)) > len(played)
        assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines(shop, name))
    failed = [line for line in lines(shop, "rasa.log") if line["message"] == "action failed"]
    assert {line["outcome"] for line in failed} == {"slow"}
    assert all(len(line["trace_id"]) == 32 for line in failed)


def test_one_trace_leads_through_both_servers_from_the_callers_header_on(shop: RunningShop) -> None:
    body = json.dumps({"sender": "rest-trace", "message": "where is my order 10232?"}).encode()
    headers = {"Content-Type": "application/json", "traceparent": f"00-{OURS}-00f067aa0ba902b7-01"}
    urllib.request.urlopen(urllib.request.Request(f"{shop.url}/webhooks/rest/webhook", body, headers), timeout=60).close()
    wait_until(lambda: all(_told(shop, name) for name in ("rasa.log", "actions.log")))  # the launcher writes what it is told
    assert "turn" in _told(shop, "rasa.log")
    assert set(_told(shop, "actions.log")) == {"action"}
    with contextlib.closing(sqlite3.connect(shop.home / "tendero.db")) as database:
        for table in ("inbound_message", "outbound_message"):
            rows = database.execute(f"SELECT trace_id FROM {table} WHERE sender_id = 'rest-trace'").fetchall()
            assert rows
            assert set(rows) == {(OURS,)}


def _told(shop: RunningShop, name: str) -> list[str]:
    return [line["message"] for line in lines(shop, name) if line.get("trace_id") == OURS]


def test_each_message_has_a_trace_of_its_own_where_the_caller_brings_none(shop: RunningShop, played: list[str]) -> None:
    traces = [line["trace_id"] for line in lines(shop, "rasa.log") if line["message"] == "turn"]
    assert len(set(traces)) == len(traces)
