"""The process that computes queued runs: `python -m emotion_core.engine.worker --runs DIR`.

It is started by the first submission, detached, holds the worker's lock for as long as it lives, and leaves when
nothing waits or computes. Each run is computed in a slot by a child in a session of its own, whose output goes to the
run's log.txt: if the worker dies its children compute on, and the next worker takes them over in their slots.
"""

import argparse
import errno
import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from emotion_core.engine.devices import run_environment, slots, slots_for
from emotion_core.engine.processes import start_detached
from emotion_core.engine.queue import TRAINER, Note, Queue, QueueUnusable
from emotion_core.engine.slots import CPU, assign
from emotion_core.engine.trainer import Child, Orphan, Trainer
from emotion_core.errors import EmotionError
from emotion_core.runs import Run, Runs, State
from emotion_core.troubles import explain_log

POLL_SECONDS: Final = 0.2
"""Time between two looks at the trainers."""

LOOK_SECONDS: Final = 1.0
"""Time between two looks at the queue while a slot is free."""

SHORTAGE_SECONDS: Final = 10.0
"""How long a run waits that the machine had no process, memory or open file for."""

_SHORTAGES: Final = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


class Worker:
    """Computes the queued runs of one folder, one in each slot at a time.

    Nothing that is the matter with a run stops the others: a run that cannot be started is given up, and each
    submission is tried once.

    Args:
        runs: The folder.
        trainer: Module that computes the run whose folder is its argument.
    """

    def __init__(self, runs: Runs, trainer: str = TRAINER) -> None:
        self._runs = Runs(runs.folder.resolve())  # trainers have a working directory of their own
        self._queue = Queue(self._runs)
        self._module = trainer
        self._lock = self._queue.worker_lock()
        self._trainers: dict[str, Trainer] = {}  # by the ids of their runs
        self._tried: set[tuple[str, int]] = set()  # ids with the numbers they had in the queue
        self._next_look = time.monotonic()

    def work(self) -> None:
        """Compute runs until none is left; return at once if the folder has a worker."""
        if self._enter():
            while self._step():
                time.sleep(POLL_SECONDS)

    def _enter(self) -> bool:
        with self._queue.locked():
            if self._queue.has_worker():
                return False
            self._lock.acquire(timeout=0)
            self._take_over()
        with suppress(OSError):  # what cannot be removed now, the next worker may
            self._runs.sweep()
        report(f"worker {os.getpid()} at work in {self._runs.folder}")
        return True

    def _take_over(self) -> None:
        """Take over what former workers left: trainers, or only children of dead ones."""
        for run in self._queue.noted():
            if self._queue.is_taken(run):
                self._adopt(run)
            else:
                with suppress(OSError):
                    self._queue.forget(run)

    def _step(self) -> bool:
        """Do what there is to do now; return False once there is nothing and the lock is given back."""
        try:
            ended = self._attend()
            if not ended and (time.monotonic() < self._next_look or not self._free_slots()):
                return True
            self._next_look = time.monotonic() + LOOK_SECONDS
            if self._look() or self._trainers:
                return True
            return not self._leave()
        except (EmotionError, OSError) as error:
            report(f"trouble with the queue: {error}")
            return bool(self._trainers)  # with nothing in hand there is nothing to be lost by leaving

    # --- trainers at work ------------------------------------------------------------------------------------------

    def _attend(self) -> bool:
        """Look after the trainers; return whether one has ended."""
        ended = [trainer for trainer in self._trainers.values() if trainer.has_ended()]
        for trainer in ended:
            self._conclude(trainer)  # where that fails for the moment, the trainer is still in hand
            del self._trainers[trainer.run.id]
        for trainer in self._trainers.values():
            if _is_unwanted(trainer.run):
                trainer.end()
        return bool(ended)

    def _conclude(self, trainer: Trainer) -> None:
        """Record how a run ended if its trainer could not."""
        run = trainer.run
        report(f"{run.id} ended in {trainer.slot} with exit code {trainer.exit_code}")
        with self._seen_through(run), self._queue.locked():
            self._queue.forget(run)
            if not run.folder.is_dir():
                return  # deleted
            with run.alive():  # as soon as the children that held its lock with it are gone too
                status = run.status()
                if trainer.sequence in (None, status.sequence) and not status.state.is_over:
                    state, reason = explain_end(run, trainer.exit_code)
                    run.record(state=state, reason=reason, finished=time.time())

    # --- the queue -------------------------------------------------------------------------------------------------

    def _look(self) -> bool:
        """Start what fits into the free slots; return whether runs waited."""
        waiting, held = self._survey()
        for run, slot in self._assigned(waiting, self._free_slots() - held):
            with self._seen_through(run):
                self._start(run, slot)
        return bool(waiting)

    def _survey(self) -> tuple[list[Run], set[str]]:
        """Return the runs that wait for this worker, and the slots that terminals hold; take over what is left over."""
        waiting: list[Run] = []
        held: set[str] = set()
        for line in self._runs.in_hand():
            run = self._runs.run_of(line)
            if run.id in self._trainers:
                continue
            if line.sequence and self._has_trainer(run, line.state):
                self._adopt(run)
            elif line.state is not State.QUEUED:
                held.add(self._slot_of(run))
            elif line.sequence and (run.id, line.sequence) not in self._tried:
                waiting.append(run)
        return waiting, held

    def _has_trainer(self, run: Run, state: State) -> bool:
        """Whether a process computes a run; one that waits is held for a moment by whoever looks at its lock."""
        return self._queue.is_taken(run) and (state is not State.QUEUED or self._queue.trainer_of(run) is not None)

    def _assigned(self, waiting: list[Run], free: set[str]) -> list[tuple[Run, str]]:
        wishes = {}
        for run in waiting:
            with self._seen_through(run):
                wishes[run.id] = slots_for(run.config)
        assigned = assign(wishes, free)
        return [(run, assigned[run.id]) for run in waiting if run.id in assigned]

    def _adopt(self, run: Run) -> None:
        slot = self._slot_of(run)
        report(f"{run.id} is computed in {slot} by a process of a former worker")
        self._trainers[run.id] = Orphan(run, slot, self._queue)

    def _start(self, run: Run, slot: str) -> None:
        environment = run_environment(run.config, slot)
        with self._queue.locked():
            status = run.status()
            if status.state is not State.QUEUED or self._queue.is_taken(run):
                return
            try:
                process = start_detached(self._module, [str(run.folder)], run.log_path, environment)
            except OSError as error:
                if error.errno not in _SHORTAGES:
                    raise
                self._next_look = time.monotonic() + SHORTAGE_SECONDS
                report(f"{run.id} cannot be started yet: {error.strerror}")
                return
            self._tried.add((run.id, status.sequence))
            self._trainers[run.id] = Child(run, slot, status.sequence, process)
            with suppress(OSError):  # without a note a later worker still finds the process
                self._queue.write_note(run, Note(process.pid, slot))
        report(f"{run.id} started in {slot} as process {process.pid}")

    def _leave(self) -> bool:
        with self._queue.locked():
            waiting, _ = self._survey()
            if waiting or self._trainers:
                return False  # queued a moment ago, by someone who saw that there is a worker
            self._lock.release()
            return True

    def _free_slots(self) -> set[str]:
        return set(slots()).difference(trainer.slot for trainer in self._trainers.values())

    def _slot_of(self, run: Run) -> str:
        """Return the slot in which some process computes a run: as noted, as it says itself, or as it would get."""
        note = self._queue.note_of(run)
        if note:
            return note.slot
        with suppress(EmotionError):
            return run.status().slot or slots_for(run.config)[0]
        return CPU

    @contextmanager
    def _seen_through(self, run: Run) -> Iterator[None]:
        """Give a run up where something is the matter with it: that must not stop the queue."""
        try:
            yield
        except QueueUnusable:
            raise
        except EmotionError as error:
            self._give_up(run, str(error))
        except Exception as error:
            traceback.print_exc()
            self._give_up(run, f"The engine could not complete the run: {error}")

    def _give_up(self, run: Run, reason: str) -> None:
        report(f"{run.id} given up: {reason}")
        with suppress(EmotionError, OSError):
            status = run.status()
            self._tried.add((run.id, status.sequence))  # where its status cannot be written, it would be next for ever
            if not status.state.is_over and not self._queue.is_taken(run):
                run.record(state=State.FAILED, reason=reason, finished=time.time())


