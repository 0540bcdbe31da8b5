"""The simulator's process: `python -m tendero.simulator.server --port 8090 --webhook http://127.0.0.1:5005/webhooks/whatsapp/webhook`.

Secrets come from the environment, by the names that the connector knows (WHATSAPP_ACCESS_TOKEN and so on), or from options.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from sanic import Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from tendero.local_pages import HEADERS, HOST, file_of, listen, serve_on
from tendero.obstacles import Obstacle
from tendero.settings import LOOPBACK
from tendero.simulator.account import Account
from tendero.simulator.controls import add_control_routes
from tendero.simulator.graph import add_graph_routes
from tendero.simulator.templates import Template
from tendero.simulator.world import World, make_world

FILES = Path(__file__).with_name("page_files")
LARGEST_REQUEST = 110 * 1024 * 1024  # bytes: a document of 100 MB and what is around it
VERIFIES_EVERY = 1.0  # seconds, until the shop answers
SECRETS = ("app_secret", "verify_token", "access_token")


def main() -> None:
    try:
        serve(read_arguments(sys.argv[1:]))
    except Obstacle as obstacle:
        sys.exit(str(obstacle))


def serve(arguments: argparse.Namespace) -> None:
    """Until it is stopped. Says where it listens. Raises Obstacle."""
    check_webhook(arguments.webhook, arguments.allow_remote)
    listening = listen(arguments.port, "Choose another with --port.")
    print(f"listening on http://{HOST}:{listening.getsockname()[1]}", flush=True)  # noqa: T201 (whoever started it waits for this)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments, listening))


async def _serve(arguments: argparse.Namespace, listening: socket.socket) -> None:
    known = (arguments.phone_number_id, arguments.business_account_id, arguments.app_secret, arguments.verify_token)
    world = make_world(Account(*known, [arguments.access_token]), arguments.webhook, arguments.seed)
    if arguments.demo:
        add_demo(world)
    if arguments.templates:
        for told in json.loads(arguments.templates.read_text(encoding="utf-8")):
            world.templates.put(Template.of(told))
    world.spawn(_verify(world))
    await serve_on(listening, make_app(world))


def read_arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tendero.simulator.server")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--webhook", required=True, help="where the shop takes webhooks")
    parser.add_argument("--allow-remote", action="store_true", help="the webhook may be on another machine")
    parser.add_argument("--seed", default=secrets.token_hex(8), help="the same ids and the same chance again")
    parser.add_argument("--demo", action="store_true", help="with the demo's customers as shoppers")
    parser.add_argument("--templates", type=Path, help="a JSON file of more approved templates, in the shape of Meta's list")
    parser.add_argument("--phone-number-id", default=os.environ.get("WHATSAPP_PHONE_NUMBER_ID", "106540352242922"))
    parser.add_argument("--business-account-id", default=os.environ.get("WHATSAPP_BUSINESS_ACCOUNT_ID", "102290129340398"))
    for name in SECRETS:
        parser.add_argument(f"--{name.replace('_', '-')}", default=os.environ.get(f"WHATSAPP_{name.upper()}", ""))
    arguments = parser.parse_args(words)
    if absent := [name for name in SECRETS if not getattr(arguments, name)]:
        parser.error(f"not set: {', '.join(f'WHATSAPP_{name.upper()}' for name in absent)}")
    return arguments


def check_webhook(url: str, allow_remote: bool) -> None:
    """Raises Obstacle for an address on another machine, unless that is wanted."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Obstacle(f"{url} is no http address.")
    if parts.hostname not in LOOPBACK and not allow_remote:
        raise Obstacle(
            f"{parts.hostname} is not this machine: made-up messages would go there. --allow-remote sends them all the same."
        )


def add_demo(world: World) -> None:
    """The demo's customers, by their own numbers, and somebody who has a user name and shows no number."""
    from commerce.demo.personas import PERSONAS

    for persona in PERSONAS:
        world.shoppers.add(persona.name, persona.phone)
    world.shoppers.add("Sol", "+34600000099", username="sol.y.mar", shows_phone=False)


def make_app(world: World) -> Sanic:
    app = Sanic(f"tendero_simulator_{secrets.token_hex(4)}", configure_logging=False)
    app.config.REQUEST_MAX_SIZE = LARGEST_REQUEST
    app.config.RESPONSE_TIMEOUT = app.config.REQUEST_TIMEOUT = 600
    app.config.KEEP_ALIVE_TIMEOUT = 30
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 1
    app.config.FALLBACK_ERROR_FORMAT = "json"
    add_graph_routes(app, world)
    add_control_routes(app, world)

    @app.middleware("request")
    async def guard(request: Request) -> HTTPResponse | None:
        if not is_from_here(request):
            return response.json({"error": "Only this machine, and only the simulator's own page."}, status=403)
        return None

    @app.middleware("response")
    async def protect(_request: Request, answered: HTTPResponse) -> None:
        for name, value in HEADERS.items():
            answered.headers.setdefault(name, value)

    app.add_route(_file, "/", methods=["GET"], name="index")
    app.add_route(_file, "/<name:[a-z_]+\\.[a-z]+>", methods=["GET"], name="file")
    return app


def is_from_here(request: Request) -> bool:
    """By a name of this machine (a page elsewhere may have a name that leads here), and from no other page."""
    host = request.headers.get("host", "")
    name = host.rpartition(":")[0] or host
    origin = request.headers.get("origin")
    return name.strip("[]") in LOOPBACK and origin in (None, f"http://{host}")


async def _verify(world: World) -> None:
    """As Meta does when a webhook is registered; again until the shop is there."""
    while not world.is_verified:
        world.is_verified = await world.delivery.verify()
        if not world.is_verified:
            await asyncio.sleep(VERIFIES_EVERY)
    world.touch()


async def _file(_request: Request, name: str = "index.html") -> HTTPResponse:
    return file_of(FILES, name)


if __name__ == "__main__":
    main()
