"""A run in one line, as lists show it."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from emotion_core.config import SAMPLE_NAME, RunConfig
from emotion_core.errors import DamagedRun
from emotion_core.evaluation import RunEvaluation
from emotion_core.presets import preset_of
from emotion_core.runs.run import Run
from emotion_core.runs.states import State, Status


@dataclass(frozen=True)
class RunSummary:
    """A run's line in a list. A damaged folder has a line too: state `damaged`, and the reason.

    `data_digest` tells the data by their content, and is empty for runs of old. `settings` is a digest of all that
    decides what is learnt but the seed: runs that share it repeat each other. `as_preset` says that nothing of its
    preset was changed but seed, device and data. `test_data` is the name of the data that the test scores are of.
    """

    id: str
    name: str
    state: State
    reason: str = ""
    preset: str = ""
    family: str = ""
    data: str = ""
    data_digest: str = ""
    seed: int | None = None
    epoch: int = 0
    epochs: int = 0
    best_epoch: int | None = None
    validation_images: int | None = None
    val_accuracy: float | None = None
    training_accuracy: float | None = None
    macro_f1: float | None = None
    val_loss: float | None = None
    test_accuracy: float | None = None
    test_macro_f1: float | None = None
    test_data: str = ""
    parameters: int | None = None
    seconds: float | None = None
    images_per_second: float | None = None
    submitted: float = 0.0
    sequence: int = 0
    has_model: bool = False
    tags: tuple[str, ...] = ()
    notes: str = ""
    settings: str = ""
    as_preset: bool = False

    @property
    def is_drawn(self) -> bool:
        """Whether it learnt from faces drawn by code."""
        return self.data == SAMPLE_NAME

    @property
    def epoch_in_hand(self) -> int:
        """The epoch that a run which computes is in, from 1."""
        return min(self.epoch + 1, self.epochs)


class Effort(NamedTuple):
    """What computing a run has taken, over all sittings; None where unknown.

    Attributes:
        seconds: Time spent.
        images_per_second: Training images learnt from: on average once the run is scored, else of late.
    """

    seconds: float | None
    images_per_second: float | None


def effort_of(state: State, status: Status, evaluation: RunEvaluation | None) -> Effort:
    """Return what a run has taken so far; its scores know no more than that where it has gone on since."""
    if evaluation is None:
        return Effort(status.seconds, status.images_per_second)
    seconds = max(evaluation.seconds, status.seconds or 0.0)
    has_gone_on = state not in (State.FINISHED, State.STOPPED, State.QUEUED)
    return Effort(seconds, status.images_per_second if has_gone_on else evaluation.images_per_second)


_SOURCES: Final = ("config.json", "status.json", "evaluation.json", "about.json", "model.onnx", "linear.npz")

_Stamp = tuple[tuple[int, int, int] | None, ...]

_LINES: Final[dict[Path, tuple[_Stamp, RunSummary]]] = {}


def summarise(run: Run) -> RunSummary:
    """Return the run's line in a list; never raises for a damaged folder.

    Lines are remembered for as long as the run's files stay as they are, except those of runs that say they compute,
    which only their lock tells, and of damaged ones: what could not be read a moment ago may be readable now.
    """
    stamp = _stamp(run)
    known = _LINES.get(run.folder)
    if known and known[0] == stamp:
        return known[1]
    line = _summarise(run)
    if line.state not in (State.RUNNING, State.STOPPING, State.INTERRUPTED, State.DAMAGED):
        _LINES[run.folder] = (stamp, line)
    return line


def forget_lines(folder: Path, present: Iterable[Path]) -> None:
    """Forget the lines of runs that are no longer in a folder of runs."""
    for gone in {path for path in list(_LINES) if path.parent == folder}.difference(present):
        _LINES.pop(gone, None)


def _summarise(run: Run) -> RunSummary:
    try:
        config, state, status, evaluation = run.config, run.state(), run.status(), run.evaluation()
    except DamagedRun as error:
        return RunSummary(id=run.id, name=run.id, state=State.DAMAGED, reason=str(error))
    about = run.about()
    scores: dict[str, Any] = {
        "validation_images": evaluation.images,
        "val_accuracy": evaluation.accuracy,
        "training_accuracy": evaluation.training_accuracy,
        "macro_f1": evaluation.macro_f1,
        "val_loss": evaluation.loss,
        "test_accuracy": evaluation.test.accuracy if evaluation.test else None,
        "test_macro_f1": evaluation.test.macro_f1 if evaluation.test else None,
        "test_data": evaluation.test.data if evaluation.test else "",
        "best_epoch": evaluation.best_epoch,
    } if evaluation else {
        "val_accuracy": status.best_val_accuracy,
        "val_loss": status.best_val_loss,
        "best_epoch": status.best_epoch,
    }  # fmt: skip
    effort = effort_of(state, status, evaluation)
    return RunSummary(
        id=run.id,
        name=about.name or run.submitted_name,
        tags=about.tags,
        notes=about.notes,
        state=state,
        reason=status.reason,
        preset=config.preset,
        family=config.model.family,
        data=config.data.name,
        data_digest=config.data_fingerprint,
        seed=config.training.seed,
        epoch=status.epoch,
        epochs=status.epochs,
        parameters=status.parameters,
        seconds=effort.seconds,
        images_per_second=effort.images_per_second,
        submitted=status.submitted,
        sequence=status.sequence,
        settings=settings_digest(config),
        as_preset=preset_of(config) is not None,
        has_model=run.onnx_path.exists() or run.linear_path.exists(),
        **scores,
    )


def settings_digest(config: RunConfig) -> str:
    """Return a digest that is the same for runs which differ in seed, name, device or the place of their data alone."""
    document = config.model_dump(mode="json", exclude={"name": True, "device": True, "training": {"seed"}})
    data = document["data"]
    data["source"] = document.pop("data_fingerprint") or config.data.name
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def _stamp(run: Run) -> _Stamp:
    """Return what changes whenever a file does that a line is made from."""
    folder = str(run.folder)  # joining paths as paths would take most of the time
    return tuple(_stamp_of(f"{folder}/{name}") for name in _SOURCES)


def _stamp_of(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
