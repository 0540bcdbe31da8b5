"""The names of the catalogue as it is now: a thread looks every few seconds whether it has changed, and builds a new index beside
the one in use. A database that is away leaves what there was."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from commerce.catalog import Pace, vocabulary
from commerce.names.changes import change_sign
from commerce.names.index import NameIndex
from commerce.names.reading import Span
from commerce.names.sizes import Place
from commerce.names.words import Words
from database import default_url, transaction

logger = logging.getLogger(__name__)

EVERY = 5.0  # seconds between two looks at the catalogue
LOOKING_SHARE = 0.02  # of one core's time at most: where a look takes long, the next is later
AT_WORK, AT_REST = 0.002, 0.004  # seconds: a thread that builds lets those who answer shoppers go first


class LiveNames:
    """words: as of `Words.of`. url: None for the present `default_url()`. Nothing is read before `watch`."""

    def __init__(self, words: Mapping[str, Any], url: str | None = None, every: float = EVERY) -> None:
        self._words = Words.of(words)
        self._url = url
        self._every = every
        self._sign: tuple[str, str] | None = None
        self._is_away = False
        self._index: NameIndex | None = None

    def find(self, text: str, taken: Sequence[Span] = (), said: Sequence[Place] = ()) -> list[dict[str, Any]]:
        """What the text names, as `Mention` has it; nothing while no catalogue has been read. Never waits."""
        index = self._index
        return [asdict(mention) for mention in index.find(text, taken, said)] if index is not None else []

    def watch(self, patience: float) -> None:
        """Begin to read, and go on for as long as this object lives. patience: seconds that the first reading is waited for."""
        looked = threading.Event()
        threading.Thread(target=_watch, args=(weakref.ref(self), looked), name="catalogue names", daemon=True).start()
        looked.wait(patience)

    def refresh(self) -> float:
        """Read the catalogue where it has changed. Returns the seconds until the next look."""
        began = time.monotonic()
        try:
            self._read()
            self._is_away = False
        except Exception as error:  # whatever it is: shoppers are answered with the names of before, or without
            if not self._is_away:
                logger.warning("the catalogue's names could not be read: %s", type(error).__name__)
            self._is_away = True
        return max(self._every, (time.monotonic() - began) / LOOKING_SHARE)

    def _read(self) -> None:
        url = self._url or default_url()
        if not _may_be_there(url):
            return
        with transaction(url, is_optimistic=True) as session:
            sign = (url, change_sign(session))
            if sign == self._sign:
                return
            pace: Pace = _unhurried if self._index is not None else iter
            names = vocabulary(session, pace)
        self._index = NameIndex(names, self._words, pace)
        self._sign = sign


def _watch(names: weakref.ref[LiveNames], looked: threading.Event) -> None:
    while (live := names()) is not None:
        pause = live.refresh()
        looked.set()
        del live  # else it would live for as long as its thread
        time.sleep(pause)


def _unhurried(rows: Iterable[Any]) -> Iterator[Any]:
    began = time.monotonic()
    for row in rows:
        yield row
        if time.monotonic() - began > AT_WORK:
            time.sleep(AT_REST)
            began = time.monotonic()


def _may_be_there(url: str) -> bool:
    """False for a SQLite file that is not there: looking would make it."""
    database = make_url(url).database
    return not url.startswith("sqlite") or database in (None, "", ":memory:") or Path(str(database)).exists()
