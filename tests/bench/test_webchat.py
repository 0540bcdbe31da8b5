"""What a page has to load for our chat, read from the modules themselves; how the way to an answer is measured."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from pathlib import Path

import pytest

from bench.webchat import own, replies
from bench.webchat.bundles import FIRST_PAINT_MOST, LEVEL
from bench.webchat.far import ROUND_TRIPS, Far
from bot.channels.webchat.limits import OF_VISITOR


def test_launcher_needs_at_most_20_kb() -> None:
    size = sum(len(gzip.compress(file.read_bytes(), LEVEL)) for file in own.at_first_paint())
    assert size <= FIRST_PAINT_MOST == 20_480


def test_open_panel_loads_more_than_the_launcher_and_not_everything() -> None:
    first, opened, everything = (set(files()) for files in (own.at_first_paint, own.when_opened, own.all_there_is))
    assert first < opened < everything


def test_what_is_imported_counts_and_what_is_imported_later_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "widget.js").write_text(
        'import { a } from "./widget/a.js";\nimport {\n  b,\n} from "./widget/b.js";\n// import "./widget/d.js"\n'
        'const later = () => import("./widget/c.js");\n'
    )
    (tmp_path / "widget").mkdir()
    (tmp_path / "widget/a.js").write_text('export { b } from "./b.js";\nexport const text = "./widget/c.js";\n')
    for name in ("b", "c", "d"):
        (tmp_path / f"widget/{name}.js").write_text("")
    monkeypatch.setattr(own, "ENTRY", tmp_path / "widget.js")
    assert [file.name for file in own.at_first_paint()] == ["widget.js", "a.js", "b.js"]


def test_visitors_of_the_benchmark_say_less_than_is_held_back() -> None:
    assert len(replies.SAID) < OF_VISITOR["message"].burst


def test_first_messages_are_told_apart_from_later_ones() -> None:
    quick, slow = (dict.fromkeys(replies.STEPS, each) for each in (100.0, 900.0))
    shown = replies.table({replies.AT_ONCE: [slow] * 2, replies.LATER: [quick] * 39 + [slow]})
    _, first, later, *_ = shown.replace(" / ", "/").splitlines()
    assert first.split()[-4:] == ["2", *["900/900"] * 3]
    assert later.split()[-4:] == ["40", *["100/100"] * 3]


def test_way_to_a_server_that_is_far_takes_its_time() -> None:
    latency = 0.05
    with socket.create_server(("127.0.0.1", 0)) as server, Far(server.getsockname()[1], latency) as far:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", far.here)) as client:
            times = [_heard(client, began), _heard(client, time.monotonic())]
    assert times[0] >= (ROUND_TRIPS + 1) * latency
    assert latency <= times[1] < times[0]


def _echo(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        while data := connection.recv(99):
            connection.sendall(data)


def _heard(client: socket.socket, since: float) -> float:
    client.sendall(b"?")
    assert client.recv(9) == b"?"
    return time.monotonic() - since
