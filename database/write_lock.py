"""Who of this process's threads writes to SQLite next: in the order in which they came, those in a hurry first."""

from __future__ import annotations

import threading
from collections import deque


class WriteLock:
    """The thread that has it may take it again. `in_a_hurry` is for what somebody outside waits for, and is short."""

    def __init__(self) -> None:
        self._inside = threading.Lock()
        self._holder: int | None = None
        self._depth = 0
        self._waiting: tuple[deque[threading.Event], deque[threading.Event]] = (deque(), deque())  # in a hurry, and not

    def acquire(self, timeout: float, in_a_hurry: bool = False) -> bool:
        """False where it is not free within so many seconds."""
        me = threading.get_ident()
        with self._inside:
            if self._holder in (None, me):
                self._holder, self._depth = me, self._depth + 1
                return True
            turn = threading.Event()
            queue = self._waiting[0 if in_a_hurry else 1]
            queue.append(turn)
        if turn.wait(timeout) or not self._gave_up(queue, turn):
            self._holder, self._depth = me, 1  # it was handed to us, and is nobody else's
            return True
        return False

    def release(self) -> None:
        with self._inside:
            self._depth -= 1
            if self._depth:
                return
            queue = next((queue for queue in self._waiting if queue), None)
            self._holder = None if queue is None else -1  # -1: on its way to the next one
            if queue is not None:
                queue.popleft().set()

    def _gave_up(self, queue: deque[threading.Event], turn: threading.Event) -> bool:
        """False where it was handed over in the same moment."""
        with self._inside:
            if turn.is_set():
                return False
            queue.remove(turn)
            return True
