"""Who writes next: one at a time, in order, those in a hurry first, and nobody waits for ever."""

from __future__ import annotations

import random
import threading
import time

from database.write_lock import WriteLock

PATIENCE = 10.0


def in_threads(*works: object) -> list[threading.Thread]:
    threads = [threading.Thread(target=work) for work in works]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
        time.sleep(0.03)  # in this order
    return threads


def test_those_in_a_hurry_come_first_and_the_others_in_order() -> None:
    lock = WriteLock()
    order: list[str] = []

    def writer(name: str, in_a_hurry: bool) -> object:
        def work() -> None:
            assert lock.acquire(PATIENCE, in_a_hurry)
            order.append(name)
            lock.release()

        return work

    assert lock.acquire(PATIENCE)
    threads = in_threads(writer("a", False), writer("b", False), writer("now", True), writer("c", False), writer("now too", True))
    lock.release()
    for thread in threads:
        thread.join(PATIENCE)
    assert order == ["now", "now too", "a", "b", "c"]


def test_thread_that_has_it_may_take_it_again() -> None:
    lock = WriteLock()
    assert lock.acquire(PATIENCE)
    assert lock.acquire(0.01)
    lock.release()
    taken: list[bool] = []
    (other,) = in_threads(lambda: taken.append(lock.acquire(0.05)))
    other.join(PATIENCE)
    assert taken == [False]
    lock.release()
    (other,) = in_threads(lambda: taken.append(lock.acquire(0.05)))
    other.join(PATIENCE)
    assert taken == [False, True]


def test_one_at_a_time_also_where_some_give_up() -> None:
    lock = WriteLock()
    inside, most, got = 0, 0, 0
    counting = threading.Lock()

    def work(seed: int) -> None:
        nonlocal inside, most, got
        dice = random.Random(seed)
        for _ in range(60):
            if lock.acquire(dice.choice((0.0, 0.001, PATIENCE)), dice.random() < 0.3):
                with counting:
                    inside, got = inside + 1, got + 1
                    most = max(most, inside)
                time.sleep(dice.random() / 5000)
                with counting:
                    inside -= 1
                lock.release()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert most == 1
    assert got > 12 * 60 / 4
    assert lock.acquire(0.0)  # it was given back by the last one
