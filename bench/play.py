"""Plays conversations over HTTP, so many at once, and measures what each turn took and what the servers used meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from bench.scripts import Script
from bench.systems import System

LONGEST_TURN = 180.0  # seconds


@dataclass(frozen=True)
class Played:
    """seconds: of each turn. cpu: seconds of all processes of the system, a turn. silent: turns without a reply."""

    seconds: list[float]
    wall: float
    cpu: float
    silent: int
    senders: dict[str, str]  # the script of each

    @property
    def turns_per_second(self) -> float:
        return len(self.seconds) / self.wall


def play(system: System, scripts: Sequence[Script], at_once: int) -> Played:
    """Each script by a fresh sender."""
    cast = {f"bench-{uuid.uuid4().hex[:12]}": script for script in scripts}
    system.vouch_for({sender: script.customer for sender, script in cast.items()})
    cpu, began = system.cpu_seconds(), time.perf_counter()
    took = asyncio.run(_play([(sender, script.texts) for sender, script in cast.items()], system.url, at_once))
    wall = time.perf_counter() - began
    seconds = [each for each, _ in took]
    return Played(
        seconds,
        wall,
        (system.cpu_seconds() - cpu) / len(seconds),
        sum(not replied for _, replied in took),
        {sender: script.name for sender, script in cast.items()},
    )


def say(system: System, sender: str, texts: Sequence[str]) -> list[float]:
    """Turns of one conversation; the seconds of each."""
    return [took for took, _ in asyncio.run(_play([(sender, texts)], system.url, 1))]


async def _play(conversations: list[tuple[str, Sequence[str]]], url: str, at_once: int) -> list[tuple[float, bool]]:
    waiting = list(reversed(conversations))
    took: list[tuple[float, bool]] = []
    timeout = aiohttp.ClientTimeout(total=LONGEST_TURN)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as http:

        async def shopper() -> None:
            while waiting:
                sender, texts = waiting.pop()
                for text in texts:
                    took.append(await _turn(http, url, sender, text))

        await asyncio.gather(*(shopper() for _ in range(at_once)))
    return took


async def _turn(http: aiohttp.ClientSession, url: str, sender: str, text: str) -> tuple[float, bool]:
    began = time.perf_counter()
    async with http.post(url, json={"sender": sender, "message": text}) as response:
        response.raise_for_status()
        replied = bool(await response.json(content_type=None))
    return time.perf_counter() - began, replied


def actions_of(system: System, sender: str) -> list[str]:
    """What was done in this conversation, in order."""
    with sqlite3.connect(system.conversations, timeout=30) as database:
        found = database.execute(
            "SELECT action_name FROM events WHERE sender_id = ? AND type_name = 'action' ORDER BY id", (sender,)
        ).fetchall()
    return [name for (name,) in found if name not in ("action_listen", "action_session_start")]


def quantile(seconds: Sequence[float], percent: int) -> float:
    """In milliseconds."""
    if len(seconds) < 2:
        return seconds[0] * 1000
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000
