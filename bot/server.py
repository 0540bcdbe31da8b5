"""The Rasa server with the turn engine: `python -m bot.server --model ... --endpoints ... --credentials ... -i HOST -p PORT`.

Routes: those of the channels below `/webhooks/`, and those of `bot.status`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import yaml

from bot.arguments import server_arguments
from bot.without_tensorflow import OUR_CHANNELS, leave_out_unused

if __name__ == "__main__":  # before Rasa is imported
    leave_out_unused(server_arguments().model, server_arguments().credentials)

from rasa.core.channels.channel import InputChannel, UserMessage
from rasa.shared.utils.common import class_from_module_path
from rasa.shared.utils.io import read_config_file
from sanic import Sanic
from sanic.request import Request
from sqlalchemy.exc import DBAPIError

from bot.action_call import PATIENCE, ActionServer
from bot.agent import TurnAgent
from bot.own_code import fingerprint_of_code
from bot.status import add_status_routes
from bot.swapping import Swapper
from bot.tracker_store import ConversationTrackerStore
from bot.turn_handler import RasaHandler
from database import default_url, home_folder
from messaging.calendar import kept_calendar
from messaging.turns import garbage, logs, trace
from messaging.turns.engine import Limits, TurnEngine
from messaging.turns.inbox import Overloaded
from messaging.turns.own_loop import OwnLoop
from messaging.turns.queues import Queue
from messaging.turns.queues.local import LocalQueue
from messaging.turns.watch import Watch, chosen_watch
from messaging.turns.wishes import Wish, follow

logger = logging.getLogger("bot.server")  # also where it is run as a module

GRACE = 10.0  # seconds, for turns that are under way when the server stops


def main() -> None:
    arguments = server_arguments()
    logs.configure()
    app = make_app(arguments)
    app.run(host=arguments.interface, port=arguments.port, workers=1, access_log=False, backlog=1024)


def make_app(arguments: argparse.Namespace) -> Sanic:
    """The application; the model is loaded when it starts."""
    app = Sanic("tendero", configure_logging=False)
    app.config.KEEP_ALIVE_TIMEOUT = 30
    app.config.RESPONSE_TIMEOUT = 120
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = GRACE
    channels = _channels(arguments.credentials)
    watch = chosen_watch(os.environ)
    code = fingerprint_of_code()  # as it is imported

    @app.listener("before_server_start")
    async def begin(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
        agent, swapper = _agent(arguments, channels, watch)
        app.ctx.agent = agent
        await agent.processor.warm_up()
        logs.configure()  # what a model needs is imported by now, and brings log handlers
        agent.turns = OwnLoop()
        agent.turns.begin()
        await agent.turns.run(_begin_turns(agent, channels))
        garbage.leave_out_what_is_loaded()

        async def fulfil(wish: Wish) -> str:
            return await agent.among_turns(swapper.fulfil(wish))

        app.ctx.end_wishes = follow(home_folder(), "assistant", fulfil, model=agent.model_name, code=code)

    @app.listener("before_server_stop")
    async def end(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
        app.ctx.end_wishes()
        await app.ctx.agent.among_turns(_end_turns(app.ctx.agent, channels))

    @app.listener("after_server_stop")
    async def close(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
        agent = app.ctx.agent
        await agent.among_turns(agent.action_endpoint.close())
        await agent.turns.end()
        watch.close()

    app.register_middleware(_follow_trace, "request")
    _register(channels, app)
    add_status_routes(app, watch)
    return app


async def _begin_turns(agent: TurnAgent, channels: list[InputChannel]) -> None:
    await agent.engine.start()
    for channel in _with_a_life(channels):
        await channel.start()


async def _end_turns(agent: TurnAgent, channels: list[InputChannel]) -> None:
    await agent.engine.stop(GRACE)
    for channel in _with_a_life(channels):
        await channel.stop()


def _follow_trace(request: Request) -> None:
    """What comes of this request goes on with the caller's trace, or with one of its own."""
    trace.follow(trace.taken_up(request.headers.get("traceparent")) or trace.new())


