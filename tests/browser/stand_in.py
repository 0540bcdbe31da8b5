"""A stand-in for the web chat channel: serves `web/` and answers the page's two routes as the test tells it to."""

from __future__ import annotations

import json
import mimetypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WEB = Path(__file__).resolve().parents[2] / "web"
STATIC = "/webhooks/webchat/static/"

Answer = Callable[[dict[str, Any]], tuple[int, Any]]


def echo(body: dict[str, Any]) -> tuple[int, Any]:
    return 200, [{"text": f"re: {body['message']}"}]


class StandIn:
    """What the page sent, and what it is answered: set `answer`; clear `open` to keep the page waiting."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[dict[str, Any]] = []
        self.sessions = 0
        self.answer: Answer = echo
        self.open = threading.Event()
        self.open.set()

    @property
    def messages(self) -> list[str]:
        return [body["message"] for body in self.received]

    def replies(self, *replies: dict[str, Any]) -> None:
        self.answer = lambda _body: (200, list(replies))

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path == "/webhooks/webchat/session":
            self.sessions += 1
            return 200, {"token": f"visitor-{self.sessions}.signed"}
        self.received.append(body)
        self.open.wait(timeout=20)
        return self.answer(body)


@contextmanager
def running() -> Iterator[StandIn]:
    stand_in = StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stand_in))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    stand_in.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield stand_in
    finally:
        stand_in.open.set()
        server.shutdown()
        server.server_close()


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = "index.html" if self.path == "/" else self.path.removeprefix(STATIC)
            file = WEB / path
            if not file.is_file():
                return self._send(404, b"", "text/plain")
            return self._send(200, file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = stand_in.post(self.path, body)
            self._send(status, json.dumps(answer).encode(), "application/json")

        def _send(self, status: int, content: bytes, kind: str) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the page was reloaded or closed meanwhile

        def log_message(self, *_args: object) -> None:
            """Keeps the tests' output quiet."""

    return Handler
