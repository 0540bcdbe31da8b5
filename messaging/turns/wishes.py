"""How a running server is told to take up what is new, and says whether it has: by files in TENDERO_HOME/running.

Whoever may write there may wish, and nobody else: nothing of it can be reached by the network. A server's own file is locked as
long as the server lives, however it ends; what a dead one leaves is cleared away by whoever looks.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Literal

from messaging import kept

logger = logging.getLogger(__name__)

Role = Literal["assistant", "actions"]

FOLDER = "running"
LOOK_EVERY = 0.3  # seconds


class Refused(Exception):
    """A wish that cannot be fulfilled; the message says why, for the person who wished."""


@dataclass(frozen=True)
class Wish:
    """Read the designers' files anew. model: a file's name in TENDERO_HOME/models to go on with; None: the one in use."""

    id: str
    model: str | None = None


@dataclass(frozen=True)
class Server:
    """What a running server says of itself. code: a fingerprint of the code that makes models, as the server knows it.

    wish: the newest that it has dealt with; error: why it could not fulfil that one, else empty.
    """

    role: Role
    name: str = ""
    pid: int = 0
    model: str = ""
    code: str = ""
    wish: str = ""
    error: str = ""


Fulfil = Callable[[Wish], Awaitable[str]]  # the model in use afterwards; what it raises is told whoever wished


def wish(home: Path, role: Role, model: str | None = None) -> str:
    """Tell every server of this role. The wish's id, which each of them names once it has dealt with it."""
    made = Wish(uuid.uuid4().hex, model)
    file = _wish_file(home, role)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(asdict(made)), encoding="utf-8")
    draft.replace(file)
    return made.id


def running(home: Path) -> list[Server]:
    """The servers that run on this TENDERO_HOME."""
    files = sorted((home / FOLDER).glob("*.server"))
    return [server for file in files if (server := _server_of(file)) is not None]


def follow(home: Path, role: Role, fulfil: Fulfil, *, model: str = "", code: str = "") -> Callable[[], None]:
    """Fulfil what is wished from now on, until what is returned is called. The event loop has to run.

    Where nothing can be written, nothing can be wished, and the server runs all the same.
    """
    try:
        presence = Presence(home, role, model=model, code=code)
    except OSError as error:
        logger.warning("no wishes are followed: %s", error.strerror)
        return lambda: None
    following = asyncio.get_running_loop().create_task(presence.follow(fulfil))

    def end() -> None:
        following.cancel()
        presence.close()

    return end


async def read_files_again() -> None:
    """All that is kept of the designers' files, or nothing. Raises Refused."""
    try:
        await asyncio.to_thread(kept.read_again)
    except Exception as error:
        raise Refused(f"a file cannot be read: {' '.join(str(error).split())}") from error


class Presence:
    """A server's file. It follows wishes that are made from now on."""

    def __init__(self, home: Path, role: Role, *, model: str = "", code: str = "") -> None:
        """Raises OSError where nothing can be written."""
        self._home = home
        self._said = Server(role, uuid.uuid4().hex[:8], os.getpid(), model, code)
        self._path = home / FOLDER / f"{role}-{self._said.name}.server"
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._seen = _newest_wish(home, role)
        draft = self._path.with_suffix(".new")
        self._file: IO[str] = draft.open("w", encoding="utf-8")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._say()
        draft.replace(self._path)  # nobody sees it without its lock

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        self._file.close()

    async def follow(self, fulfil: Fulfil) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            newest = await asyncio.to_thread(_newest_wish, self._home, self._said.role)
            if newest is not None and newest != self._seen:
                self._seen = newest
                await self._fulfil(newest, fulfil)

    async def _fulfil(self, wish: Wish, fulfil: Fulfil) -> None:
        said = replace(self._said, wish=wish.id, error="")
        try:
            said = replace(said, model=await fulfil(wish))
        except Refused as refused:
            said = replace(said, error=str(refused))
        except Exception as error:  # whatever it is, the server goes on as it was
            logger.exception("a wish could not be fulfilled")
            said = replace(said, error=f"{type(error).__name__}: {error}")
        self._said = said
        self._say()

    def _say(self) -> None:
        """In its first line; what is left of a longer one before comes after it."""
        self._file.seek(0)
        self._file.write(f"{json.dumps(asdict(self._said))}\n")
        self._file.flush()


def _wish_file(home: Path, role: Role) -> Path:
    return home / FOLDER / f"{role}.wish"


def _newest_wish(home: Path, role: Role) -> Wish | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Wish(**json.loads(_wish_file(home, role).read_text(encoding="utf-8")))
    return None


def _server_of(file: Path) -> Server | None:
    """None where the server is gone."""
    with contextlib.suppress(OSError, ValueError, TypeError), file.open(encoding="utf-8") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return Server(**json.loads(opened.readline()))
        file.unlink(missing_ok=True)
    return None
