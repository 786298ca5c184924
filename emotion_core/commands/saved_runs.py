"""`runs`: the saved runs, what became of them, what shall become of them, and an end to them."""

import argparse
import time
from dataclasses import asdict
from typing import Any

from emotion_core.archive import loses_model, pack, unpack
from emotion_core.commands.options import runs_of
from emotion_core.commands.output import Narrator, file_to_write, print_json, print_line, print_note, print_table
from emotion_core.engine import LocalEngine
from emotion_core.errors import BadInput, DamagedRun, EmotionError, RunNotFound
from emotion_core.runs import Run, State, summarise
from emotion_core.watch import as_duration, runs_before, watch

POLL_SECONDS = 0.5
LOOKS_BETWEEN_WAKES = 10
SECONDS_TO_RECORD = 5.0
SECONDS_TO_END = 30.0


def list_runs(options: argparse.Namespace) -> None:
    """List the saved runs, newest first."""
    runs = runs_of(options)
    lines = [asdict(line) for line in runs.summaries()]
    if options.json:
        print_json(lines)
    elif lines:
        columns = ("id", "name", "state", "epoch", "epochs", "val_accuracy", "macro_f1", "parameters", "data")
        print_table(columns, ([line[column] for column in columns] for line in lines))
    else:
        print_line(f"There are no runs in {runs.folder} yet.")


def show(options: argparse.Namespace) -> None:
    """Show one run."""
    _print_run(runs_of(options).find(options.run), as_json=options.json)


def wait(options: argparse.Namespace) -> None:
    """Wait until a run is over; raises EmotionError if it failed."""
    runs = runs_of(options)
    run, engine, narrator, looks = runs.find(options.run), LocalEngine(runs), Narrator(), 0
    while not (state := _state_of(run)).is_over:
        if state is State.QUEUED and looks % LOOKS_BETWEEN_WAKES == 0:
            engine.wake()  # or it would wait for ever where its worker died
        narrator.show(progress_of(run, runs_before(run, runs.in_hand()) if state is State.QUEUED else 0))
        time.sleep(POLL_SECONDS)
        looks += 1
    _let_worker_record(run)
    narrator.clear()
    print_outcome(run, as_json=options.json)


def _state_of(run: Run) -> State:
    try:
        return run.state()
    except DamagedRun as error:
        if run.folder.exists():
            raise
        raise RunNotFound(f"Run {run.id} was deleted.") from error


def stop(options: argparse.Namespace) -> None:
    """Ask a run to stop, or end it at once."""
    runs = runs_of(options)
    run = runs.find(options.run)
    if (state := run.state()).is_over:
        raise BadInput(f"Run {run.id} is over already: {state}.")
    engine = LocalEngine(runs)
    if options.now:
        engine.kill(run)
        _let_worker_record(run, SECONDS_TO_END)
    else:
        engine.stop(run)
    _print_run(run, as_json=options.json)


def resume(options: argparse.Namespace) -> None:
    """Queue a run that is over to go on, with more epochs where that is asked."""
    runs = runs_of(options)
    run = runs.find(options.run)
    if not (state := run.state()).is_over:
        raise BadInput(f"Run {run.id} is {state}; only one that is over can go on.")
    LocalEngine(runs).resume(run, options.epochs)
    _print_run(Run(run.folder), as_json=options.json)


def move(options: argparse.Namespace) -> None:
    """Let a waiting run come earlier or later."""
    runs = runs_of(options)
    run = runs.find(options.run)
    if (state := run.state()) is not State.QUEUED:
        raise BadInput(f"Run {run.id} is {state}; only a waiting run has a place in the queue.")
    LocalEngine(runs).move(run, options.places)
    waiting = [line.id for line in runs.in_hand() if line.state is State.QUEUED]
    if options.json:
        print_json({"id": run.id, "queue": waiting})
    else:
        for place, run_id in enumerate(waiting, start=1):
            print_line(f"{place:3}. {run_id}")


def export(options: argparse.Namespace) -> None:
    """Write a run as one zip, and say so where its model cannot go with it."""
    run, file = runs_of(options).find(options.run), file_to_write(options.file)
    pack(run, file)
    if loses_model(run):
        print_note(
            f"{run.id} has only the serving copy of its network, which is not exported; scores and settings are."
        )
    if options.json:
        print_json({"id": run.id, "file": str(file), "bytes": file.stat().st_size})
    else:
        print_line(f"{file}: {file.stat().st_size:,} bytes, run {run.id}.")


def take_in(options: argparse.Namespace) -> None:
    """Add the run of a zip."""
    _print_run(unpack(options.file, runs_of(options)), as_json=options.json)


def delete(options: argparse.Namespace) -> None:
    """Delete a run for good."""
    runs = runs_of(options)
    run = runs.find(options.run)
    LocalEngine(runs).delete(run)
    if options.json:
        print_json({"id": run.id, "deleted": True})
    else:
        print_line(f"Deleted {run.id}.")


def print_outcome(run: Run, *, as_json: bool) -> None:
    """Print a run that is over; raises EmotionError if it did not end well."""
    _print_run(run, as_json=as_json)
    state = run.state()
    if state not in (State.FINISHED, State.STOPPED):
        raise EmotionError(f"Run {run.id} {state}: {run.status().reason or 'its process ended unexpectedly.'}")


def progress_of(run: Run, queued_before: int = 0) -> str:
    """Return one line on how far a run is, or on how many runs are before it in the queue."""
    now = watch(run, queued_before)
    left = "" if now.seconds_left is None else f", about {as_duration(now.seconds_left)} left"
    share = f" {now.epoch_fraction:.0%}" if now.epoch_fraction else ""
    return f"{now.phase.rstrip('.')}{share}{left}"


def describe(run: Run) -> dict[str, Any]:
    """Return everything worth knowing about a run as plain data; raises DamagedRun."""
    status, line = run.status(), asdict(summarise(run))
    evaluation = run.evaluation()
    best = {
        "epoch": line["best_epoch"],
        "val_accuracy": line["val_accuracy"],
        "val_loss": evaluation.loss if evaluation else status.best_val_loss,
        "training_accuracy": line["training_accuracy"],
        "macro_f1": line["macro_f1"],
    }
    return {
        **line,
        "best": best if line["val_accuracy"] is not None else None,
        "batch": status.batch,
        "batches": status.batches,
        "backend": status.backend,
        "device": status.device,
        "started": status.started,
        "finished": status.finished,
        "folder": str(run.folder),
        "config": run.config.model_dump(mode="json"),
    }


def _let_worker_record(run: Run, seconds: float = SECONDS_TO_RECORD) -> None:
    """Give the worker of a trainer that died a moment to write down why; after a crash of both there is none."""
    deadline = time.monotonic() + seconds
    while not run.status().state.is_over and time.monotonic() < deadline:
        time.sleep(0.1)


def _print_run(run: Run, *, as_json: bool) -> None:
    document = describe(run)
    if as_json:
        print_json(document)
        return
    for label in ("id", "name", "preset", "state", "reason", "backend", "device", "folder"):
        if document[label]:
            print_line(f"{label:9} {document[label]}")
    print_line(f"{'epoch':9} {document['epoch']} of {document['epochs']}")
    if best := document["best"]:
        label = "best loss" if best["macro_f1"] is None else "kept"  # until it is scored, none is kept for good
        print_line(f"{label:9} epoch {best['epoch']}, validation accuracy {best['val_accuracy']:.4f}")
