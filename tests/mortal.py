"""Real trainings that start at once and die where they are told to, and apps that do as they are told.

Importing what a linear model needs takes seconds, so these trainers are forked from a process that has done so.
"""

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import numpy as np

from emotion_core import training
from emotion_core.engine import LocalEngine
from emotion_core.errors import EmotionError
from emotion_core.runs import Run, Runs
from emotion_core.runs import run as run_module

Function = Callable[..., Any]

_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.mortal", "emotion_core.trainers.linear"])


# --- deaths -------------------------------------------------------------------------------------------------------


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _before(_original: Function) -> Function:
    return lambda *_arguments, **_options: _die()


def _after(original: Function) -> Function:
    def fatal(*arguments: Any, **options: Any) -> None:
        original(*arguments, **options)
        _die()

    return fatal


def _halfway(original: Function) -> Function:
    """Leave half of the file that is written; it is the first argument."""

    def fatal(path: Path, *arguments: Any, **options: Any) -> None:
        before = path.stat().st_size if path.exists() else 0
        original(path, *arguments, **options)
        os.truncate(path, (before + path.stat().st_size) // 2)
        _die()

    return fatal


PLACES: Final[dict[str, tuple[Any, str, Callable[[Function], Function]]]] = {
    "before a rename": (os, "replace", _before),
    "after a rename": (os, "replace", _after),
    "before the disk has it": (os, "fsync", _before),
    "within arrays": (np, "savez", _halfway),
    "within compressed arrays": (np, "savez_compressed", _halfway),
    "within a text": (Path, "write_text", _halfway),
    "within a row": (run_module, "append_row", _halfway),
}
"""Where a trainer can die: the call in which it does, and how."""


@dataclass(frozen=True)
class Death:
    """The n-th time that a trainer comes to a place, it is killed there."""

    place: str
    call: int

    def arm(self) -> None:
        """Lay the trap, in this process."""
        owner, name, make = PLACES[self.place]
        original = getattr(owner, name)
        fatal, calls = make(original), 0

        def trap(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            return (fatal if calls == self.call else original)(*arguments, **options)

        setattr(owner, name, trap)


@dataclass(frozen=True)
class Tally:
    """Counts how often a trainer comes to each place, a byte for each time in a file of the folder."""

    folder: Path

    def arm(self) -> None:
        """Begin counting, in this process."""
        for place, (owner, name, _) in PLACES.items():
            setattr(owner, name, self._counted(place, getattr(owner, name)))

    def counts(self) -> dict[str, int]:
        """Return the counts."""
        return {place: (self.folder / place).stat().st_size for place in PLACES}

    def _counted(self, place: str, original: Function) -> Function:
        def count(*arguments: Any, **options: Any) -> Any:
            with (self.folder / place).open("ab") as file:
                file.write(b".")
            return original(*arguments, **options)

        return count


@dataclass(frozen=True)
class LargestFile:
    """No file may grow beyond some bytes, as on a disk that is full."""

    size: int

    def arm(self) -> None:
        """Set the limit, for this process."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.size))


# --- processes ----------------------------------------------------------------------------------------------------


def start_trainer(run: Run, trap: Death | Tally | LargestFile | None = None) -> BaseProcess:
    """Compute a queued run in a process of its own, as a worker's child does."""
    trainer = _CONTEXT.Process(target=_compute, args=(run.folder, dict(os.environ), trap))
    trainer.start()
    return trainer


def train(run: Run, trap: Death | Tally | LargestFile | None = None) -> int | None:
    """Compute a queued run to whatever end; return the exit code, which is negative where a signal ended it."""
    trainer = start_trainer(run, trap)
    trainer.join(120)
    return trainer.exitcode


def _compute(folder: Path, environment: dict[str, str], trap: Death | Tally | LargestFile | None) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with (folder / "log.txt").open("ab") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    if trap:
        trap.arm()
    sys.exit(training.main(folder))


class App:
    """A process of its own that uses the engine, as a server does."""

    def __init__(self, runs: Runs) -> None:
        self._line, far_end = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_be_app, args=(runs.folder, dict(os.environ), far_end))
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def tell(self, action: str, *arguments: Any) -> None:
        """Have it do something with the engine."""
        self._line.send((action, arguments))

    def answer(self) -> Any:
        """Wait until it is done, and return what came of it."""
        assert self._line.poll(120)
        return self._line.recv()

    def kill(self) -> None:
        """End it without a word."""
        self._process.kill()
        self._process.join()


def _be_app(folder: Path, environment: dict[str, str], line: Connection) -> None:
    os.environ.clear()
    os.environ.update(environment)
    runs = Runs(folder)
    engine = LocalEngine(runs)
    while True:
        action, arguments = line.recv()
        try:
            outcome = getattr(engine, action)(*arguments)
        except EmotionError as error:
            outcome = str(error)
        line.send(outcome)
