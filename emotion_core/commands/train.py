"""`train`, `submit` and `reproduce`: runs in this process, or in the background."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import FrameType

from emotion_core.commands.options import configure, configure_all, runs_of
from emotion_core.commands.output import Narrator, print_json, print_line, print_note
from emotion_core.commands.saved_runs import print_outcome, progress_of
from emotion_core.config import RunConfig
from emotion_core.dataset import Dataset, load_dataset
from emotion_core.engine import LocalEngine
from emotion_core.engine.devices import may_train_on_gpu, run_environment
from emotion_core.engine.local import freeze
from emotion_core.overview import say_gaps
from emotion_core.pace import jobs_of, measured_paces, say
from emotion_core.presets import PRESETS
from emotion_core.reproduction import Entry, settings_of_data, table_of
from emotion_core.runs import Run, Runs
from emotion_core.units import counted

REFRESH_SECONDS = 1.0


def train(options: argparse.Namespace) -> None:
    """Train a preset in this process and print how it ended. The first Ctrl-C stops it, the second ends it."""
    runs = runs_of(options)
    config = freeze(configure(options.preset, options), runs)
    os.environ.update(run_environment(config))  # before anything imports Keras
    _check_data(config)
    run = runs.create(config)
    print(f"Run {run.id}", file=sys.stderr)
    _tell_gaps([config])
    with run.log_path.open("w", encoding="utf-8") as log:
        _train_here(run, Narrator(copy=log))
    print_outcome(run, as_json=options.json)


def submit(options: argparse.Namespace) -> None:
    """Queue presets, or each as several runs, and print their ids; nothing is queued unless all can be."""
    configs, runs = configure_all(options), runs_of(options)
    _check_all_data(configs, runs)
    ids = _queue(configs, runs)
    _tell_gaps(configs)
    if options.json:
        print_json({"id": ids[0]} if len(ids) == 1 else {"ids": ids})
    else:
        _print_ids(ids)


def reproduce(options: argparse.Namespace) -> None:
    """Queue the coursework's table and print the ids, saying first how long it may take."""
    runs, faces = runs_of(options), load_dataset(options.data, drop_incomplete=options.drop_incomplete)
    epochs = {} if options.epochs is None else {"training.epochs": options.epochs}
    entries = table_of(options.presets, settings_of_data(faces) | epochs, runs.summaries())
    configs = [config for entry in entries for config in (entry.configs if options.again else entry.missing)]
    _check_all_data(configs, runs)
    _tell_what_it_takes(entries, configs, faces, runs)
    ids = _queue(configs, runs) if configs else []
    if options.json:
        print_json({"ids": ids})
    else:
        _print_ids(ids)


def _tell_what_it_takes(entries: Sequence[Entry], configs: Sequence[RunConfig], faces: Dataset, runs: Runs) -> None:
    """Say on standard error what will be computed, what is there already and how long it may take here."""
    paces, has_gpu, jobs = measured_paces(runs), may_train_on_gpu(), jobs_of(configs, faces)
    if faces.is_drawn:
        print_note("The faces are drawn: the results cannot be compared with the coursework's figures.")
    for entry in entries:
        own = [job for job in jobs if job[0] in entry.configs]
        there = len(entry.configs) - len(own)
        facts = [f"{len(own)} to train, {say(own, paces, has_gpu=has_gpu)}"] if own else []
        facts += [f"{there} already there"] if there else []
        print_note(f"{entry.preset.name:{max(map(len, PRESETS))}}  {'; '.join(facts)}")
    if jobs:
        in_turn = " one after the other" if len(jobs) > 1 else ""
        print_note(f"{counted(len(jobs), 'run')} to train{in_turn}, {say(jobs, paces, has_gpu=has_gpu)}")
    else:
        print_note("Every run exists already; --again trains them again.")


def _queue(configs: Sequence[RunConfig], runs: Runs) -> list[str]:
    return [run.id for run in LocalEngine(runs).submit_all(configs)]


def _tell_gaps(configs: Sequence[RunConfig]) -> None:
    """Say on standard error which emotions nothing validates, as where the rows of a file are sorted by them."""
    for config in {config.data: config for config in configs}.values():
        dataset = load_dataset(config.data.source, drop_incomplete=config.data.drop_incomplete)
        if gaps := say_gaps(dataset, config, "--set data.split.kind=random mixes the faces first"):
            print_note(gaps)


def _check_all_data(configs: Sequence[RunConfig], runs: Runs) -> None:
    """Raise BadInput where the data of any run cannot train it, before there is one."""
    for config in {config.data: config for config in configs}.values():
        _check_data(freeze(config, runs))


def _print_ids(ids: Sequence[str]) -> None:
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
        narrator.write("Stopping after the current batch; press Ctrl-C again to end at once.\n")

    former = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
