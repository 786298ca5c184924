"""`train` and `submit`: runs in this process, or in the background."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import FrameType

from emotion_core.commands.options import configure, configure_all, runs_of
from emotion_core.commands.output import Narrator, print_json, print_line
from emotion_core.commands.saved_runs import print_outcome, progress_of
from emotion_core.config import RunConfig
from emotion_core.engine import LocalEngine
from emotion_core.engine.devices import run_environment
from emotion_core.engine.local import freeze
from emotion_core.runs import Run

REFRESH_SECONDS = 1.0


def train(options: argparse.Namespace) -> None:
    """Train a preset in this process and print how it ended. The first Ctrl-C stops it, the second ends it."""
    config = freeze(configure(options.preset, options))
    os.environ.update(run_environment(config))  # before anything imports Keras
    _check_data(config)
    run = runs_of(options).create(config)
    print(f"Run {run.id}", file=sys.stderr)
    with run.log_path.open("w", encoding="utf-8") as log:
        _train_here(run, Narrator(copy=log))
    print_outcome(run, as_json=options.json)


def submit(options: argparse.Namespace) -> None:
    """Queue presets, or each as several runs, and print their ids; nothing is queued unless all can be."""
    configs = configure_all(options)
    for config in {config.data: config for config in configs}.values():
        _check_data(freeze(config))
    ids = [run.id for run in LocalEngine(runs_of(options)).submit_all(configs)]
    if options.json:
        print_json({"id": ids[0]} if len(ids) == 1 else {"ids": ids})
    else:
        for run_id in ids:
            print_line(run_id)


def _train_here(run: Run, narrator: Narrator) -> None:
    from emotion_core.training import train as train_run

    with (
        redirect_stdout(narrator),
        redirect_stderr(narrator),
        _progress_shown(run, narrator),
        _stopped_by_keyboard(run, narrator),
    ):
        train_run(run)


def _check_data(config: RunConfig) -> None:
    """Raise BadInput where the data cannot train the model, before there is a run that would fail."""
    from emotion_core.training import load_training_data

    load_training_data(config)


@contextmanager
def _progress_shown(run: Run, narrator: Narrator) -> Iterator[None]:
    done = threading.Event()

    def refresh() -> None:
        while not done.wait(REFRESH_SECONDS):
            narrator.show(progress_of(run))

    thread = threading.Thread(target=refresh, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        narrator.clear()


@contextmanager
def _stopped_by_keyboard(run: Run, narrator: Narrator) -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run.request_stop()
        narrator.write("Stopping after the batch in hand; press Ctrl-C again to end at once.\n")

    former = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
