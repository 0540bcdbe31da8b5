"""What an idle connection of the web chat weighs, and how soon a message is answered: `python -m bench.webchat`.

    python -m bench.webchat --connections 2000 --messages 100

WebSockets to the shop's own server, each in a conversation of its own. Prints the memory that the server takes for each, and how
long the shopper waits for a reply. Only this machine is spoken to; it needs as many open files (`ulimit -n`).
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import aiohttp

from bench.soak import _model
from bench.systems import HERE, Ours

GIB = 2**20  # kB
FIRST = 50  # connections before it is measured: what they bring with them is there by then
SETTLES = 5.0  # seconds
AT_ONCE = 20
SAID = "hola"


class WebChat(Ours):
    """Our shop with its web chat, which believes what we say of our addresses: each has limits of its own."""

    @property
    def _environment(self) -> dict[str, str]:
        return {**super()._environment, "WEBCHAT_PROXIES": "1", "WEBCHAT_IDLE_SECONDS": "9999"}


async def main(connections: int, messages: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = WebChat(Path(folder), _model())
        shop.start()
        try:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
                await _measure(shop, client, connections, messages)
        finally:
            shop.stop()


async def _measure(shop: WebChat, client: aiohttp.ClientSession, connections: int, messages: int) -> None:
    number = count()
    sockets = [await _connected(shop, client, next(number)) for _ in range(FIRST)]
    await asyncio.sleep(SETTLES)
    before = shop.memory()["rss"]
    while len(sockets) < FIRST + connections:
        sockets += await asyncio.gather(*(_connected(shop, client, next(number)) for _ in range(AT_ONCE)))
    await asyncio.sleep(SETTLES)
    each = (shop.memory()["rss"] - before) * 1024 / connections
    print(f"{connections:,} idle connections: {each:.1f} kB each, {GIB / each:,.0f} in 1 GiB")
    waited = [await _answered(sockets[turn % FIRST], turn) for turn in range(messages)]
    print(f"{messages} messages: the reply after {median(waited):.0f} ms (median), {quantiles(waited, n=20)[-1]:.0f} ms (95%)")


async def _connected(shop: WebChat, client: aiohttp.ClientSession, number: int) -> aiohttp.ClientWebSocketResponse:
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    own = {"Origin": f"http://{HERE}:{shop.port}", "X-Forwarded-For": address}
    socket = await client.ws_connect(f"http://{HERE}:{shop.port}/webhooks/webchat/v1/socket", headers=own)
    await socket.send_json({"type": "hello", "v": 1, "language": "es", "after": 0})
    welcome: dict[str, Any] = await socket.receive_json()
    assert welcome["type"] == "welcome", welcome
    return socket


async def _answered(socket: aiohttp.ClientWebSocketResponse, turn: int) -> float:
    """Milliseconds until the reply."""
    began = time.perf_counter()
    await socket.send_json({"type": "say", "id": f"m-{turn}", "text": SAID})
    while True:
        frame: dict[str, Any] = await socket.receive_json()
        assert frame["type"] != "refused", frame
        if any(entry["by"] == "assistant" for entry in frame.get("entries", ())):
            return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--messages", type=int, default=100)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.connections, arguments.messages))
