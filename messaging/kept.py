"""What a process reads once from the designers' files, and reads again, all of it or nothing, when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Values = dict[tuple[Any, ...], Any]  # by reader and arguments

_newest: Values = {}
_of_this_task: ContextVar[Values | None] = ContextVar("kept", default=None)


class Kept(Generic[P, T]):
    """A function whose result is kept, until `read_again`. Its arguments have to be hashable, and few."""

    def __init__(self, read: Callable[P, T]) -> None:
        self._read = read
        wraps(read)(self)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> T:
        values = _values()
        key = (self, arguments, tuple(sorted(named.items())))
        if key not in values:
            values[key] = self._read(*arguments, **named)
        value: T = values[key]
        return value


def kept(read: Callable[P, T]) -> Kept[P, T]:
    """As a decorator."""
    return Kept(read)


def read_again() -> None:
    """Read anew all that is kept. Raises what reading raises: then everything stays as it was."""
    global _newest
    values: Values = {}
    with _in_this_task(values):
        for reader, arguments, named in list(_newest):
            reader(*arguments, **dict(named))
    _newest = values


@contextmanager
def as_it_is_now() -> Iterator[None]:
    """What is read meanwhile by others changes nothing in here: what belongs together stays together."""
    with _in_this_task(_newest):
        yield


@contextmanager
def _in_this_task(values: Values) -> Iterator[None]:
    token = _of_this_task.set(values)
    try:
        yield
    finally:
        _of_this_task.reset(token)


def _values() -> Values:
    mine = _of_this_task.get()
    return _newest if mine is None else mine
