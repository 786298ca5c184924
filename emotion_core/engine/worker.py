"""The process that computes queued runs: `python -m emotion_core.engine.worker --runs DIR`.

It is started by the first submission, detached, holds the worker's lock for as long as it lives, and leaves when the
queue is empty. Each run is computed by a child in a session of its own, whose output goes to the run's log.txt: if
the worker dies the child computes on, and the next worker waits for it.
"""

import argparse
import os
import signal
import subprocess
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from emotion_core.engine.devices import run_environment
from emotion_core.engine.processes import end_group, start_detached
from emotion_core.engine.queue import Queue
from emotion_core.errors import DamagedRun, EmotionError
from emotion_core.runs import Run, Runs, State

POLL_SECONDS = 0.2

Trainer = subprocess.Popen[bytes]


class Worker:
    """Computes the queued runs of one folder, one at a time.

    Args:
        runs: The folder.
        trainer: Module that computes the run whose folder is its argument.
    """

    def __init__(self, runs: Runs, trainer: str = "emotion_core.training") -> None:
        self._queue = Queue(runs)
        self._trainer = trainer
        self._lock = self._queue.worker_lock()
        self._given_up: set[str] = set()

    def work(self) -> None:
        """Compute runs until none waits; return at once if the folder has a worker."""
        if self._enter():
            while self._step():
                pass

    def _enter(self) -> bool:
        with self._queue.locked():
            if self._queue.has_worker():
                return False
            self._lock.acquire(timeout=0)
            self._queue.forget_dead_trainers()
        report(f"worker {os.getpid()} at work in {self._queue.runs.folder}")
        return True

    def _step(self) -> bool:
        """Do the next thing there is to do; return False once there is nothing and the lock is given back."""
        run, stranger = self._next(), self._queue.computing()
        if stranger and (run or stranger.kill_requested()):
            self._carefully(self._watch, stranger)
        elif run:
            self._carefully(self._compute, run)
        else:
            return not self._leave()
        return True

    def _next(self) -> Run | None:
        return next((run for run in self._queue.waiting() if run.id not in self._given_up), None)

    def _leave(self) -> bool:
        with self._queue.locked():
            stranger = self._queue.computing()
            if self._next() or (stranger and stranger.kill_requested()):
                return False  # asked for a moment ago, by someone who saw that there is a worker
            self._lock.release()
            return True

    def _carefully(self, action: Callable[[Run], None], run: Run) -> None:
        """Do something for a run; its trouble must not stop the queue."""
        try:
            action(run)
        except EmotionError as error:
            self._give_up(run, str(error))
        except Exception as error:
            traceback.print_exc()
            self._give_up(run, f"The engine could not see the run through: {error}")

    def _watch(self, stranger: Run) -> None:
        """Wait a moment for a run that this worker did not start, and end it if a person asked for that."""
        trainer = self._queue.trainer_of(stranger)
        if trainer and stranger.kill_requested() and stranger.is_alive():
            end_group(trainer, lambda: not stranger.is_alive())
            self._conclude(stranger, exit_code=-signal.SIGTERM)
        time.sleep(POLL_SECONDS)

    def _compute(self, run: Run) -> None:
        """See one run through to its end, whatever that is."""
        trainer = self._start(run)
        if trainer:
            exit_code = self._attend(run, trainer)
            self._conclude(run, exit_code)

    def _start(self, run: Run) -> Trainer | None:
        environment = run_environment(run.config)
        with self._queue.locked():
            if run.status().state is not State.QUEUED or run.is_alive():
                return None
            trainer = start_detached(self._trainer, [str(run.folder)], run.log_path, environment)
            self._queue.note_trainer(run, trainer.pid)
        report(f"{run.id} started as process {trainer.pid}")
        return trainer

    def _attend(self, run: Run, trainer: Trainer) -> int:
        while True:
            with suppress(subprocess.TimeoutExpired):
                return trainer.wait(POLL_SECONDS)
            if run.kill_requested():
                end_group(trainer.pid, lambda: trainer.poll() is not None)

    def _conclude(self, run: Run, exit_code: int) -> None:
        """Record how a run ended if its trainer could not."""
        report(f"{run.id} ended with exit code {exit_code}")
        if run.is_alive():
            return  # another process computes it
        self._queue.forget_trainer(run)
        if not run.status().state.is_over:
            state, reason = explain_end(run, exit_code)
            run.record(state=state, reason=reason, finished=time.time())

    def _give_up(self, run: Run, reason: str) -> None:
        report(f"{run.id} given up: {reason}")
        self._given_up.add(run.id)  # where its status cannot be written either, it would be next for ever
        with suppress(DamagedRun, OSError):
            if not run.is_alive() and not run.status().state.is_over:
                run.record(state=State.FAILED, reason=reason, finished=time.time())


def explain_end(run: Run, exit_code: int) -> tuple[State, str]:
    """Say how a run ended whose trainer left no word; a negative exit code is the signal that ended it."""
    if run.kill_requested():
        return State.INTERRUPTED, "Ended by a person."
    if exit_code < 0:
        cause = ", as happens when memory runs out" if exit_code == -9 else ""
        return State.INTERRUPTED, f"The training process was killed (signal {-exit_code}){cause}."
    last_line = run.log_tail(1).strip()[:300]
    return State.FAILED, f"The training process ended with exit code {exit_code}{': ' if last_line else '.'}{last_line}"


def report(message: str) -> None:
    """Add a line to the worker's log."""
    print(time.strftime("%Y-%m-%d %H:%M:%S"), message, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compute the queued runs of a folder, then leave.")
    parser.add_argument("--runs", type=Path, required=True, help="folder of runs")
    Worker(Runs(parser.parse_args().runs)).work()
