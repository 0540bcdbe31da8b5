"""A worker process for tests: the real engine and queue, a small intake over HTTP, and a handler that does one deed a turn.

`python -m tests.turns.worker` is a nursery: it has everything imported, and forks a worker for each line of settings (JSON) on
its standard input, whose process id it prints. So a worker that was killed is back in a moment.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import secrets
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import Column, Integer, MetaData, String, Table, event, insert
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, configure_mappers

import messaging.models  # noqa: F401
from actions.call import answer_once, call_under_way
from messaging.masking import mask
from messaging.turns.engine import Limits, Outcome, TurnEngine
from messaging.turns.inbox import Claim, Inbound, Overloaded
from messaging.turns.outbox import Outgoing, TryAgain
from messaging.turns.queues import Queue
from messaging.turns.queues.local import LocalQueue
from messaging.turns.queues.postgres import PostgresQueue

CHANNEL = "chat"
TABLES = MetaData()
# None of them is unique: what happened twice is there twice.
DEED = Table("deed", TABLES, Column("id", Integer, primary_key=True), Column("turn_id", Integer), Column("text", String(80)))
SAVED = Table("saved_turn", TABLES, Column("id", Integer, primary_key=True), Column("turn_id", Integer))


@dataclass(frozen=True)
class Settings:
    """folder: for its port, its log, its steps, and a line for each turn begun. crash_at: the step at which it kills itself; 0:
    never, and none is counted. answers_in, sends_in: seconds, the most that a turn and a sending take at random."""

    url: str
    folder: str
    provider: str
    lease: float = 1.5
    crash_at: int = 0
    answers_in: float = 0.0
    sends_in: float = 0.0
    most_waiting: int = 2000
    turns_at_once: int = 64


class Steps:
    """Every step of a turn that can be seen from outside; kill -9 at one of them."""

    def __init__(self, settings: Settings) -> None:
        self._crash_at = settings.crash_at
        self._lock = threading.Lock()
        self._count = 0
        self._log = os.open(Path(settings.folder) / "steps", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        if self._crash_at:
            event.listen(Engine, "commit", lambda _connection: self.reached("before a commit"))
            event.listen(Session, "after_commit", lambda _session: self.reached("after a commit"))

    def reached(self, name: str) -> None:
        if not self._crash_at:
            return
        with self._lock:
            self._count += 1
            os.write(self._log, f"{self._count} {name}\n".encode())
            if self._count == self._crash_at:
                os.kill(os.getpid(), signal.SIGKILL)


class Deeds:
    """Does one deed a turn, by an action call as the action server makes it, and answers with two replies."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self, claim: Claim) -> Outcome:
        with (Path(self._settings.folder) / "runs").open("a") as runs:
            runs.write(f"{claim.turn_id}\n")
        await asyncio.sleep(random.uniform(0, self._settings.answers_in))

        def act() -> dict[str, Any]:
            call = call_under_way()
            assert call is not None
            call.session.execute(insert(DEED).values(turn_id=claim.turn_id, text=claim.text))
            return {"receipt": secrets.token_hex(4)}  # another one, were it done again

        answer = await asyncio.to_thread(answer_once, f"{claim.turn_id}/deed/1", claim.sender_id, act)

        def persist(session: Session, _withheld: bool) -> None:
            session.execute(insert(SAVED).values(turn_id=claim.turn_id))

        replies = [{"text": f"{claim.text} done"}, {"text": f"{claim.text} receipt", "custom": answer}]
        return Outcome(replies, persist)

    async def apologise(self, claim: Claim) -> Outcome:
        return Outcome([{"text": f"{claim.text} sorry"}])


class ProviderSender:
    """Posts replies to the provider."""

    def __init__(self, settings: Settings, steps: Steps) -> None:
        self._settings, self._steps = settings, steps
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: Outgoing) -> str | None:
        await asyncio.sleep(random.uniform(0, self._settings.sends_in))
        self._session = self._session or aiohttp.ClientSession()
        body = {"to": message.sender_id, "text": message.content["text"] + str(message.content.get("custom") or "")}
        self._steps.reached("before a sending")
        try:
            answer = await self._session.post(self._settings.provider, json=body, headers={"Idempotency-Key": message.key})
        except aiohttp.ClientError as error:
            raise TryAgain(type(error).__name__) from error
        self._steps.reached("after a sending")
        return str((await answer.json())["id"])

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def take_from_chat(engine: TurnEngine, said: dict[str, Any]) -> None:
    await engine.receive(Inbound(CHANNEL, said["id"], said["sender"], said["text"]))


@dataclass(frozen=True)
class Wires:
    """How messages come and go. take: what the intake was sent, into the engine."""

    channel: str
    sender: Callable[[Settings, Steps], Any]
    take: Callable[[TurnEngine, dict[str, Any]], Awaitable[None]]


CHAT = Wires(CHANNEL, ProviderSender, take_from_chat)


async def serve(settings: Settings, wires: Wires) -> None:
    steps = Steps(settings)
    sender = wires.sender(settings, steps)
    limits = Limits(
        turns_at_once=settings.turns_at_once,
        most_waiting=settings.most_waiting,
        first_pause=0.05,
        longest_pause=0.5,
        reply_lease=settings.lease,
    )
    engine = TurnEngine(Deeds(settings), _queue(settings), settings.url, pushes={wires.channel: sender}, limits=limits)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await engine.start()
    runner = web.AppRunner(_intake(engine, wires))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=512)
    await site.start()
    _tell_port(settings, runner.addresses[0][1])
    await stopped.wait()
    await site.stop()
    await engine.stop()
    await runner.cleanup()
    await sender.close()


def _queue(settings: Settings) -> Queue:
    return PostgresQueue(settings.url, settings.lease) if settings.url.startswith("postgresql") else LocalQueue()


def _intake(engine: TurnEngine, wires: Wires) -> web.Application:
    async def take(request: web.Request) -> web.Response:
        try:
            await wires.take(engine, await request.json())
        except Overloaded:
            return web.Response(status=429)
        except DBAPIError:
            return web.Response(status=503)
        return web.Response(status=200)

    app = web.Application()
    app.router.add_post("/", take)
    return app


def _tell_port(settings: Settings, port: int) -> None:
    folder = Path(settings.folder)
    (folder / "port.new").write_text(str(port))
    (folder / "port.new").rename(folder / "port")


def _become_worker(settings: Settings, wires: Wires) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(Path(settings.folder) / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(0)
    logging.basicConfig(level=logging.WARNING, force=True, format="%(asctime)s %(name)s %(message)s")
    os.environ["TENDERO_DATABASE_URL"], os.environ["TENDERO_HOME"] = settings.url, settings.folder
    try:
        asyncio.run(serve(settings, wires))
    except BaseException:
        logging.exception("the worker failed")
        os._exit(1)
    os._exit(0)


def main(wires: Wires = CHAT) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody has to wait for the dead
    configure_mappers()
    mask("reads its word lists once, for all workers")
    for line in sys.stdin:
        settings = Settings(**json.loads(line))
        worker = os.fork()
        if worker == 0:
            _become_worker(settings, wires)
        print(worker, flush=True)


if __name__ == "__main__":
    main()
