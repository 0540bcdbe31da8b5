"""The demo shop's page, served by its own channel, and a stand-in for the widget that notes what it is told."""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sanic import Sanic

from bot.channels.demo_shop import DemoShopPage
from bot.channels.webchat import WebChatInput
from tests.sanic_servers import created

WIDGET = """
globalThis.told = [];
class Chat extends HTMLElement {
  open() { told.push(["open"]); }
  say(text) { told.push(["say", text]); }
  signIn(jwt) { told.push(["signIn", jwt]); }
  signOut() { told.push(["signOut"]); }
}
customElements.define("tendero-chat", Chat);
document.body.append(document.createElement("tendero-chat"));
"""


@contextmanager
def serving() -> Iterator[str]:
    """The address of the page. The environment says where the shop is, as for any server."""
    listening = socket.create_server(("127.0.0.1", 0))
    loop, is_up = asyncio.new_event_loop(), threading.Event()

    async def begin() -> None:
        app = Sanic(f"test-{uuid.uuid4().hex}", configure_logging=False)
        for channel in (DemoShopPage, WebChatInput):
            app.blueprint(channel.from_credentials(None).blueprint(_never), url_prefix=f"/webhooks/{channel.name()}")
        server = await created(app, listening)
        await server.before_start()
        await server.start_serving()
        is_up.set()

    def run() -> None:
        loop.create_task(begin())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert is_up.wait(30)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        listening.close()


async def _never(_message: Any) -> None:
    raise AssertionError("the page takes no messages")
