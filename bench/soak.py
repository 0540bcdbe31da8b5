"""A day's peak: the base load, then six times as much for ten minutes, then the base load again, over HTTP.

    make soak
    python -m bench.soak --minutes 1 --base 3

Prints what was sent, acknowledged, refused and answered, how long it took, and what memory the servers had at the start and at
the end. Fails where a message that was kept has no reply. Only this machine is spoken to.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bench.play import quantile
from bench.scripts import SCRIPTS
from bench.systems import Ours
from tendero.environment import PROJECT
from tendero.training import Training, current_model

TIMES = 6  # the base load
BEFORE_AND_AFTER = 0.1  # of the peak's length
SHOPPERS = 200  # write in turn, each the next message of a conversation
PATIENCE = 180.0  # seconds, for one answer
DRAINS_WITHIN = 300.0


@dataclass
class Tally:
    """What came back. seconds: of answered messages."""

    sent: int = 0
    refused: int = 0
    failed: int = 0
    seconds: list[float] = field(default_factory=list)


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        shop = Ours(Path(folder), _model())
        shop.start()
        try:
            messages = _messages(shop)
            tallies: dict[str, Tally] = {}
            at_start = shop.memory()["pss"]
            edge = 60 * arguments.minutes * BEFORE_AND_AFTER
            for name, rate, seconds in (
                ("before", arguments.base, edge),
                ("peak", TIMES * arguments.base, 60 * arguments.minutes),
                ("after", arguments.base, edge),
            ):
                tallies[name] = asyncio.run(_load(shop.url, messages, rate, seconds))
            drained = _drained(shop.conversations)
            _print(tallies, shop, at_start, drained)
            return 0 if drained is not None and _silent(shop.conversations) == 0 else 1
        finally:
            shop.stop()


def _messages(shop: Ours) -> Iterator[tuple[str, str]]:
    """(sender, text) for ever: many conversations side by side, each begun again by somebody else when it is over."""
    everybody = [f"soak-{uuid.uuid4().hex[:8]}-{number}" for number in range(SHOPPERS)]
    casts = [(sender, SCRIPTS[number % len(SCRIPTS)]) for number, sender in enumerate(everybody)]
    shop.vouch_for({sender: script.customer for sender, script in casts})
    return ((sender, script.texts[turn % len(script.texts)]) for turn in itertools.count() for sender, script in casts)


async def _load(url: str, messages: Iterator[tuple[str, str]], rate: float, seconds: float) -> Tally:
    """So many messages a second, whether or not the earlier ones are answered."""
    tally = Tally()
    loop = asyncio.get_running_loop()
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as http:
        began, under_way = loop.time(), []
        for beat in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + beat / rate - loop.time()))
            under_way.append(loop.create_task(_say(http, url, *next(messages), tally)))
        await asyncio.gather(*under_way)
    return tally


async def _say(http: aiohttp.ClientSession, url: str, sender: str, text: str, tally: Tally) -> None:
    tally.sent += 1
    began = time.perf_counter()
    try:
        async with http.post(url, json={"sender": sender, "message": text}) as response:
            response.raise_for_status()
            replies = await response.json(content_type=None)
    except (aiohttp.ClientError, asyncio.TimeoutError):
        tally.failed += 1
        return
    words = " ".join(reply.get("text") or "" for reply in replies)
    if any(busy in words for busy in ("A lot of people are writing", "nos escribe muchísima gente")):
        tally.refused += 1
    elif replies:
        tally.seconds.append(time.perf_counter() - began)
    else:
        tally.failed += 1


def _ask(database: Path, question: str) -> int:
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        return int(connection.execute(question).fetchone()[0])


def _drained(database: Path) -> float | None:
    """Seconds until nothing waits any more; None where that takes too long."""
    began = time.monotonic()
    while _ask(database, "SELECT count(*) FROM inbound_message WHERE state IN ('waiting', 'taken')"):
        if time.monotonic() - began > DRAINS_WITHIN:
            return None
        time.sleep(0.2)
    return time.monotonic() - began


def _silent(database: Path) -> int:
    """Messages that were kept and have no reply."""
    answered = "SELECT turn_id FROM outbound_message"
    return _ask(database, f"SELECT count(*) FROM inbound_message WHERE kind = 'message' AND turn_id NOT IN ({answered})")


def _print(tallies: dict[str, Tally], shop: Ours, at_start: float, drained: float | None) -> None:
    print(f"{'':8}{'sent':>8}{'refused':>9}{'failed':>8}{'answered':>10}{'mean ms':>9}{'p50':>8}{'p95':>8}{'p99':>8}")
    for name, tally in tallies.items():
        seconds = tally.seconds or [0.0]
        times = "".join(f"{quantile(seconds, percent):8.0f}" for percent in (50, 95, 99))
        counts = f"{tally.sent:8}{tally.refused:9}{tally.failed:8}{len(tally.seconds):10}"
        print(f"{name:8}{counts}{1000 * statistics.fmean(seconds):9.0f}{times}")
    kept = _ask(shop.conversations, "SELECT count(*) FROM inbound_message WHERE kind = 'message'")
    print(f"acknowledged {kept}, without a reply {_silent(shop.conversations)}")
    print("the backlog did not drain" if drained is None else f"drained after {drained:.1f} s")
    print(f"memory at the start {at_start:.0f} MB, at the end {shop.memory()['pss']:.0f} MB (all processes, shared pages once)")


def _model() -> Path:
    model = current_model(PROJECT / "var")
    return model if model.exists() else Training(PROJECT / "var").finish().model


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.soak", description="The peak of a day, over HTTP.")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the peak (10)")
    parser.add_argument("--base", type=float, default=2.0, help="messages a second before and after it (2)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
