"""Saved runs: one folder each, and the only code that knows the paths inside it.

The folder is the truth; every list is made by scanning. While a run is computing, its trainer holds a lock on it
and alone writes its status, so what a status says is never two writers' mixture, and a status that says "running"
without a held lock is a run that was cut off.
"""

import io
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from emotion_core.config import RunConfig
from emotion_core.errors import BadInput, DamagedRun, EmotionError, RunNotFound
from emotion_core.evaluation import RunEvaluation
from emotion_core.files import replacing, write_text

if TYPE_CHECKING:
    import pandas as pd

HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
PROGRESS_COLUMNS = ("epoch", "batch", "loss", "accuracy", "seconds")


class State(StrEnum):
    """Where a run is in its life."""

    QUEUED = "queued"  # waits for its turn
    RUNNING = "running"  # a living trainer holds its lock
    STOPPING = "stopping"  # running, and asked to stop
    STOPPED = "stopped"  # ended early because a person asked
    FINISHED = "finished"  # ran to its end: all epochs, or early stopping
    FAILED = "failed"  # ended by an error that its reason tells
    INTERRUPTED = "interrupted"  # its trainer died without a word
    DAMAGED = "damaged"  # its folder cannot be read

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to the run by itself."""
        return self not in (State.QUEUED, State.RUNNING, State.STOPPING)


class Status(BaseModel):
    """What status.json holds. Times are seconds since 1970; `epoch` counts whole epochs done."""

    model_config = ConfigDict(frozen=True)

    state: State
    reason: str = ""
    sequence: int = 0
    submitted: float
    started: float | None = None
    finished: float | None = None
    epoch: int = 0
    epochs: int
    batch: int = 0
    batches: int = 0
    images_per_second: float | None = None
    backend: str = ""
    device: str = ""
    parameters: int | None = None
    best_epoch: int | None = None
    best_val_loss: float | None = None
    best_val_accuracy: float | None = None


@dataclass(frozen=True)
class Validation:
    """Outcome on the validation rows: rows int64 (n,) of the data set, labels uint8 (n,), probabilities (n, 7)."""

    rows: NDArray[np.int64]
    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]


class Run:
    """One run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    @property
    def keras_path(self) -> Path:
        """The kept epoch as Keras saves it."""
        return self.folder / "model.keras"

    @property
    def onnx_path(self) -> Path:
        """The kept epoch for serving."""
        return self.folder / "model.onnx"

    @property
    def linear_path(self) -> Path:
        """The weights of a linear model."""
        return self.folder / "linear.npz"

    @property
    def log_path(self) -> Path:
        """Everything the trainer printed."""
        return self.folder / "log.txt"

    @cached_property
    def config(self) -> RunConfig:
        """The settings frozen at submission; raises DamagedRun."""
        try:
            return RunConfig.model_validate_json(self._read("config.json"))
        except ValidationError as error:
            raise DamagedRun(f"{self.folder / 'config.json'} does not hold a run's settings.") from error

    @property
    def name(self) -> str:
        """What the person called it, else its preset."""
        return self.config.name or self.config.preset

    def status(self) -> Status:
        """Return what was last recorded; raises DamagedRun. See `state` for what is so."""
        try:
            return Status.model_validate_json(self._read("status.json"))
        except ValidationError as error:
            raise DamagedRun(f"{self.folder / 'status.json'} does not hold a run's status.") from error

    def state(self) -> State:
        """Return what is so: the recorded state, checked against the trainer's lock and the stop request."""
        recorded = self.status().state
        if recorded is not State.RUNNING:
            return recorded
        if self.is_alive():
            return State.STOPPING if self.stop_requested() else State.RUNNING
        recorded = self.status().state  # it may have ended between the two looks
        return State.INTERRUPTED if recorded is State.RUNNING else recorded

    def record(self, **changes: Any) -> Status:
        """Change fields of the status and return it. Only the trainer may while it lives."""
        status = self.status().model_copy(update=changes)
        write_text(self.folder / "status.json", status.model_dump_json(indent=2) + "\n")
        return status

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Hold the lock that says this process is computing the run; raises EmotionError if another one is."""
        lock = FileLock(self.folder / "lock")
        try:
            lock.acquire(timeout=2, poll_interval=0.02)
        except Timeout as error:
            raise EmotionError(f"Run {self.id} is being computed by another process.") from error
        try:
            yield
        finally:
            lock.release()

    def is_alive(self) -> bool:
        """Whether some process is computing the run, as the kernel knows it: by the lock, not by a process id."""
        if not self.folder.is_dir():
            return False  # looking must not bring a deleted run's folder back
        try:
            with FileLock(self.folder / "lock").acquire(timeout=0.02, poll_interval=0.005):
                return False
        except Timeout:
            return True
        except OSError:  # a folder that may not be written to has no trainer
            return False

    def request_stop(self) -> None:
        """Ask the trainer to stop after the batch in hand."""
        write_text(self.folder / "stop", "")

    def stop_requested(self) -> bool:
        """Whether someone asked the trainer to stop."""
        return (self.folder / "stop").exists()

    def stop_requested_at(self) -> float | None:
        """Return when someone asked the trainer to stop, in seconds since 1970; None where nobody did."""
        try:
            return (self.folder / "stop").stat().st_mtime
        except OSError:
            return None

    def request_kill(self) -> None:
        """Ask the worker to end the trainer's processes at once."""
        write_text(self.folder / "kill", "")

    def kill_requested(self) -> bool:
        """Whether someone asked for the trainer to be ended at once."""
        return (self.folder / "kill").exists()

    def append_history(self, row: dict[str, float]) -> None:
        """Add an epoch to history.csv; `row` has HISTORY_COLUMNS."""
        _append_row(self.folder / "history.csv", HISTORY_COLUMNS, row)

    def append_progress(self, row: dict[str, float]) -> None:
        """Add a moment within the epoch to progress.csv; `row` has PROGRESS_COLUMNS."""
        _append_row(self.folder / "progress.csv", PROGRESS_COLUMNS, row)

    def clear_progress(self) -> None:
        """Begin progress.csv anew: it holds the epoch in hand only, so that it stays small."""
        write_text(self.folder / "progress.csv", ",".join(PROGRESS_COLUMNS) + "\n")

    def history(self) -> "pd.DataFrame":
        """Return a row per epoch with HISTORY_COLUMNS; empty before the first epoch ends."""
        return _read_rows(self.folder / "history.csv", HISTORY_COLUMNS)

    def progress(self) -> "pd.DataFrame":
        """Return a row per moment of the epoch in hand with PROGRESS_COLUMNS."""
        return _read_rows(self.folder / "progress.csv", PROGRESS_COLUMNS)

    def save_evaluation(self, evaluation: RunEvaluation, validation: Validation) -> None:
        """Save the scores and the probabilities that they rest on."""
        with replacing(self.folder / "validation.npz") as temporary:
            np.savez_compressed(
                temporary,
                rows=validation.rows.astype(np.int32),
                labels=validation.labels,
                probabilities=validation.probabilities,
            )
        write_text(self.folder / "evaluation.json", evaluation.model_dump_json(indent=2) + "\n")

    def evaluation(self) -> RunEvaluation | None:
        """Return the scores on the validation rows, None where the run has none yet; raises DamagedRun."""
        if not (self.folder / "evaluation.json").exists():
            return None
        try:
            return RunEvaluation.model_validate_json(self._read("evaluation.json"))
        except ValidationError as error:
            raise DamagedRun(f"{self.folder / 'evaluation.json'} does not hold a run's scores.") from error

    def validation(self) -> Validation:
        """Return labels and probabilities of the validation rows; raises DamagedRun."""
        path = self.folder / "validation.npz"
        try:
            with np.load(path) as arrays:
                return Validation(arrays["rows"].astype(np.int64), arrays["labels"], arrays["probabilities"])
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise DamagedRun(f"{path} is missing or cannot be read.") from error
        except Exception as error:  # zipfile and zlib raise errors of their own on damaged bytes
            raise DamagedRun(f"{path} is damaged: {error}") from error

    def log_tail(self, lines: int = 40) -> str:
        """Return the last lines of the trainer's log, empty where there is none."""
        with suppress(OSError), self.log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, io.SEEK_END) - 200 * lines))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        return ""

    def files(self) -> list[Path]:
        """Return the files worth handing out, by name."""
        hidden = {"lock", "stop", "kill"}
        return sorted(path for path in self.folder.iterdir() if path.is_file() and path.name not in hidden)

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise DamagedRun(f"{self.folder / name} cannot be read: {error.strerror}.") from error


