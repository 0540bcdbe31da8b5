"""A shop's side of the webhook, small enough to see through: it checks signatures, keeps what came, and answers as it is told."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.whatsapp_simulator import SECRETS

PATH = "/webhooks/whatsapp/webhook"


class Receiver:
    """bodies: those with a good signature. answers: statuses of the next answers; 200 when there are none left."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.times: list[float] = []
        self.unsigned = 0
        self.answers: list[int] = []
        self.on_message: Callable[[dict[str, Any]], None] | None = None
        self._lock = threading.Lock()

    @property
    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in list(self.bodies)]

    @property
    def values(self) -> list[dict[str, Any]]:
        return [change["value"] for payload in self.payloads for entry in payload["entry"] for change in entry["changes"]]

    def items(self, kind: str = "messages") -> list[dict[str, Any]]:
        return [item for value in self.values for item in value.get(kind, [])]

    def statuses(self, message_id: str) -> list[str]:
        return [item["status"] for item in self.items("statuses") if item["id"] == message_id]

    def wait(self, is_there: Callable[[], Any], within: float = 10.0) -> Any:
        until = time.monotonic() + within
        while not (found := is_there()):
            assert time.monotonic() < until, self.payloads[-5:]
            time.sleep(0.02)
        return found

    def take(self, body: bytes, signature: str) -> int:
        good = "sha256=" + hmac.new(SECRETS["WHATSAPP_APP_SECRET"].encode(), body, hashlib.sha256).hexdigest()
        with self._lock:
            if not hmac.compare_digest(good, signature):
                self.unsigned += 1
                return 403
            self.bodies.append(body)
            self.times.append(time.monotonic())
            status = self.answers.pop(0) if self.answers else 200
        if self.on_message:
            for item in [item for value in _values(body) for item in value.get("messages", [])]:
                threading.Thread(target=self.on_message, args=(item,), daemon=True).start()
        return status

    def clear(self) -> None:
        with self._lock:
            self.bodies.clear()
            self.times.clear()
            self.answers.clear()
            self.unsigned, self.on_message = 0, None


def _values(body: bytes) -> list[dict[str, Any]]:
    return [change["value"] for entry in json.loads(body)["entry"] for change in entry["changes"]]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            is_ours = asked.get("hub.verify_token") == [SECRETS["WHATSAPP_VERIFY_TOKEN"]]
            self._answer(200 if is_ours else 403, asked["hub.challenge"][0].encode() if is_ours else b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(receiver.take(body, self.headers.get("X-Hub-Signature-256", "")), b"")

        def _answer(self, status: int, body: bytes) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):  # the simulator was reset meanwhile
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Keeps the tests' output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_port}{PATH}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
