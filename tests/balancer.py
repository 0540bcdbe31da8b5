"""Before several servers: each connection goes to the next of them that takes it."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Sequence

from tests.turns.proxy import join, shut


class Balancer:
    """ports: of the servers; they may change."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = list(ports)
        self._taken = itertools.count()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        shut(self._listener)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._server()
                if server is None:
                    shut(client)
                    continue
                join(client, server)

    def _server(self) -> socket.socket | None:
        for number in itertools.islice(self._taken, len(self.ports)):
            port = self.ports[number % len(self.ports)]
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", port), timeout=5)
        return None
