"""The queue of one folder of runs, kept in files and locks so that any process may look, add and take.

The queue's lock is held for moments, by whoever changes the queue or decides by it. The worker's lock is held by the
worker for as long as it lives; it is taken, given back and looked at only under the queue's lock, so that a look
never gets in a worker's way and no submission falls between a worker that leaves and one that comes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from emotion_core.config import RunConfig
from emotion_core.errors import DamagedRun, EmotionError
from emotion_core.files import write_text
from emotion_core.runs import Run, Runs, State, Status

LOCK_PATIENCE_SECONDS = 20.0


class Queue:
    """Queued runs in the order of their sequence numbers.

    A run whose number is 0 was not queued: the process that made it computes it, as `train` does in a terminal.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the queue's lock; raises EmotionError where the folder cannot be used."""
        try:
            lock = FileLock(self.runs.engine_folder / "queue.lock")
            with lock.acquire(timeout=LOCK_PATIENCE_SECONDS, poll_interval=0.02):
                yield
        except Timeout as error:
            raise EmotionError(f"Another process has held the queue of {self.runs.folder} for too long.") from error
        except OSError as error:
            raise EmotionError(f"The queue of {self.runs.folder} cannot be used: {error.strerror or error}.") from error

    def add(self, config: RunConfig) -> Run:
        """Make a queued run. Only under the lock."""
        sequence = self._last_sequence() + 1
        write_text(self._sequence_path, f"{sequence}\n")
        return self.runs.create(config, sequence)

    def waiting(self) -> list[Run]:
        """Return the queued runs, first come first."""
        queued = [
            (status.sequence, run.id, run)
            for run, status in self._readable()
            if status.state is State.QUEUED and status.sequence > 0
        ]
        return [run for _, _, run in sorted(queued, key=lambda entry: entry[:2])]

    def computing(self) -> Run | None:
        """Return a run of this folder that some process is computing, whoever started it."""
        unfinished = (run for run, status in self._readable() if not status.state.is_over)
        return next((run for run in unfinished if run.is_alive()), None)

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

    def note_trainer(self, run: Run, pid: int) -> None:
        """Remember which process computes a run, so that a later worker can end it. Only under the lock."""
        write_text(self._trainer_path(run), f"{pid}\n")

    def trainer_of(self, run: Run) -> int | None:
        """Return the process that a worker started for the run, None if none did. Only the run's lock says it lives."""
        return _read_number(self._trainer_path(run))

    def forget_trainer(self, run: Run) -> None:
        """Forget the process that computed a run."""
        self._trainer_path(run).unlink(missing_ok=True)

    def forget_dead_trainers(self) -> None:
        """Forget the processes of former workers, except those that still compute."""
        for path in self.runs.engine_folder.glob("*.pid"):
            if not Run(self.runs.folder / path.stem).is_alive():
                path.unlink(missing_ok=True)

    def _readable(self) -> Iterator[tuple[Run, Status]]:
        for run in self.runs.all():
            try:
                status = run.status()
            except DamagedRun:
                continue
            yield run, status

    def _last_sequence(self) -> int:
        counted = _read_number(self._sequence_path)
        return max((status.sequence for _, status in self._readable()), default=0) if counted is None else counted

    @property
    def _sequence_path(self) -> Path:
        return self.runs.engine_folder / "sequence"

    def _trainer_path(self, run: Run) -> Path:
        return self.runs.engine_folder / f"{run.id}.pid"


def _read_number(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
    return int(text) if text.isascii() and text.isdecimal() else None