def _agent(arguments: argparse.Namespace, channels: list[InputChannel], watch: Watch) -> tuple[TurnAgent, Swapper]:
    url = default_url()
    store = ConversationTrackerStore(host=url)
    patience = float(os.environ.get("TENDERO_ACTION_PATIENCE") or PATIENCE)
    server = ActionServer(_action_url(arguments.endpoints), patience, url, watch)
    agent = TurnAgent(store, server)
    agent.load_model(arguments.model)
    support = Path(os.environ.get("TENDERO_DATA", "data")) / "policies" / "support.yml"
    kept_calendar(support)  # what is wrong with it is said at the start
    pushes = {channel.name(): channel.sender() for channel in channels if hasattr(channel, "sender")}
    bursts = [channel.name() for channel in channels if getattr(channel, "takes_bursts", False)]
    handler = RasaHandler(agent.processor, store, lambda: kept_calendar(support))
    agent.engine = TurnEngine(handler, _queue(url), url, pushes=pushes, bursts=bursts, limits=_limits(), watch=watch)
    return agent, Swapper(agent, handler, home_folder() / "models", arguments.credentials)


def _queue(url: str) -> Queue:
    if not url.startswith("postgresql"):
        return LocalQueue()
    from messaging.turns.queues.postgres import PostgresQueue

    return PostgresQueue(url)


def _limits() -> Limits:
    most_waiting = int(os.environ.get("TENDERO_MOST_WAITING") or Limits.most_waiting)
    at_once = int(os.environ.get("TENDERO_TURNS_AT_ONCE") or Limits.turns_at_once)
    return Limits(most_waiting=most_waiting, turns_at_once=at_once)


# Channels


def _channels(credentials: str) -> list[InputChannel]:
    return [_channel(name, settings) for name, settings in (read_config_file(credentials) or {}).items()]


def _with_a_life(channels: list[InputChannel]) -> list[Any]:
    """Those that do something beside taking messages in."""
    return [channel for channel in channels if hasattr(channel, "start")]


def _channel(name: str, settings: Any) -> InputChannel:
    if "." not in name:
        from rasa.core.channels import BUILTIN_CHANNELS

        built_in: InputChannel = BUILTIN_CHANNELS[name].from_credentials(settings)
        return built_in
    channel: InputChannel = class_from_module_path(name).from_credentials(settings)
    return channel


def _register(channels: list[InputChannel], app: Sanic) -> None:
    async def handle(message: UserMessage) -> Any:
        return await app.ctx.agent.handle_message(message)

    for channel in channels:
        is_ours = type(channel).__module__.startswith(OUR_CHANNELS)
        app.blueprint(
            channel.blueprint(handle if is_ours else _in_words(app, handle)), url_prefix=f"/webhooks/{channel.url_prefix()}"
        )
    app.ctx.input_channels = channels


def _in_words(app: Sanic, handle: Callable[[UserMessage], Awaitable[Any]]) -> Callable[[UserMessage], Awaitable[Any]]:
    """Rasa's own channels say nothing where a message could not be taken: the shopper is told in words."""

    async def handle_in_words(message: UserMessage) -> None:
        try:
            await handle(message)
        except (Overloaded, DBAPIError, asyncio.TimeoutError) as error:
            logger.warning("a message was not taken: %s", type(error).__name__)
            agent: TurnAgent = app.ctx.agent
            tracker = agent.tracker_store.init_tracker(message.sender_id)
            await agent.processor.say("utter_too_busy", tracker, message.output_channel)

    return handle_in_words


def _action_url(endpoints: str) -> str:
    content = yaml.safe_load(Path(endpoints).read_text(encoding="utf-8")) or {}
    return str(content["action_endpoint"]["url"])


if __name__ == "__main__":
    main()
