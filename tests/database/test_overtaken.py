"""A transaction that the database ends in favour of another one is done again; every other error is the caller's."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from database import despite_others, is_overtaken, transaction

WAIT = 30.0  # seconds, on a busy machine


class Crosswise:
    """Two rows, and somebody who locks the second one before the first: of both transactions the other one is ended."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tries = 0
        self._we_have_one, self._they_have_one = threading.Event(), threading.Event()
        with transaction(url) as session:
            session.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY, told TEXT UNIQUE)"))
            session.execute(text("INSERT INTO thing VALUES (1, 'a'), (2, 'b')"))

    def ours(self) -> int:
        self.tries += 1
        with transaction(self.url) as session:
            lock(session, 1)
            self._we_have_one.set()
            assert self._they_have_one.wait(WAIT)
            lock(session, 2)
        return self.tries

    def theirs(self) -> None:
        assert self._we_have_one.wait(WAIT)
        with transaction(self.url) as session:
            session.execute(text("SET LOCAL deadlock_timeout = '1h'"))
            lock(session, 2)
            self._they_have_one.set()
            lock(session, 1)


def lock(session: Any, id_: int) -> None:
    session.execute(text("SELECT id FROM thing WHERE id = :id FOR UPDATE"), {"id": id_})


@pytest.fixture
def crosswise(postgres_url: str) -> Crosswise:
    return Crosswise(postgres_url)


def test_deadlock_ends_one_of_both_and_that_one_works_the_second_time(crosswise: Crosswise) -> None:
    other = threading.Thread(target=crosswise.theirs)
    other.start()
    assert despite_others(crosswise.ours) == 2
    other.join(WAIT)
    assert not other.is_alive()


def test_without_trying_again_it_is_an_error_that_is_known(crosswise: Crosswise) -> None:
    other = threading.Thread(target=crosswise.theirs)
    other.start()
    with pytest.raises(OperationalError) as deadlock:
        crosswise.ours()
    assert is_overtaken(deadlock.value)
    other.join(WAIT)


def test_what_is_wrong_by_itself_is_tried_once(crosswise: Crosswise) -> None:
    def twice_the_same() -> None:
        crosswise.tries += 1
        with transaction(crosswise.url) as session:
            session.execute(text("INSERT INTO thing VALUES (3, 'a')"))

    with pytest.raises(IntegrityError):
        despite_others(twice_the_same)
    assert crosswise.tries == 1
