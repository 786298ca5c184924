"""The queue of one folder of runs, kept in files and locks so that any process may look, add and take.

The queue's lock is held for moments, by whoever changes the queue or decides by it. The worker's lock is held by the
worker for as long as it lives; it is taken, given back and looked at only under the queue's lock, so that a look
never gets in a worker's way and no submission falls between a worker that leaves and one that comes.

Beside them lies a note for each process that a worker started: its id and its slot, so that a later worker knows.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from emotion_core.config import RunConfig
from emotion_core.engine.processes import find_started, group_lives
from emotion_core.errors import DamagedRun, EmotionError
from emotion_core.files import write_text
from emotion_core.runs import Run, Runs, RunSummary, State, Status

LOCK_PATIENCE_SECONDS: Final = 20.0

TRAINER: Final = "emotion_core.training"
"""The module that computes the run whose folder is its argument."""

SECONDS_TO_BEGIN: Final = 60.0
"""How long a terminal may take from making its run to computing it."""

LONGEST_NUMBER: Final = 15


class QueueUnusable(EmotionError):
    """The queue's folder or its lock cannot be used at the moment."""


@dataclass(frozen=True)
class Note:
    """What a worker writes down of a trainer that it started."""

    pid: int
    slot: str


class Queue:
    """Queued runs in the order of their sequence numbers.

    A run whose number is 0 was not queued: the process that made it computes it, as `train` does in a terminal.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the queue's lock; raises QueueUnusable where it is not to be had."""
        try:
            lock = FileLock(self.runs.engine_folder / "queue.lock")
            lock.acquire(timeout=LOCK_PATIENCE_SECONDS, poll_interval=0.02)
        except Timeout as error:
            raise QueueUnusable(f"Another process has held the queue of {self.runs.folder} for too long.") from error
        except OSError as error:
            raise QueueUnusable(f"The queue of {self.runs.folder} cannot be used: {error.strerror}.") from error
        try:
            yield
        finally:
            lock.release()

    # --- runs that wait --------------------------------------------------------------------------------------------

    def add(self, configs: Sequence[RunConfig]) -> list[Run]:
        """Make queued runs: all, or none where one cannot be made. Only under the lock."""
        made: list[Run] = []
        try:
            for config, number in zip(configs, self._take_numbers(len(configs)), strict=True):
                made.append(self.runs.create(config, number))
        except (OSError, EmotionError):
            self.withdraw(made)
            raise
        return made

    def withdraw(self, made: Iterable[Run]) -> None:
        """Take back runs that were made a moment ago. Only under the lock."""
        for run in made:
            with suppress(OSError, EmotionError):
                self.runs.delete(run)

    def add_again(self, run: Run, **changes: Any) -> None:
        """Queue a run that is over, behind all others. Only under the lock."""
        (number,) = self._take_numbers(1)
        run.clear_requests()
        run.record(state=State.QUEUED, sequence=number, reason="", finished=None, batch=0, batches=0, **changes)

    def waiting(self) -> list[Run]:
        """Return the runs whose turn is to come, in its order, without those that a trainer has taken."""
        return [run for run in self._queued() if not self.is_taken(run)]

    def move(self, run: Run, places: int) -> None:
        """Let a waiting run come earlier (places below 0) or later, at most first or last. Only under the lock."""
        order = self.waiting()
        ids = [waiting.id for waiting in order]
        if run.id not in ids:
            return
        place = ids.index(run.id)
        moved = order.pop(place)
        order.insert(min(max(place + places, 0), len(order)), moved)
        self._number(order)

    def abandoned(self) -> list[Run]:
        """Return the runs whose status speaks of a process that is no more."""
        found = []
        for run in [self.runs.run_of(line) for line in self.runs.summaries() if _may_be_abandoned(line)]:
            with suppress(DamagedRun):
                if _speaks_of_a_process(run.status()):
                    found.append(run)
        return found

    def settle(self, run: Run) -> None:
        """Record that an abandoned run was interrupted. Only under the lock."""
        with suppress(EmotionError, OSError), run.alive():  # meanwhile no trainer can begin
            if _speaks_of_a_process(run.status()):
                run.record(state=State.INTERRUPTED, reason="The training process ended unexpectedly.")

    # --- trainers --------------------------------------------------------------------------------------------------

    def is_taken(self, run: Run) -> bool:
        """Whether some process computes the run, or is about to."""
        return run.is_alive() or (self._note_path(run).exists() and self.trainer_of(run) is not None)

    def trainer_of(self, run: Run) -> int | None:
        """Return the living process that a worker started for the run, None where there is none."""
        note, folder = self.note_of(run), str(self.runs.folder / run.id)
        if note and group_lives(note.pid, folder):
            return note.pid
        return find_started(TRAINER, folder)

    def note_of(self, run: Run) -> Note | None:
        """Return what a worker wrote down of the run's trainer, None where it did not or that cannot be read."""
        try:
            note = Note(**json.loads(self._note_path(run).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        return note if isinstance(note.pid, int) and note.pid > 0 and isinstance(note.slot, str) else None

    def write_note(self, run: Run, note: Note) -> None:
        """Remember which process computes a run, and where. Only under the lock."""
        write_text(self._note_path(run), json.dumps(asdict(note)) + "\n")

    def forget(self, run: Run) -> None:
        """Forget the process that computed a run."""
        self._note_path(run).unlink(missing_ok=True)

    def noted(self) -> list[Run]:
        """Return the runs for which a worker started a process, living or not."""
        return [Run(self.runs.folder / path.stem) for path in self.runs.folder.glob(".engine/*.pid")]

    # --- workers ---------------------------------------------------------------------------------------------------

    def worker_lock(self) -> FileLock:
        """Return the lock that the worker holds, not acquired."""
        return FileLock(self.runs.engine_folder / "worker.lock")

    def has_worker(self) -> bool:
        """Whether a worker lives. Only under the lock."""
        try:
            with self.worker_lock().acquire(timeout=0):
                return False
        except Timeout:
            return True

    def _queued(self) -> list[Run]:
        lines = self.runs.in_hand()
        return [self.runs.run_of(line) for line in lines if line.state is State.QUEUED and line.sequence]

    def _number(self, order: Sequence[Run]) -> None:
        """Give waiting runs their own numbers in a new order."""
        former = [run.status().sequence for run in order]
        distinct = len(set(former)) == len(former)  # unless a crash cut a move short
        numbers = sorted(former) if distinct else self._take_numbers(len(former))
        for run, old, new in zip(order, former, numbers, strict=True):
            if new != old:
                run.record(sequence=new)

    def _take_numbers(self, count: int) -> list[int]:
        """Return numbers behind those of all runs in hand, also where the counter was lost."""
        path = self.runs.engine_folder / "sequence"
        last = max([_read_number(path), *(line.sequence for line in self.runs.in_hand())])
        write_text(path, f"{last + count}\n")
        return list(range(last + 1, last + count + 1))

    def _note_path(self, run: Run) -> Path:
        return self.runs.engine_folder / f"{run.id}.pid"


def _may_be_abandoned(line: RunSummary) -> bool:
    """Whether a run looks as if its process were no more."""
    if line.state is State.QUEUED:  # by a terminal, which begins at once
        return not line.sequence and time.time() - line.submitted > SECONDS_TO_BEGIN
    return line.state is State.INTERRUPTED  # recorded so, or running by its status with nobody who holds its lock


def _speaks_of_a_process(status: Status) -> bool:
    """Whether a status is that of a run which some process computes, or of one that a terminal is about to."""
    return status.state is State.RUNNING or (status.state is State.QUEUED and not status.sequence)


def _read_number(path: Path) -> int:
    """Return the number in a file; 0 where there is none, or one that nobody can have counted to."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return 0
    return int(text) if text.isascii() and text.isdecimal() and len(text) < LONGEST_NUMBER else 0