@dataclass(frozen=True)
class RunSummary:
    """A run's line in a list. A damaged folder has a line too: state `damaged`, and the reason."""

    id: str
    name: str
    state: State
    reason: str = ""
    preset: str = ""
    family: str = ""
    data: str = ""
    seed: int | None = None
    epoch: int = 0
    epochs: int = 0
    best_epoch: int | None = None
    val_accuracy: float | None = None
    training_accuracy: float | None = None
    macro_f1: float | None = None
    parameters: int | None = None
    seconds: float | None = None
    images_per_second: float | None = None
    submitted: float = 0.0
    sequence: int = 0
    has_model: bool = False


class Runs:
    """A folder of runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def engine_folder(self) -> Path:
        """Where the engine keeps its locks and its log."""
        folder = self.folder / ".engine"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def create(self, config: RunConfig, sequence: int = 0) -> Run:
        """Make the folder of a new queued run: whole, or not at all."""
        now = time.time()
        stem = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
        run_id = f"{stem}-{_as_path_name(config.preset)}-{secrets.token_hex(4)}"
        draft = self.folder / f".new-{run_id}"
        draft.mkdir(parents=True)
        status = Status(state=State.QUEUED, submitted=now, sequence=sequence, epochs=config.training.epochs)
        write_text(draft / "config.json", config.model_dump_json(indent=2) + "\n")
        write_text(draft / "status.json", status.model_dump_json(indent=2) + "\n")
        return Run(draft.rename(self.folder / run_id))

    def all(self) -> list[Run]:
        """Return every run, oldest first."""
        if not self.folder.is_dir():
            return []
        return [
            Run(folder)
            for folder in sorted(self.folder.iterdir())
            if folder.is_dir() and not folder.name.startswith(".")
        ]

    def summaries(self) -> list[RunSummary]:
        """Return a line per run, newest first."""
        lines = [summarise(run) for run in self.all()]
        return sorted(lines, key=lambda line: (line.submitted, line.sequence), reverse=True)

    def find(self, reference: str) -> Run:
        """Return the run that an id, a unique beginning of one, or `latest` stands for; raises RunNotFound.

        `latest` is the run submitted last among those that have a model, whatever their state.
        """
        runs = self.all()
        if reference == "latest":
            with_model = [line for line in self.summaries() if line.has_model]
            if not with_model:
                raise RunNotFound(f"There is no trained run in {self.folder} yet.")
            return Run(self.folder / with_model[0].id)
        matches = [run for run in runs if run.id == reference] or [run for run in runs if run.id.startswith(reference)]
        if len(matches) == 1 and reference:
            return matches[0]
        if not matches:
            raise RunNotFound(f"There is no run {reference!r} in {self.folder}.")
        raise RunNotFound(f"{reference!r} is the beginning of {len(matches)} runs; give more of the id.")

    def delete(self, run: Run) -> None:
        """Remove a run for good; raises BadInput while it is computing."""
        if run.is_alive():
            raise BadInput(f"Run {run.id} is computing; stop it before deleting it.")
        doomed = run.folder.rename(self.folder / f".deleted-{run.id}")
        shutil.rmtree(doomed, ignore_errors=True)


def summarise(run: Run) -> RunSummary:
    """Return the run's line in a list; never raises for a damaged folder."""
    try:
        config, state, status, evaluation = run.config, run.state(), run.status(), run.evaluation()
    except DamagedRun as error:
        return RunSummary(id=run.id, name=run.id, state=State.DAMAGED, reason=str(error))
    scores = {
        "val_accuracy": evaluation.accuracy,
        "training_accuracy": evaluation.training_accuracy,
        "macro_f1": evaluation.macro_f1,
        "seconds": evaluation.seconds,
        "best_epoch": evaluation.best_epoch,
        "images_per_second": evaluation.images_per_second,
    } if evaluation else {
        "val_accuracy": status.best_val_accuracy,
        "best_epoch": status.best_epoch,
        "images_per_second": status.images_per_second,
    }  # fmt: skip
    return RunSummary(
        id=run.id,
        name=run.name,
        state=state,
        reason=status.reason,
        preset=config.preset,
        family=config.model.family,
        data=Path(config.data.source).name,
        seed=config.training.seed,
        epoch=status.epoch,
        epochs=status.epochs,
        parameters=status.parameters,
        submitted=status.submitted,
        sequence=status.sequence,
        has_model=run.onnx_path.exists() or run.linear_path.exists(),
        **scores,
    )


def _as_path_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "run"


def _append_row(path: Path, columns: tuple[str, ...], row: dict[str, float]) -> None:
    """Append one line in one write, after a header where the file is new."""
    line = ",".join(f"{row[column]:.7g}" for column in columns) + "\n"
    with path.open("ab", buffering=0) as file:
        header = "" if file.tell() else ",".join(columns) + "\n"
        file.write((header + line).encode())


def _read_rows(path: Path, columns: tuple[str, ...]) -> "pd.DataFrame":
    import pandas as pd  # slow to import

    try:
        whole_lines, _, _torn = path.read_text(encoding="utf-8", errors="replace").rpartition("\n")
        rows = pd.read_csv(io.StringIO(whole_lines), names=list(columns), skiprows=1, on_bad_lines="skip")
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError):
        rows = pd.DataFrame()
    if rows.empty:
        return pd.DataFrame(columns=list(columns), dtype=float)
    numbers: pd.DataFrame = rows.apply(pd.to_numeric, errors="coerce")
    return numbers.dropna(subset=["epoch"])
