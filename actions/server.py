"""The action server: `python -m actions.server --port 5055`. Rasa's own protocol; each action in a thread, and done once.

Rasa's own server (`rasa run actions`) runs the same actions, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from socket import socket
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection
from sanic import Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from actions.call import Answer, answer_once
from actions.read_ahead import read_ahead
from database import home_folder
from messaging.kept import as_it_is_now
from messaging.turns import garbage, logs, trace
from messaging.turns.calls import NAME_OF_CALL, Abandoned
from messaging.turns.wishes import Wish, follow, read_files_again

logger = logging.getLogger("actions.server")  # also where it is run as a module

AT_ONCE = 32  # actions; one that hangs holds up none of the others


class Actions:
    """All actions of a package, each run in a thread of its own."""

    def __init__(self, package: str = "actions", at_once: int = AT_ONCE) -> None:
        self._registry = ActionExecutor()
        self._registry.register_package(package)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="action")

    @property
    def names(self) -> list[str]:
        return sorted(self._registry.actions)

    async def answer(self, call: dict[str, Any], key: str | None) -> Answer:
        """Raises KeyError for an unknown action, ActionExecutionRejection, Abandoned, and what the action raises."""
        action = self._registry.actions[call["next_action"]]

        def act() -> Answer:
            dispatcher = CollectingDispatcher()
            with as_it_is_now():
                events = action(dispatcher, Tracker.from_dict(call["tracker"]), call.get("domain") or {})
            known = ActionExecutor.validate_events(events or [], call["next_action"])
            return {"events": known, "responses": dispatcher.messages}

        sender_id = str(call.get("sender_id") or "")
        context = copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, context.run, answer_once, key, sender_id, act)


def make_app(package: str = "actions") -> Sanic:
    """The application; its routes are those of Rasa's action server."""
    app = Sanic("tendero_actions", configure_logging=False)
    app.config.KEEP_ALIVE_TIMEOUT = 75  # longer than the Rasa server keeps a connection: it must be the one that closes
    app.config.RESPONSE_TIMEOUT = 600
    actions = Actions(package)

    @app.listener("before_server_start")
    async def settle(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
        read_ahead()
        garbage.leave_out_what_is_loaded()
        app.ctx.end_wishes = follow(home_folder(), "actions", _fulfil)

    @app.listener("before_server_stop")
    async def end(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
        app.ctx.end_wishes()

    @app.get("/health")
    async def health(_request: Request) -> HTTPResponse:
        return response.json({"status": "ok"})

    @app.get("/actions")
    async def names(_request: Request) -> HTTPResponse:
        return response.json([{"name": name} for name in actions.names])

    @app.post("/webhook")
    async def webhook(request: Request) -> HTTPResponse:
        began = time.perf_counter()
        with trace.followed(trace.taken_up(request.headers.get("traceparent")) or ""):
            answered = await _respond(actions, request)
            facts = {"status": answered.status, "milliseconds": round((time.perf_counter() - began) * 1000)}
            logger.info("action", extra={"action": _action_of(request), **facts})
        return answered

    return app


async def _fulfil(_wish: Wish) -> str:
    await read_files_again()
    return ""  # it has no model


def _action_of(request: Request) -> str | None:
    call = request.json
    name = call.get("next_action") if isinstance(call, dict) else None
    return name if isinstance(name, str) else None


async def _respond(actions: Actions, request: Request) -> HTTPResponse:
    call, name = request.json, _action_of(request)
    if not name or not isinstance(call.get("tracker"), dict):
        return response.json({"error": "a call has next_action and tracker"}, status=400)
    try:
        return response.json(await actions.answer(call, request.headers.get(NAME_OF_CALL)))
    except ActionExecutionRejection as rejection:
        return response.json({"error": rejection.message, "action_name": rejection.action_name}, status=400)
    except KeyError as error:
        if error.args != (name,):
            raise
        return response.json({"error": f"no action is called {name}", "action_name": name}, status=404)
    except Abandoned:
        return response.json({"error": "given up before", "action_name": name}, status=409)
    except Exception:
        logger.exception("%s failed", name)
        return response.json({"error": "it failed: the log says why", "action_name": name}, status=500)


def main() -> None:
    parser = argparse.ArgumentParser(prog="actions.server", description="Tendero's actions for a Rasa server.")
    parser.add_argument("--actions", default="actions", help="the package")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5055)
    parser.add_argument("--socket", type=int, help="a file descriptor that listens already, instead of a host and a port")
    arguments = parser.parse_args()
    app = make_app(arguments.actions)
    logs.configure()
    if arguments.socket is not None:
        app.run(sock=socket(fileno=arguments.socket), workers=1, access_log=False)
    else:
        app.run(host=arguments.host, port=arguments.port, workers=1, access_log=False)


if __name__ == "__main__":
    main()