def explain_end(run: Run, exit_code: int | None) -> tuple[State, str]:
    """Say how a run ended whose trainer left no word; a negative exit code is the signal that ended it."""
    if run.kill_requested():
        return State.INTERRUPTED, "Ended by the user."
    if exit_code is None:
        return State.INTERRUPTED, "The training process ended unexpectedly."
    if exit_code and (reason := explain_log(run.log_of_sitting(), run.config)):
        return State.FAILED, reason
    if exit_code < 0:
        cause = ", as happens when memory runs out" if exit_code == -9 else ""
        return State.INTERRUPTED, f"The training process was killed (signal {-exit_code}){cause}."
    last_line = run.log_of_sitting().strip().rpartition("\n")[2][:300]
    return State.FAILED, f"The training process ended with exit code {exit_code}{': ' if last_line else '.'}{last_line}"


def report(message: str) -> None:
    """Add a line to the worker's log, if the disk has room for it."""
    with suppress(OSError):
        print(time.strftime("%Y-%m-%d %H:%M:%S"), message, flush=True)


def _is_unwanted(run: Run) -> bool:
    """Whether a person asked for the run's end, or deleted its folder."""
    try:
        return run.kill_requested() or not run.folder.is_dir()
    except OSError:  # a folder that cannot be looked into
        return False


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compute the queued runs of a folder, then leave.")
    parser.add_argument("--runs", type=Path, required=True, help="folder of runs")
    Worker(Runs(parser.parse_args().runs)).work()
