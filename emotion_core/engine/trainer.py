"""A process that computes a run, as its worker sees it: in which slot, whether it has ended, and how to end it."""

import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Final

from emotion_core.engine.processes import has_argument, signal_group
from emotion_core.engine.queue import Queue
from emotion_core.errors import DamagedRun
from emotion_core.runs import Run

GRACE_SECONDS: Final = 5.0
"""How long a process may take to end by itself once it was told to."""


class Trainer(ABC):
    """A process that computes a run, with its children.

    Attributes:
        sequence: The run's number in the queue when it was taken, None where that could not be read; once it has
            another, the run was queued again.
        exit_code: How the process ended; None while it lives, and where only its parent could have learnt it.
    """

    def __init__(self, run: Run, slot: str, sequence: int | None) -> None:
        self.run = run
        self.slot = slot
        self.sequence = sequence
        self.exit_code: int | None = None
        self._told_at: float | None = None

    @abstractmethod
    def has_ended(self) -> bool:
        """Whether the process is over; if so, its children are ended too."""

    def end(self) -> None:
        """Have the process end, without waiting for it: call again until it has; past the grace it is forced to."""
        now = time.monotonic()
        if self._told_at is None:
            self._told_at = now
            self._signal(force=False)
        elif now - self._told_at >= GRACE_SECONDS:
            self._signal(force=True)

    @abstractmethod
    def _signal(self, *, force: bool) -> None: ...


class Child(Trainer):
    """A trainer that this worker started."""

    def __init__(self, run: Run, slot: str, sequence: int, process: "subprocess.Popen[bytes]") -> None:
        super().__init__(run, slot, sequence)
        self._process = process

    def has_ended(self) -> bool:
        """Whether the process is over; if so, its children are ended too."""
        if self.exit_code is None:
            self.exit_code = self._process.poll()
            if self.exit_code is not None:
                self._signal(force=True)  # its number is not given anew while a child bears it, nor at this moment
        return self.exit_code is not None

    def _signal(self, *, force: bool) -> None:
        signal_group(self._process.pid, force=force)


class Orphan(Trainer):
    """A trainer that a former worker started, known by its note and by the lock that it holds, or its children."""

    def __init__(self, run: Run, slot: str, queue: Queue) -> None:
        super().__init__(run, slot, _sequence_of(run))
        self._queue = queue

    def has_ended(self) -> bool:
        """Whether the process is over; if so, its children are ended too, and only then is it said."""
        if not self._queue.is_taken(self.run):
            return True
        pid = self._queue.trainer_of(self.run)
        if pid is not None and not has_argument(pid, str(self.run.folder)):
            signal_group(pid, force=True)  # only children are left, which may hold a GPU
        return False

    def _signal(self, *, force: bool) -> None:
        pid = self._queue.trainer_of(self.run)
        if pid is not None:
            signal_group(pid, force=force)


def _sequence_of(run: Run) -> int | None:
    with suppress(DamagedRun):
        return run.status().sequence
    return None
