"""Machinery of a live stream: the newest alone is worked on, and rates are counted."""

import atexit
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

Item = TypeVar("Item")

IDLE_SECONDS: Final = 2.0
"""After so long with nothing to do a thread ends."""

RATE_SECONDS: Final = 2.0
"""Rates are those of so many seconds past."""

EXIT_SECONDS: Final = 5.0
"""How long the end of the process waits for work in hand."""


class Newest(Generic[Item]):
    """Hands the newest of what it is given to a function, in a thread of its own that lives while there is work.

    What comes while the function is busy replaces what nobody has taken. The function must not raise. At the end of the
    process it finishes what it has in hand and is given nothing more.
    """

    def __init__(self, handle: Callable[[Item], None]) -> None:
        self._handle = handle
        self._in_hand = threading.Lock()
        _everyone.add(self)
        self._changed = threading.Condition()
        self._waiting: list[Item] = []  # none or one
        self._is_served = False

    def give(self, item: Item) -> None:
        """Leave an item to be handled; returns at once."""
        with self._changed:
            self._waiting = [item]
            if not self._is_served:
                self._is_served = True
                threading.Thread(target=self._serve, name="newest-only", daemon=True).start()
            self._changed.notify()

    def _serve(self) -> None:
        while taken := self._take():
            with self._in_hand:
                self._handle(taken[0])

    def close(self) -> None:
        """Wait for what is in hand and begin nothing more: the lock is never let go of again."""
        self._in_hand.acquire(timeout=EXIT_SECONDS)

    def _take(self) -> list[Item]:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting), IDLE_SECONDS)
            taken, self._waiting = self._waiting, []
            self._is_served = bool(taken)
            return taken


_everyone: weakref.WeakSet[Newest[Any]] = weakref.WeakSet()


@atexit.register
def _close_everyone() -> None:
    """Leave no thread in a library's code: Python ends its threads where they are, and C++ then aborts the process."""
    for one in list(_everyone):
        one.close()


class Rate:
    """Counts what happens, to say how often a second it does."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque(maxlen=200)

    @property
    def has_counted(self) -> bool:
        """Whether anything has happened yet."""
        return bool(self._moments)

    def count(self, now: float) -> None:
        """Take note that it happened; `now` is in seconds that only grow."""
        self._moments.append(now)

    def per_second(self, now: float) -> float:
        """Return the rate of the last seconds, 0 where fewer than two things happened in them."""
        recent = [moment for moment in self._moments if now - moment <= RATE_SECONDS]
        span = recent[-1] - recent[0] if recent else 0.0
        return (len(recent) - 1) / span if span > 0 else 0.0
