"""The connector on a real Sanic server, with a real turn engine behind it; a stand-in answers the messages.

`python -m tests.bot.webchat.server URL PORT SECONDS` is one in a process of its own, whose turns take so long.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from sanic import Sanic
from sqlalchemy import select

from bot.channels.webchat import WebChatInput
from database import transaction
from messaging.models import ChatEntry, InboundMessage, OutboundMessage
from messaging.turns.engine import Limits, Outcome, TurnEngine
from messaging.turns.inbox import Claim
from messaging.turns.outbox import Sender
from messaging.turns.own_loop import OwnLoop
from messaging.turns.queues import Queue
from messaging.turns.queues.local import LocalQueue
from tests.sanic_servers import created

Contents = list[dict[str, Any]]
SOON = Limits(first_pause=0.05)


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Raises AssertionError where it does not become so."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not become so"
        time.sleep(0.02)


class StandIn:
    """Answers with what `answers` has for a text, else by an echo; each turn takes so many seconds."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.answers: dict[str, Contents | Exception | Callable[[Claim], Contents]] = {}
        self.heard: list[Claim] = []

    async def run(self, claim: Claim) -> Outcome:
        self.heard.append(claim)
        await asyncio.sleep(self.seconds)
        answer = self.answers.get(claim.text, [{"text": f"you said {claim.text}"}])
        if isinstance(answer, Exception):
            raise answer
        return Outcome(answer(claim) if callable(answer) else answer)

    async def apologise(self, claim: Claim) -> Outcome:
        return Outcome([{"text": "sorry"}])


class Thread:
    """A server in a thread with its own event loop, and its turns in another.

    beside: other channels, served too. pushes: senders of channels that are not served."""

    def __init__(
        self,
        url: str,
        handler: StandIn,
        credentials: dict[str, Any],
        limits: Limits = SOON,
        beside: Sequence[Any] = (),
        pushes: Mapping[str, Sender] = {},
    ) -> None:
        self.handler = handler
        self.channel = WebChatInput.from_credentials(credentials)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._turns = OwnLoop()
        self._turns.begin()
        self.engine = engine_for(url, handler, self.channel, limits, pushes)
        self._beside = beside
        self.app = self._make_app()
        self.loop = asyncio.new_event_loop()
        self._is_up, self._failed = threading.Event(), ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._is_up.wait(30), "it is not up"
        assert not self._failed, self._failed

    def _make_app(self) -> Sanic:
        return app_for(self.channel, self.engine, self._beside)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self._server = self.loop.run_until_complete(serving(self.app, self._socket))
            self.loop.run_until_complete(self._turns.run(self.engine.start()))
        except BaseException:
            self._failed = traceback.format_exc()
            self._is_up.set()
            return
        self.loop.call_soon(self._is_up.set)
        self.loop.run_forever()

    def on_loop(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def say_goodbye(self) -> None:
        """As a server does that is told to stop."""
        self.on_loop(self._server.before_stop())

    def later(self, seconds: float, work: Callable[[], Any]) -> threading.Timer:
        timer = threading.Timer(seconds, work)
        timer.start()
        return timer

    def close(self) -> None:
        if not self._thread.is_alive():
            return
        self.say_goodbye()
        self.on_loop(self._turns.run(self.engine.stop(2)))
        self.on_loop(self._turns.end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self._socket.close()


def engine_for(
    url: str, handler: StandIn, channel: WebChatInput, limits: Limits, pushes: Mapping[str, Sender] = {}
) -> TurnEngine:
    return TurnEngine(handler, _queue(url), url, pushes={channel.name(): channel.sender(), **pushes}, limits=limits)


def _queue(url: str) -> Queue:
    if not url.startswith("postgresql"):
        return LocalQueue()
    from messaging.turns.queues.postgres import PostgresQueue

    return PostgresQueue(url, lease=3)


def app_for(channel: WebChatInput, engine: TurnEngine, beside: Sequence[Any] = ()) -> Sanic:
    app = Sanic(f"test-{uuid.uuid4().hex}", configure_logging=False)
    app.ctx.agent = SimpleNamespace(engine=engine)
    for each in (channel, *beside):
        app.blueprint(each.blueprint(_never), url_prefix=f"/webhooks/{each.name()}")
    return app


async def serving(app: Sanic, sock: socket.socket) -> Any:
    server = await created(app, sock)
    await server.before_start()
    await server.start_serving()
    return server


async def _never(_message: Any) -> None:
    raise AssertionError("nobody waits for the reply in the request")


@dataclass
class Served:
    """A running server, and what is in its database."""

    thread: Thread
    database: str
    clients: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.thread.port}"

    @property
    def handler(self) -> StandIn:
        return self.thread.handler

    @property
    def connections(self) -> int:
        return self.thread.channel.connections

    def session(self) -> Any:
        return transaction(self.database)

    def inbox(self) -> list[InboundMessage]:
        return self._all(select(InboundMessage).order_by(InboundMessage.id))

    def entries(self) -> list[ChatEntry]:
        return self._all(select(ChatEntry).order_by(ChatEntry.id))

    def outbox(self) -> list[OutboundMessage]:
        return self._all(select(OutboundMessage).order_by(OutboundMessage.id))

    def _all(self, query: Any) -> list[Any]:
        with transaction(self.database) as session:
            return list(session.execute(query).scalars())


def _main() -> None:
    url, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])

    async def run() -> None:
        sock = socket.create_server(("127.0.0.1", port))
        channel = WebChatInput.from_credentials({})
        engine = engine_for(url, StandIn(seconds), channel, SOON)
        turns = OwnLoop()
        turns.begin()
        await turns.run(engine.start())
        await serving(app_for(channel, engine), sock)
        print(sock.getsockname()[1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


if __name__ == "__main__":
    _main()
