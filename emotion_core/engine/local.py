"""The engine of one machine. It needs no server: the first submission starts a worker that leaves when all is done."""

import threading
import time

from emotion_core.config import SAMPLE, RunConfig, with_settings
from emotion_core.engine.devices import check_device
from emotion_core.engine.processes import start_detached
from emotion_core.engine.queue import Queue
from emotion_core.errors import EmotionError
from emotion_core.readers.sources import resolve_source
from emotion_core.runs import Run, Runs, State


class LocalEngine:
    """Computes the queued runs of one folder one after the other, in processes that outlive the caller."""

    def __init__(self, runs: Runs) -> None:
        self._runs = Runs(runs.folder.resolve())  # the worker does not share the caller's working directory
        self._queue = Queue(self._runs)

    def submit(self, config: RunConfig) -> Run:
        """Freeze the settings in a new run and queue it; raises BadInput where it could never start."""
        config = freeze(config)
        with self._queue.locked():
            run = self._queue.add(config)
            self._start_worker_where_none_is()
        return run

    def stop(self, run: Run) -> None:
        """Ask a run to end after the batch in hand; a run that still waits is stopped at once."""
        with self._queue.locked():
            if not run.state().is_over:
                run.request_stop()
                self._withdraw_if_waiting(run)

    def kill(self, run: Run) -> None:
        """End a run's processes at once; raises EmotionError for a run that this engine does not compute."""
        with self._queue.locked():
            if run.state().is_over or self._withdraw_if_waiting(run):
                return
            if self._queue.trainer_of(run) is None:
                run.request_stop()
                raise EmotionError(
                    f"Run {run.id} was started in a terminal, which alone can end it at once; it was asked to stop."
                )
            run.request_kill()
            self._start_worker_where_none_is()  # it is the worker that ends processes

    def state(self, run: Run) -> State:
        """Say where the run is in its life."""
        return run.state()

    def logs(self, run: Run, lines: int = 40) -> str:
        """Return the last lines that the run printed."""
        return run.log_tail(lines)

    def wake(self) -> bool:
        """Take up runs that a crash or a restart of the machine left waiting; say whether there were any."""
        if not self._queue.waiting():
            return False
        with self._queue.locked():
            self._start_worker_where_none_is()
        return True

    def is_working(self) -> bool:
        """Whether a worker lives."""
        with self._queue.locked():
            return self._queue.has_worker()

    def _withdraw_if_waiting(self, run: Run) -> bool:
        taken = self._queue.trainer_of(run) is not None and self._queue.has_worker()
        if run.state() is not State.QUEUED or taken or run.is_alive():
            return False
        run.record(state=State.STOPPED, reason="Stopped by a person before it began.", finished=time.time())
        return True

    def _start_worker_where_none_is(self) -> None:
        if self._queue.has_worker():
            return
        log = self._runs.engine_folder / "worker.log"
        worker = start_detached("emotion_core.engine.worker", ["--runs", str(self._runs.folder)], log)
        # NOTE: nothing waits for the worker, but a child that nobody waits for stays behind as a zombie.
        threading.Thread(target=worker.wait, daemon=True).start()


def freeze(config: RunConfig) -> RunConfig:
    """Return the settings as they are saved, the data's path absolute; raises BadInput if they cannot be met here."""
    check_device(config)
    if config.data.source == SAMPLE:
        return config
    return with_settings(config, {"data.source": str(resolve_source(config.data.source))})
