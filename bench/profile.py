"""Where a turn's time goes: `python -m bench.profile [--turns 200] [--sort cumulative|tottime] [--top 25]`.

Both servers in one process and one thread, without HTTP between them, so that one profile sees all of a turn: the engine, Rasa,
and the action. What it does not see is HTTP itself, and waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import tempfile
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.scripts import SCRIPTS, Script
from bench.systems import fill_demo
from bot.without_tensorflow import leave_out_unused
from tendero.environment import PROJECT
from tendero.training import Training, current_model


class HereAndNow(ThreadPoolExecutor):
    """Runs what is given to it at once, in the thread of the caller."""

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*arguments, **named))
        except BaseException as error:
            future.set_exception(error)
        return future


def main() -> None:
    arguments = _arguments()
    model = current_model(PROJECT / "var")
    if not model.is_file():
        Training(PROJECT / "var").finish()
    leave_out_unused(model, PROJECT / "credentials.yml")
    with tempfile.TemporaryDirectory(prefix="tendero-profile-") as folder:
        os.environ["TENDERO_HOME"] = folder
        os.environ["TENDERO_DATABASE_URL"] = f"sqlite:///{folder}/tendero.db"
        fill_demo(Path(folder))
        profile, turns = asyncio.run(_profiled(model, arguments.turns))
    statistics = pstats.Stats(profile)
    print(f"{turns} turns, {statistics.total_tt / turns * 1000:.1f} ms each under the profiler")  # type: ignore[attr-defined]
    statistics.sort_stats(arguments.sort).print_stats(arguments.top)


async def _profiled(model: Path, turns: int) -> tuple[cProfile.Profile, int]:
    asyncio.get_running_loop().set_default_executor(HereAndNow())
    agent = _agent(model)
    await _play(agent, SCRIPTS)  # what is read once, is read
    profile, played = cProfile.Profile(), 0
    while played < turns:
        profile.enable()
        played += await _play(agent, SCRIPTS)
        profile.disable()
    return profile, played


async def _play(agent: Any, scripts: tuple[Script, ...]) -> int:
    from messaging.turns.inbox import Inbound

    for script in scripts:
        sender = f"profile-{uuid.uuid4().hex[:12]}"
        _vouch_for(sender, script.customer)
        for text in script.texts:
            receipt = await agent.engine.receive(Inbound("profile", uuid.uuid4().hex, sender, text))
            await agent.engine.work(sender)
            await agent.engine.answer(receipt)
    return sum(len(script.texts) for script in scripts)


def _agent(model: Path) -> Any:
    """As the server has it; the action server is a function."""
    import logging

    from rasa.utils.log_utils import configure_structlog

    from actions.server import Actions
    from bot.action_call import ActionServer
    from bot.agent import TurnAgent
    from bot.tracker_store import ConversationTrackerStore
    from bot.turn_handler import RasaHandler
    from messaging.calendar import kept_calendar
    from messaging.turns.calls import NAME_OF_CALL
    from messaging.turns.engine import TurnEngine
    from messaging.turns.queues.local import LocalQueue

    class ActionsHere(ActionServer):
        actions = Actions()

        async def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
            return 200, json.dumps(await self.actions.answer(json.loads(body), headers.get(NAME_OF_CALL)))

    ActionsHere.actions._threads = HereAndNow()
    configure_structlog(logging.WARNING)
    logging.basicConfig(level=logging.WARNING)
    store = ConversationTrackerStore()
    agent = TurnAgent(store, ActionsHere("http://127.0.0.1:0/webhook"))
    agent.load_model(str(model))
    handler = RasaHandler(agent.processor, store, lambda: kept_calendar(PROJECT / "data" / "policies" / "support.yml"))
    agent.engine = TurnEngine(handler, LocalQueue())
    return agent


def _vouch_for(sender: str, email: str) -> None:
    from datetime import datetime, timezone

    from commerce.customers import by_contact
    from database import transaction
    from messaging.identities import assert_identity

    with transaction() as session:
        customer = by_contact(session, email)
        assert customer is not None, email
        assert_identity(session, "profile", sender, customer.id, datetime.now(timezone.utc))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.profile", description="Where a turn's time goes.")
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--top", type=int, default=25)
    parser.add_argument("--sort", choices=("cumulative", "tottime"), default="cumulative")
    return parser.parse_args()


if __name__ == "__main__":
    main()
