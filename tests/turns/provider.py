"""A messaging provider as the outbox meets it: real HTTP; a repeated idempotency key is shown to the recipient once."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Provider:
    """shown: what each recipient saw, in the order seen. contradictions: keys that came again with other words."""

    def __init__(self) -> None:
        self.shown: dict[str, list[str]] = defaultdict(list)
        self.contradictions: list[str] = []
        self.requests: Counter[str] = Counter()
        self._texts: dict[str, str] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.provider = self
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, key: str, to: str, text: str) -> None:
        with self._lock:
            self.requests[key] += 1
            if key not in self._texts:
                self._texts[key] = text
                self.shown[to].append(text)
            elif self._texts[key] != text:
                self.contradictions.append(key)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    provider: Provider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Senders are killed in the middle of a request: that is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Idempotency-Key"]
        self.server.provider.take(key, body["to"], body["text"])
        answer = json.dumps({"id": f"provider-{key}"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Tests print enough."""
