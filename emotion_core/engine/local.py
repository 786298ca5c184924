"""The engine of one machine. It needs no server: the first submission starts a worker that leaves when all is done."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from emotion_core.config import SAMPLE, RunConfig, refuse_unused, with_settings
from emotion_core.engine.devices import check_device
from emotion_core.engine.processes import start_detached
from emotion_core.engine.queue import Queue
from emotion_core.errors import BadInput, EmotionError
from emotion_core.readers.sources import resolve_source
from emotion_core.runs import Run, Runs, State, WayOn, way_on

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset


class LocalEngine:
    """Computes the queued runs of one folder, one in each slot at a time, in processes that outlive the caller.

    Asking twice for the same thing, as a double click does, does no more than asking once.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = Runs(runs.folder.resolve())  # the worker does not share the caller's working directory
        self._queue = Queue(self._runs)

    def submit(self, config: RunConfig) -> Run:
        """Freeze the settings in a new run and queue it; raises BadInput where it could never start."""
        (run,) = self.submit_all([config])
        return run

    def submit_all(self, configs: Sequence[RunConfig]) -> list[Run]:
        """Queue several runs in their order: all of them, or none where one is refused or cannot be made."""
        frozen = freeze_all(configs, self._runs)
        with self._at_queue():
            made = self._queue.add(frozen)
            try:
                self._start_worker_where_none_is()
            except (OSError, EmotionError):
                self._queue.withdraw(made)
                raise
        return made

    def stop(self, run: Run) -> None:
        """Ask a run to end after the batch in hand; a run that still waits is stopped at once."""
        with self._at_queue():
            if not run.state().is_over:
                self._ask_to_stop(run)
                self._withdraw_if_waiting(run)

    def kill(self, run: Run) -> None:
        """End a run's processes at once; raises EmotionError for a run that this engine does not compute."""
        with self._at_queue():
            if run.state().is_over or self._withdraw_if_waiting(run):
                return
            if not run.status().sequence:
                self._ask_to_stop(run)
                raise EmotionError(
                    f"Run {run.id} was started in a terminal; only that can end it at once, so it was asked to stop."
                )
            run.request_kill()
            self._start_worker_where_none_is()  # it is the worker that ends processes

    def move(self, run: Run, places: int) -> None:
        """Let a waiting run come earlier (-1: by one place) or later; any other run stays as it is."""
        with self._at_queue():
            self._queue.move(run, places)

    def resume(self, run: Run, epochs: int | None = None) -> None:
        """Queue a run that is over once more, to go on from its last whole epoch; one that is in hand stays so.

        Args:
            run: A run that was stopped, interrupted or failed, or a finished one that has epochs left to do.
            epochs: How many epochs it shall have in all; None leaves that as it is.

        Raises:
            BadInput: There is nothing left to do, or fewer epochs were asked for than are done.
            DamagedRun: Its folder cannot be read.
        """
        if run.state().is_over:
            check_device(run.config)  # before the queue is held, since it may ask a backend, which takes seconds
        with self._at_queue():
            status, state = run.status(), run.state()
            if not state.is_over:
                return
            goal = status.epochs if epochs is None else epochs
            _check_goal(run, state, status.epoch, goal)
            if goal != run.config.training.epochs:
                run.set_epochs(goal)
            changes: dict[str, Any] = {"epochs": goal, "resumed": status.resumed + 1}
            if status.state is State.FINISHED:
                changes["patience_from"] = status.epoch  # or early stopping would end it again at once
            self._queue.add_again(run, **changes)
            self._start_worker_where_none_is()

    def delete(self, run: Run) -> None:
        """Remove a run for good; raises BadInput while it computes, is being started or is needed by one in hand."""
        with self._at_queue():
            if not run.folder.exists():
                return
            if self._queue.is_taken(run):
                raise BadInput(f"Run {run.id} is computing; stop it before deleting it.")
            if needing := self._runs.in_need_of(run):
                names = ", ".join(line.name for line in needing)
                raise BadInput(f"Run {run.id} is needed to train {names}; it can be deleted once that is over.")
            self._runs.delete(run)
            self._queue.forget(run)

    def state(self, run: Run) -> State:
        """Say where the run is in its life."""
        return run.state()

    def logs(self, run: Run, lines: int = 40) -> str:
        """Return the last lines that the run printed."""
        return run.log_tail(lines)

    def wake(self) -> bool:
        """Put right what a crash or a restart of the machine left, and take up what waits; say whether any run does.

        Cheap where there is nothing to do, and safe from any process.
        """
        with self._reporting_trouble():
            waiting, abandoned = self._queue.waiting(), self._queue.abandoned()
            orphans = [run for run in self._queue.noted() if self._queue.is_taken(run)]
        if waiting or abandoned or orphans:
            with self._at_queue():
                # A worker that lives says itself why its own trainers ended.
                its_own = {run.id for run in self._queue.noted()} if self._queue.has_worker() else set()
                for run in abandoned:
                    if run.id not in its_own:
                        self._queue.settle(run)
                if waiting or orphans:
                    self._start_worker_where_none_is()
        return bool(waiting)

    def is_working(self) -> bool:
        """Whether a worker lives."""
        with self._at_queue():
            return self._queue.has_worker()

    @contextmanager
    def _at_queue(self) -> Iterator[None]:
        """Hold the queue's lock; raises EmotionError where something in the folder of runs cannot be used."""
        with self._reporting_trouble(), self._queue.locked():
            yield

    @contextmanager
    def _reporting_trouble(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = error.filename or self._runs.folder
            raise EmotionError(f"{place} cannot be used: {error.strerror or error}.") from error

    def _ask_to_stop(self, run: Run) -> None:
        if not run.stop_requested():  # or a second press would begin the time of grace anew
            run.request_stop()

    def _withdraw_if_waiting(self, run: Run) -> bool:
        if run.state() is not State.QUEUED or self._queue.is_taken(run):
            return False
        done = run.status().epoch
        when = f"continued after epoch {done:,}" if done else "began"
        run.record(state=State.STOPPED, reason=f"Stopped by the user before it {when}.", finished=time.time())
        return True

    def _start_worker_where_none_is(self) -> None:
        if self._queue.has_worker():
            return
        log = self._runs.engine_folder / "worker.log"
        try:
            worker = start_detached("emotion_core.engine.worker", ["--runs", str(self._runs.folder)], log)
        except OSError as error:
            raise EmotionError(
                f"The process that computes runs cannot be started: {error.strerror or error}."
            ) from error
        # NOTE: nothing waits for the worker, but a child that nobody waits for stays behind as a zombie.
        threading.Thread(target=worker.wait, daemon=True).start()


def freeze(config: RunConfig, runs: Runs) -> RunConfig:
    """Return the settings as they are saved: the data's path absolute, what it holds at this moment, runs by id.

    Reading data for the first time takes a while. Raises BadInput if the settings cannot be met here, RunNotFound or
    ModelUnavailable if a run to learn from or to begin with is not there or has no model.
    """
    (frozen,) = freeze_all([config], runs)
    return frozen


def freeze_all(configs: Sequence[RunConfig], runs: Runs) -> list[RunConfig]:
    """Freeze several settings as `freeze` does one; each data set is looked at once, which takes long for a folder."""
    from emotion_core.dataset import load_dataset  # slow to import

    load = cache(load_dataset)
    return [_freeze(config, runs, load) for config in configs]


def _freeze(config: RunConfig, runs: Runs, load: "Callable[..., Dataset]") -> RunConfig:
    from emotion_core.fine_tuning import resolve_start  # slow to import
    from emotion_core.teachers import resolve_teachers

    refuse_unused(config)
    check_device(config)
    data = config.data
    source = SAMPLE if data.source == SAMPLE else str(resolve_source(data.source))
    faces = load(source, drop_incomplete=data.drop_incomplete)
    frozen = with_settings(config, {"data.source": source, "data_fingerprint": faces.fingerprint})
    return resolve_teachers(resolve_start(frozen, runs, faces), runs, faces)


def _check_goal(run: Run, state: State, done: int, goal: int) -> None:
    """Raise BadInput where going on to so many epochs makes no sense."""
    way = way_on(run, state)
    if way is WayOn.NONE:
        raise BadInput(f"Run {run.id} has no checkpoint to continue from; train a copy of it instead.")
    if goal < done:
        raise BadInput(f"Run {run.id} has already done {done:,} epochs; a total of {goal:,} would be fewer.")
    if way is WayOn.LENGTHEN and goal == done:
        raise BadInput(f"Run {run.id} has done all its {goal:,} epochs; give it more (--epochs) to continue.")
