"""What can stand in the way of a start, said in words with what to do about it."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from tendero.environment import python_is_supported
from tendero.settings import Settings

NEEDED_MEGABYTES = 300  # a model, the demo shop, logs
ACTION_HOST = "127.0.0.1"
FIRST_ACTION_PORT = 5055
ACTION_PORTS_TRIED = 50
WAITING_CONNECTIONS = 100  # as Sanic has it


class Obstacle(Exception):
    """Something outside the program keeps it from working. The message is for whoever typed the command."""


def check(settings: Settings) -> None:
    """Everything that can be known before any work is done. Raises Obstacle."""
    check_python()
    check_home(settings.home)
    check_port(settings.host, settings.port, "PORT")
    if settings.action_port is not None:
        check_port(ACTION_HOST, settings.action_port, "ACTION_PORT")


def check_python(version: tuple[int, int] | None = None) -> None:
    if not python_is_supported(version):
        found = ".".join(str(part) for part in version or sys.version_info[:2])
        raise Obstacle(f"Tendero runs on Python 3.10 and 3.11; this is Python {found}. `make run` finds or brings the right one.")


def check_home(home: Path, needed_megabytes: int = NEEDED_MEGABYTES) -> None:
    """The folder for all state: made where it is missing (readable by its owner only), writable, with room."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise disk_full(home) from error
        raise Obstacle(
            f"Tendero keeps its state in {home} and cannot write there ({error.strerror}). "
            "Make it writable for you, or give another folder: TENDERO_HOME=/some/folder make run"
        ) from error
    free = shutil.disk_usage(home).free // 1_000_000
    if free < needed_megabytes:
        raise disk_full(home, free, needed_megabytes)


def disk_full(home: Path, free: int = 0, needed: int = NEEDED_MEGABYTES) -> Obstacle:
    return Obstacle(
        f"The disk of {home} is full: {free} MB are free, Tendero needs {needed} MB for its model, database and logs. "
        "Free some space, or give a folder on another disk: TENDERO_HOME=/some/folder make run"
    )


def check_port(host: str, port: int, variable: str) -> None:
    """Whether a server could listen there. variable: the one that sets this port."""
    error = _why_not(host, port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        raise Obstacle(
            f"Port {port} is taken by another program (perhaps a Tendero that still runs). "
            f"Stop that program, or choose another port: {variable}={_another(port)} make run"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        raise Obstacle(f"You may not listen on port {port}: choose one above 1023, for instance {variable}=5005")
    raise Obstacle(f"Tendero cannot listen on {host}:{port} ({error.strerror or error}). Set HOST to an address of this machine.")


def listen_for_actions(port: int | None = None, first: int = FIRST_ACTION_PORT) -> socket.socket:
    """A socket that listens on this port, or on the first free one from `first` on: nobody but our own server has to know it.

    It listens already, so that of two shops that start at once each gets its own, and neither the other's answers.
    """
    if port:
        check_port(ACTION_HOST, port, "ACTION_PORT")
        return _listening(ACTION_HOST, port)
    for free in range(first, first + ACTION_PORTS_TRIED):
        try:
            return _listening(ACTION_HOST, free)
        except OSError:
            continue
    raise Obstacle(f"None of the ports {first} to {first + ACTION_PORTS_TRIED - 1} is free for the action server.")


def _another(port: int) -> int:
    return port + 1 if port < 65535 else port - 1


def _why_not(host: str, port: int) -> OSError | None:
    try:
        _listening(host, port).close()
    except OSError as error:
        return error
    return None


def _listening(host: str, port: int) -> socket.socket:
    """Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # a port that was left a moment ago is free
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(WAITING_CONNECTIONS)
    except OSError:
        listening.close()
        raise
    return listening
