"""Conversations of so many events: turns that were really played, copied into the tracker store until there are enough."""

from __future__ import annotations

import json
import sqlite3
import statistics
import time
import uuid
from typing import Any

from bench.play import say
from bench.scripts import MEASURED_IN_LONG, REPEATED_IN_LONG, SCRIPTS
from bench.systems import System

SIZES = (20, 100, 500, 2000)
OF_A_TURN = 8  # events, about: the turn before the measured ones brings as many

Row = tuple[str, float, str | None, str | None, str]  # type, timestamp, intent, action, event


def milliseconds_at(system: System, size: int, senders: int) -> float:
    """The median turn of conversations that are so long. The first turn of each, which reads it, is not counted."""
    seed = _seed(system)
    took: list[float] = []
    for _ in range(senders):
        sender = f"long-{size}-{uuid.uuid4().hex[:8]}"
        system.vouch_for({sender: SCRIPTS[0].customer})
        _insert(system, sender, _repeated(seed, max(size - OF_A_TURN, OF_A_TURN)))
        took += say(system, sender, (MEASURED_IN_LONG[0], *MEASURED_IN_LONG))[1:]
    return statistics.median(took) * 1000


def _seed(system: System) -> list[Row]:
    """The events of a conversation that was played, from its first message on."""
    sender = f"seed-{uuid.uuid4().hex[:8]}"
    system.vouch_for({sender: SCRIPTS[0].customer})
    say(system, sender, REPEATED_IN_LONG)
    with sqlite3.connect(system.conversations, timeout=30) as database:
        rows: list[Row] = database.execute(
            "SELECT type_name, timestamp, intent_name, action_name, data FROM events WHERE sender_id = ? ORDER BY id", (sender,)
        ).fetchall()
    first = next(index for index, row in enumerate(rows) if row[0] == "user")
    return rows[first:]


def _repeated(seed: list[Row], count: int) -> list[Row]:
    """So many events: a session that begins, and whole turns up to the end of a conversation."""
    begin = [_row({"event": "action", "name": "action_session_start"}), _row({"event": "session_started"})]
    listen = _row({"event": "action", "name": "action_listen"})
    rows = (seed * (count // len(seed) + 2))[-count:]
    while rows[0][0] != "user":
        rows.pop(0)
    return [*begin, listen, *rows]


def _row(event: dict[str, Any]) -> Row:
    return (event["event"], 0.0, None, event.get("name"), json.dumps(event))


def _insert(system: System, sender: str, rows: list[Row]) -> None:
    since = time.time() - len(rows) * 0.05
    with sqlite3.connect(system.conversations, timeout=30) as database:
        for number, (kind, _, intent, action, data) in enumerate(rows):
            at = since + number * 0.05
            event = json.dumps({**json.loads(data), "timestamp": at})
            database.execute(
                "INSERT INTO events (sender_id, type_name, timestamp, intent_name, action_name, data) VALUES (?, ?, ?, ?, ?, ?)",
                (sender, kind, at, intent, action, event),
            )
