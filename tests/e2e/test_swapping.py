"""Another model for a server that runs: hundreds of turns go on meanwhile, and each message has its one reply."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from messaging.turns.wishes import Server, running, wish
from tests.conversations.stage import trained_model
from tests.e2e.conftest import RunningShop

SHOPPERS = 8
SWAPS = 3
GREETINGS = ("First words.", "Other words.")
METADATA = "metadata.json"

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def models(shop: RunningShop) -> Path:
    """The folder that the shop takes models from."""
    return shop.home / "models"


def write_model(target: Path, change: Change) -> str:
    """The trained model with another domain; its name."""
    with tarfile.open(trained_model()) as old, tarfile.open(target, "w:gz", compresslevel=0) as new:
        for member in old:
            content = old.extractfile(member).read() if member.isfile() else b""  # type: ignore[union-attr]
            if member.name.endswith(METADATA):
                metadata = json.loads(content)
                change(metadata)
                content = json.dumps(metadata).encode()
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return target.name


def greeting(text: str) -> Change:
    def change(metadata: dict[str, Any]) -> None:
        metadata["domain"]["responses"]["utter_greet"] = [{"text": text}]

    return change


def without_form(name: str) -> Change:
    def change(metadata: dict[str, Any]) -> None:
        del metadata["domain"]["forms"][name]

    return change


def swap(shop: RunningShop, model: str, within: float = 60.0) -> Server:
    """What the assistant says once it has dealt with it."""
    wished = wish(shop.home, "assistant", model)
    until = time.monotonic() + within
    while True:
        [assistant] = [server for server in running(shop.home) if server.role == "assistant"]
        if assistant.wish == wished:
            return assistant
        assert time.monotonic() < until, "the assistant has not said anything"
        time.sleep(0.05)


def rows(shop: RunningShop, query: str) -> list[Any]:
    with closing(sqlite3.connect(shop.home / "tendero.db")) as database:
        return database.execute(query).fetchall()


def test_no_message_is_lost_or_answered_twice_while_models_are_swapped(shop: RunningShop, models: Path) -> None:
    names = [write_model(models / f"tendero-greeting{number}.tar.gz", greeting(text)) for number, text in enumerate(GREETINGS)]
    assert swap(shop, names[1]).error == ""
    is_over = threading.Event()

    def chat(shopper: int) -> list[list[str]]:
        """Until it is over: what is said to each hello."""
        said = []
        for _ in count():
            said.append([reply.get("text") or "" for reply in shop.say(f"swap-{shopper}", "hello")])
            if is_over.is_set():
                return said
        raise AssertionError

    with ThreadPoolExecutor(SHOPPERS) as pool:
        chats = [pool.submit(chat, shopper) for shopper in range(SHOPPERS)]
        swapped = [swap(shop, names[number % 2]) for number in range(SWAPS)]
        is_over.set()
        said = [chat.result() for chat in chats]

    assert [(server.model, server.error) for server in swapped] == [(names[number % 2], "") for number in range(SWAPS)]
    turns = [replies for chat in said for replies in chat]
    assert len(turns) > 100
    assert {tuple(replies) for replies in turns} == {(text,) for text in GREETINGS}
    mine = "where sender_id like 'swap-%'"
    assert rows(shop, f"select state, count(*) from inbound_message {mine} group by state") == [("done", len(turns))]
    assert rows(shop, f"select count(*) from outbound_message {mine}") == [(len(turns),)]
    assert rows(shop, f"select count(*) from events {mine} and type_name = 'user'") == [(len(turns),)]
    assert shop.words("swap-new", "hello") == shop.words("swap-0", "hello") == GREETINGS[(SWAPS - 1) % 2]


def test_a_conversation_whose_form_is_gone_goes_on(shop: RunningShop, models: Path) -> None:
    swap(shop, write_model(models / "tendero-all.tar.gz", lambda _metadata: None))
    assert "e-mail" in shop.words("open", "please cancel my order 10233")
    assert swap(shop, write_model(models / "tendero-less.tar.gz", without_form("cancel_order_form"))).error == ""
    replies = [shop.words("open", text) for text in ("emma@example.com", "what time does the Madrid store open?", "hello")]
    assert all(replies)
    assert "couldn't do that just now" not in "".join(replies[1:])
    assert "Mercado Aurora" in replies[2]  # the greeting outside of a task
    assert rows(shop, "select distinct state from inbound_message where sender_id = 'open'") == [("done",)]


@pytest.mark.parametrize("broken", ["no archive", "no model", "other components", "elsewhere"])
def test_a_model_that_cannot_be_used_is_refused_in_words_and_the_old_one_stays(
    shop: RunningShop, models: Path, broken: str, tmp_path: Path
) -> None:
    swap(shop, write_model(models / "tendero-good.tar.gz", greeting("Good words.")))
    bad = models / "tendero-bad.tar.gz"
    bad.unlink(missing_ok=True)
    if broken == "no archive":
        bad.write_bytes(b"no archive")
    elif broken == "other components":
        write_model(bad, _with_diet)
    name = str(write_model(tmp_path / "x.tar.gz", greeting("x")) and tmp_path / "x.tar.gz") if broken == "elsewhere" else bad.name
    answer = swap(shop, name)
    assert ("start it anew" if broken == "other components" else "cannot be used") in answer.error
    assert answer.model == "tendero-good.tar.gz"
    assert shop.words("still", "hello") == "Good words."


def _with_diet(metadata: dict[str, Any]) -> None:
    nodes = metadata["predict_schema"]["nodes"]
    next(iter(nodes.values()))["uses"] = "rasa.nlu.classifiers.diet_classifier.DIETClassifier"
