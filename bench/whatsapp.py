"""How soon a WhatsApp webhook is answered, while turns run: `python -m bench.whatsapp`.

    python -m bench.whatsapp --per-second 80 --seconds 30
    python -m bench.whatsapp --batch 1000 --per-second 1

Signed webhooks over HTTP, as Meta sends them, to the shop's own server; its replies go to a Graph API in this process that takes
everything and reports "delivered". Prints how long Meta waited for its 200, what was answered meanwhile, and whether all was.
Only this machine is spoken to.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import os
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import aiohttp
from aiohttp import web

from bench.soak import DRAINS_WITHIN, _model
from bench.systems import HERE, Ours, free_port
from tendero.environment import PROJECT

SECRET, NUMBER, TOKEN = "secret-of-a-bench", "1001", "token-of-a-bench"
SHOPPERS = 500
SAID = (
    "hola",
    "dónde está mi pedido 10203?",
    "tienes camisas azules?",
    "cuánto tarda el envío",
    "gracias",
    "quiero hablar con alguien",
)


class Whatsapp(Ours):
    """Our shop, with its WhatsApp at a Graph API on this machine."""

    graph_port: int
    credentials = "rest:\nbot.channels.whatsapp.WhatsAppInput: {}\n"

    @property
    def _environment(self) -> dict[str, str]:
        of_whatsapp = {
            "WHATSAPP_APP_SECRET": SECRET,
            "WHATSAPP_VERIFY_TOKEN": "verify",
            "WHATSAPP_ACCESS_TOKEN": TOKEN,
            "WHATSAPP_PHONE_NUMBER_ID": NUMBER,
            "WHATSAPP_GRAPH_API_URL": f"http://{HERE}:{self.graph_port}",
            "WHATSAPP_MESSAGES_PER_SECOND": "1000",
        }
        return {**super()._environment, **of_whatsapp}

    @property
    def webhook(self) -> str:
        return f"http://{HERE}:{self.port}/webhooks/whatsapp/webhook"


class Graph:
    """Takes every message, and says a moment later that it was delivered."""

    def __init__(self) -> None:
        self.taken = 0
        self.port = free_port()
        self._number = itertools.count(1)
        self.delivered: asyncio.Queue[str] = asyncio.Queue()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{version}/{number}/messages", self._take)
        app.router.add_post("/{version}/{number}/media", self._keep)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HERE, self.port).start()

    async def _keep(self, request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"id": f"media-{next(self._number)}"})

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("status") == "read":
            return web.json_response({"success": True})
        self.taken += 1
        name = f"wamid.OUT{next(self._number)}"
        self.delivered.put_nowait(name)
        return web.json_response({"messages": [{"id": name}]})


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(arguments, Path(folder)))


async def _run(arguments: argparse.Namespace, folder: Path) -> int:
    graph = Graph()
    await graph.start()
    Whatsapp.graph_port = graph.port
    shop = Whatsapp(folder, _model())
    await asyncio.to_thread(shop.start)
    try:
        async with aiohttp.ClientSession() as session:
            telling = asyncio.ensure_future(_tell_statuses(session, shop.webhook, graph))
            began, taken, cpu = time.monotonic(), graph.taken, shop.cpu_seconds()
            waits, refused = await _load(session, shop.webhook, arguments.per_second, arguments.seconds, arguments.batch)
            seconds = time.monotonic() - began
            meanwhile = _answered(shop.conversations)
            drained = await _drained(shop.conversations)
            telling.cancel()
        _print(waits, refused, meanwhile / seconds, drained, graph.taken - taken)
        messages = len(waits) * arguments.batch
        print(f"{(shop.cpu_seconds() - cpu) / messages * 1000:.1f} ms of CPU for a message with its turn, replies and statuses")
        return 0 if drained is not None and not refused else 1
    finally:
        await asyncio.to_thread(shop.stop)


async def _load(
    session: aiohttp.ClientSession, url: str, per_second: float, seconds: float, batch: int
) -> tuple[list[float], int]:
    """Milliseconds until the 200 of each POST, which is sent when its time has come, however long others take."""
    numbers = itertools.count()
    waits: list[float] = []
    refused = 0

    async def post() -> None:
        nonlocal refused
        body = json.dumps(_webhook([_message(next(numbers)) for _ in range(batch)])).encode()
        began = time.perf_counter()
        status = await _post(session, url, body)
        waits.append((time.perf_counter() - began) * 1000)
        refused += status != 200

    began = time.monotonic()
    posts = []
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(began + number / per_second - time.monotonic(), 0))
        posts.append(asyncio.ensure_future(post()))
    await asyncio.gather(*posts)
    return waits, refused


async def _tell_statuses(session: aiohttp.ClientSession, url: str, graph: Graph) -> None:
    while True:
        names = [await graph.delivered.get()]
        await asyncio.sleep(0.2)
        while not graph.delivered.empty():
            names.append(graph.delivered.get_nowait())
        told = [{"id": name, "status": "delivered", "timestamp": _now(), "recipient_id": "1"} for name in names]
        await _post(session, url, json.dumps(_webhook([], told)).encode())


async def _post(session: aiohttp.ClientSession, url: str, body: bytes) -> int:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    async with session.post(url, data=body, headers=headers) as answer:
        await answer.read()
        return answer.status


def _message(number: int) -> dict[str, Any]:
    person = f"52155{number % SHOPPERS:08d}"
    text = {"body": SAID[(number // SHOPPERS + number) % len(SAID)]}
    return {
        "from": person,
        "from_user_id": f"MX.{person}",
        "id": f"wamid.IN{number}",
        "timestamp": _now(),
        "type": "text",
        "text": text,
    }


def _webhook(messages: list[dict[str, Any]], statuses: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    people = [{"profile": {"name": "Ana"}, "wa_id": each["from"], "user_id": each["from_user_id"]} for each in messages]
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": NUMBER, "display_phone_number": "1"},
    }
    value |= {"contacts": people, "messages": messages} if messages else {}
    value |= {"statuses": statuses} if statuses else {}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}


def _now() -> str:
    return str(int(time.time()))


def _answered(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM inbound_message WHERE state = 'done'").fetchone()[0])


async def _drained(database: Path) -> float | None:
    """Seconds until nothing waits; None: it still does."""
    began = time.monotonic()
    while time.monotonic() - began < DRAINS_WITHIN:
        with closing(sqlite3.connect(database)) as connection:
            waits = "SELECT count(*) FROM inbound_message WHERE state IN ('waiting', 'taken')"
            unsent = "SELECT count(*) FROM outbound_message WHERE channel = 'whatsapp' AND state IN ('pending', 'sending')"
            if not sum(connection.execute(each).fetchone()[0] for each in (waits, unsent)):
                return time.monotonic() - began
        await asyncio.sleep(1.0)
    return None


def _print(waits: list[float], refused: int, turns: float, drained: float | None, sent: int) -> None:
    cuts = quantiles(waits, n=100) if len(waits) > 1 else waits * 100
    over = sum(wait > 250 for wait in waits) / len(waits)
    print(
        f"webhooks {len(waits)}, refused {refused}; until the 200: median {median(waits):.1f} ms, p95 {cuts[94]:.0f} ms, "
        f"p99 {cuts[98]:.0f} ms, over 250 ms {over:.2%}"
    )
    print(f"turns meanwhile {turns:.1f} a second; messages sent {sent}")
    print(f"all answered and sent after {drained:.0f} s more" if drained is not None else "NOT all answered and sent")
    print(f"load of this machine {os.getloadavg()[0]:.1f}, project {PROJECT.name}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.whatsapp", description=__doc__.splitlines()[0])
    parser.add_argument("--per-second", type=float, default=80.0, help="POSTs")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--batch", type=int, default=1, help="messages in a POST")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
