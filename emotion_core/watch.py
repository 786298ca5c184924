"""Watching a run from outside: how far it is, what it is doing, how long it may still take.

Reads the run's folder through `Run` and shows nothing itself; a page or a terminal puts it on screen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emotion_core.config import LinearModel
from emotion_core.runs import Run, RunSummary, State, Status, effort_of
from emotion_core.schedules import epoch_work
from emotion_core.units import counted

if TYPE_CHECKING:
    import pandas as pd

EPOCHS_AVERAGED = 5
"""Time left is told from the pace of this many epochs."""


@dataclass(frozen=True)
class Watch:
    """A run at one moment.

    Attributes:
        phase: One sentence on what it is doing or how it ended.
        epoch: The epoch in hand, from 1; once no other is to come, the number of whole epochs.
        epoch_fraction: How much of the epoch in hand is done, 0 to 1.
        seconds: Time spent computing, over all sittings; None where unknown.
        images_per_second: Training images learnt from, of late; once the run is over, on average; None where unknown.
        seconds_left: At the pace of the last epochs and if no early stopping ends it sooner; None where unknown.
        best_epoch: The epoch of lowest validation loss so far; once the run is scored, the one that is kept.
        is_scored: Whether it is over and was scored, which a run that was cut off is not.
        val_accuracy: That epoch's accuracy on the validation faces, 0 to 1.
        history: A row per epoch, as `Run.history`.
        progress: A row per moment of the epoch in hand, as `Run.progress`; none while nothing is computed.
    """

    state: State
    status: Status
    phase: str
    epoch: int
    epochs: int
    epoch_fraction: float
    seconds: float | None
    images_per_second: float | None
    seconds_left: float | None
    best_epoch: int | None
    is_scored: bool
    val_accuracy: float | None
    history: "pd.DataFrame"
    progress: "pd.DataFrame"


def watch(run: Run, queued_before: int = 0, state: State | None = None) -> Watch:
    """Look at a run; raises DamagedRun.

    Args:
        run: The run.
        queued_before: Number of runs whose turn comes first.
        state: What is so, where the caller has just looked: looking at a trainer's lock may take milliseconds.
    """
    state, status = state or run.state(), run.status()
    if state.is_over or state is State.QUEUED:
        return _watch_at_rest(run, state, status, queued_before)
    history, progress, is_done = run.history(), run.progress(), _is_done_training(run, status)
    return Watch(
        state,
        status,
        phase=_activity(run, state, status),
        epoch=status.epoch if is_done else status.epoch + 1,
        epochs=status.epochs,
        epoch_fraction=_epoch_fraction(status),
        seconds=status.seconds,
        images_per_second=status.images_per_second,
        seconds_left=None if is_done or state is State.STOPPING else _seconds_left(run, status, history, progress),
        best_epoch=status.best_epoch,
        is_scored=False,
        val_accuracy=status.best_val_accuracy,
        history=history,
        progress=progress,
    )


def runs_before(run: Run, in_hand: Iterable[RunSummary]) -> int:
    """Return how many of the runs in hand, as `Runs.in_hand` orders them, come before one; 0 if it is not in hand."""
    ids = [line.id for line in in_hand]
    return ids.index(run.id) if run.id in ids else 0


def _watch_at_rest(run: Run, state: State, status: Status, queued_before: int) -> Watch:
    kept = run.evaluation()
    effort = effort_of(state, status, kept)
    return Watch(
        state,
        status,
        phase=_outcome(state, status, queued_before, effort.seconds),
        epoch=status.epoch,
        epochs=status.epochs,
        epoch_fraction=0.0,
        seconds=effort.seconds,
        images_per_second=effort.images_per_second,
        seconds_left=None,
        best_epoch=kept.best_epoch if kept else status.best_epoch,
        is_scored=kept is not None,
        val_accuracy=kept.accuracy if kept else status.best_val_accuracy,
        history=run.history(),
        progress=run.progress().iloc[:0],
    )


def as_duration(seconds: float) -> str:
    """Write a duration roughly, as one would say it: `40 s`, `12 min`, `3 h 20 min`, `2 days 4 h`."""
    if round(seconds) < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} day{'s' * (days > 1)}" + (f" {hours} h" if hours else "")


def _epoch_fraction(status: Status) -> float:
    return min(1.0, status.batch / status.batches) if status.batches else 0.0


def _seconds_left(run: Run, status: Status, history: "pd.DataFrame", progress: "pd.DataFrame") -> float | None:
    """Return the time that the epochs to come take at the pace of the last ones; in the first one, of its reports."""
    on_gpu = status.device.startswith("GPU")
    work = epoch_work(run.config.training.first_side, status.epochs, on_gpu=on_gpu)
    if len(history):
        seconds = history["seconds"].tail(EPOCHS_AVERAGED)
        pace = seconds.sum() / work.take(range(len(history))[-len(seconds) :], mode="clip").sum()
    elif len(progress) > 1 and status.batches:
        pace = _seconds_per_batch(progress) * status.batches / work[0]
    else:
        return None
    left = work[status.epoch :]
    return float(pace * (left.sum() - left[:1].sum() * _epoch_fraction(status)))


def _seconds_per_batch(progress: "pd.DataFrame") -> float:
    """Return the pace between reports. The very first batch is left out, since the network is compiled in it."""
    begin, now = progress.iloc[0], progress.iloc[-1]
    return float((now["seconds"] - begin["seconds"]) / (now["batch"] - begin["batch"]))


def _activity(run: Run, state: State, status: Status) -> str:
    if state is State.STOPPING:
        kept = "; then the kept epoch is evaluated and saved" if status.epoch else ""
        return f"Stopping after the current batch{kept}."
    if not status.batches:
        linear = isinstance(run.config.model, LinearModel)
        return f"Starting: loading {'the faces' if linear else 'the framework and the faces'}."
    if not status.epoch and not status.batch:
        return f"Starting: preparing the first epoch on {status.device or 'this machine'}."
    if _is_done_training(run, status):
        return "Evaluating and saving the model."
    if status.batches and status.batch >= status.batches:
        return f"Epoch {status.epoch + 1} of {status.epochs}: evaluating on the validation faces."
    return f"Epoch {status.epoch + 1} of {status.epochs}: learning."


def _is_done_training(run: Run, status: Status) -> bool:
    stalled = run.config.training.has_stalled(status.epoch, status.best_epoch or 0, status.patience_from)
    return status.epoch >= status.epochs or stalled


def _outcome(state: State, status: Status, queued_before: int, seconds: float | None) -> str:
    match state:
        case State.QUEUED if queued_before:
            return f"Waiting for {counted(queued_before, 'run')} ahead of it."
        case State.QUEUED:
            return "Next in line; the worker is starting."
        case State.INTERRUPTED:
            return status.reason or f"The training process ended unexpectedly after {counted(status.epoch, 'epoch')}."
        case _:
            took = f" in {as_duration(seconds)}" if seconds else ""
            return status.reason or f"{_ending(state, status)} after {counted(status.epoch, 'epoch')}{took}."


def _ending(state: State, status: Status) -> str:
    if state is State.FINISHED and status.epoch < status.epochs:
        return "No further improvement, so it stopped"
    return str(state).capitalize()
