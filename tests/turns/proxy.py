"""A way to PostgreSQL that can be closed: connections are cut, and new ones refused."""

from __future__ import annotations

import contextlib
import socket
import threading

from sqlalchemy.engine import make_url


class Proxy:
    """In front of a PostgreSQL that listens on a Unix socket; `url` leads through it."""

    def __init__(self, url: str) -> None:
        self._behind = str(make_url(url).query["host"]) + "/.s.PGSQL.5432"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/{make_url(url).database}"
        self._listener: socket.socket | None = None
        self._pipes: list[socket.socket] = []
        self.open()

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Whoever is connected loses the connection, in the middle of whatever it was."""
        if self._listener is not None:
            shut(self._listener)
            self._listener = None
        for pipe in self._pipes:
            shut(pipe)
        self._pipes = []

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._behind)
                self._pipes += [client, server]
                join(client, server)


def join(one: socket.socket, other: socket.socket) -> None:
    """What comes from one goes to the other, both ways, until one of them ends."""
    for from_, to in ((one, other), (other, one)):
        threading.Thread(target=_pump, args=(from_, to), daemon=True).start()


def _pump(from_: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := from_.recv(65536):
            to.sendall(data)
    shut(from_)
    shut(to)


def shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
