"""Child processes of the launcher: their words go to a log, and they end when they are told to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tendero.environment import PROJECT, for_child
from tendero.logs import Log, useful_line

GRACE_SECONDS = 10.0  # to end a turn that is under way


class ChildDied(Exception):
    """A process ended that should run. `str()` is for the terminal: the line that says why, and the log's tail."""

    def __init__(self, name: str, code: int | None, log: Log) -> None:
        self.useful = useful_line(list(log.newest))
        tail = "\n".join(f"  | {line}" for line in list(log.newest)[-12:])
        super().__init__(f"The {name} ended by itself (exit code {code}): {self.useful}\n\n{tail}\n\nAll of it: {log.path}")


class Child:
    """A Python module in a process of its own, with the project as its working folder."""

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], log: Path, inherits: Sequence[int] = (), /, **environ: str
    ) -> None:
        """inherits: file descriptors that it has as well, by the same numbers."""
        self.name = name
        self.log = Log(log)
        command = [sys.executable, "-m", "tendero.rasa_jobs.serve", module, *arguments]
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and modules)
            command,
            cwd=PROJECT,
            env=for_child(TENDERO_LAUNCHER=str(os.getpid()), **environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=inherits,
            start_new_session=True,  # Ctrl-C is for the launcher, which ends its children in order
        )
        self._reader = threading.Thread(target=self._read, name=f"log of {name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def raise_if_dead(self) -> None:
        """Raises ChildDied."""
        if not self.is_running:
            self._reader.join(timeout=2)
            raise ChildDied(self.name, self._process.returncode, self.log)

    def wait(self, seconds: float | None = None) -> int | None:
        """The exit code, or None while it still runs after this time."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(timeout=2)
        return code

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Ask it to end; after the grace, end it. With everything that it has started itself."""
        if self.is_running:
            self._signal(signal.SIGTERM)
            if self.wait(grace_seconds) is None:
                self._signal(signal.SIGKILL)
                self.wait()
        self.log.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as words:
            for line in words:
                self.log.write(line.decode("utf-8", errors="replace"))


def answers(host: str, port: int, path: str) -> bool:
    """Whether an HTTP server answers there without an error."""
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 400
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
