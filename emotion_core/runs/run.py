"""One run's folder: what lies where, who may write it, and what is so."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pydantic import ValidationError

from emotion_core.config import RunConfig, with_settings
from emotion_core.emotions import NUM_EMOTIONS
from emotion_core.errors import DamagedRun, EmotionError
from emotion_core.evaluation import HeldOutEvaluation, RunEvaluation
from emotion_core.files import is_locked, read_bytes, replacing, write_text
from emotion_core.presets import title_of
from emotion_core.runs.about import About
from emotion_core.runs.checkpoints import Checkpoints
from emotion_core.runs.rows import HISTORY_COLUMNS, PROGRESS_COLUMNS, append_row, keep_rows, read_rows
from emotion_core.runs.states import State, Status

if TYPE_CHECKING:
    import pandas as pd

SITTING: Final = "--- taken up "
"""What a trainer prints before the moment at which it begins or goes on."""


@dataclass(frozen=True)
class Validation:
    """Outcome on the validation rows: rows int64 (n,) of the data set, labels uint8 (n,), probabilities (n, 7)."""

    rows: NDArray[np.int64]
    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]

    def check(self) -> None:
        """Raise ValueError where the parts, read from a file, do not fit together."""
        if self.rows.ndim != 1 or not self.rows.size or self.labels.shape != self.rows.shape:
            raise ValueError("rows and labels are of different numbers of faces, or of none")
        if self.probabilities.shape != (len(self.rows), NUM_EMOTIONS):
            raise ValueError("the probabilities are not those of as many faces")
        if self.labels.dtype.kind not in "ui" or not 0 <= self.labels.min() <= self.labels.max() < NUM_EMOTIONS:
            raise ValueError("a label is not that of an emotion")
        if self.probabilities.dtype.kind != "f" or not (abs(self.probabilities - 0.5) <= 0.501).all():  # nor is NaN
            raise ValueError("a probability lies outside 0 to 1")


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
        """What a person calls it, else what it was called when it was submitted."""
        return self.about().name or self.submitted_name

    @property
    def submitted_name(self) -> str:
        """What a person called it then, else the title of its preset; only that one's name where settings differ."""
        return self.config.name or title_of(self.config)

    @property
    def checkpoints(self) -> Checkpoints:
        """What exact resume needs."""
        return Checkpoints(self.folder / "checkpoint")

    def set_epochs(self, epochs: int) -> None:
        """Change how many epochs the run has in all; only while it is over, before it is resumed."""
        config = with_settings(self.config, {"training.epochs": epochs})
        write_text(self.folder / "config.json", config.model_dump_json(indent=2) + "\n")
        del self.config  # read anew

    def about(self) -> About:
        """Return what people wrote about the run; nothing where that cannot be read."""
        try:
            return About.model_validate_json(read_bytes(self.folder / "about.json"))
        except (OSError, ValidationError):
            return About()

    def write_about(self, about: About) -> None:
        """Replace what people wrote about the run."""
        write_text(self.folder / "about.json", about.model_dump_json(indent=2) + "\n")

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
            with FileLock(self.folder / "lock").acquire(timeout=0.008, poll_interval=0.001):
                return False
        except Timeout:
            return True
        except PermissionError:  # it is another account's, or nobody can write there
            return is_locked(self.folder / "lock")
        except OSError:
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

    def clear_requests(self) -> None:
        """Take back what was asked of the run's former trainer."""
        for name in ("stop", "kill"):
            (self.folder / name).unlink(missing_ok=True)

    def append_history(self, row: dict[str, float]) -> None:
        """Add an epoch to history.csv, for good; `row` has HISTORY_COLUMNS."""
        append_row(self.folder / "history.csv", HISTORY_COLUMNS, row, durable=True)

    def keep_history(self, last_epoch: int) -> None:
        """Drop the epochs after `last_epoch` from history.csv: a resumed run does them again."""
        keep_rows(self.folder / "history.csv", last_epoch)

    def append_progress(self, row: dict[str, float]) -> None:
        """Add a moment within the epoch to progress.csv; `row` has PROGRESS_COLUMNS."""
        append_row(self.folder / "progress.csv", PROGRESS_COLUMNS, row)

    def clear_progress(self) -> None:
        """Begin progress.csv anew: it holds the epoch in hand only, so that it stays small."""
        write_text(self.folder / "progress.csv", ",".join(PROGRESS_COLUMNS) + "\n")

    def history(self) -> "pd.DataFrame":
        """Return a row per epoch with HISTORY_COLUMNS; empty before the first epoch ends."""
        return read_rows(self.folder / "history.csv", HISTORY_COLUMNS)

    def progress(self) -> "pd.DataFrame":
        """Return a row per moment of the epoch in hand with PROGRESS_COLUMNS."""
        return read_rows(self.folder / "progress.csv", PROGRESS_COLUMNS)

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

    def save_test_scores(self, scores: HeldOutEvaluation) -> None:
        """Put scores on test faces beside those on the validation rows.

        Raises EmotionError where there are none, or where they cannot be written.
        """
        evaluation = self.evaluation()
        if evaluation is None:
            raise EmotionError(f"Run {self.id} has no evaluation to store the scores with.")
        document = evaluation.model_copy(update={"test": scores}).model_dump_json(indent=2)
        try:
            write_text(self.folder / "evaluation.json", document + "\n")
        except OSError as error:
            raise EmotionError(f"The scores cannot be kept in {self.folder}: {error.strerror or error}.") from error

    def has_scores(self) -> bool:
        """Whether the run was scored on its validation rows."""
        return (self.folder / "evaluation.json").exists()

    def has_results(self) -> bool:
        """Whether training has left what would be lost if it began anew; raises DamagedRun."""
        return self.has_scores() or self.status().epoch > 0

    def evaluation(self) -> RunEvaluation | None:
        """Return the scores on the validation rows, None where the run has none yet; raises DamagedRun."""
        if not self.has_scores():
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
                outcome = Validation(arrays["rows"].astype(np.int64), arrays["labels"], arrays["probabilities"])
            outcome.check()
            return outcome
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

    def log_of_sitting(self, lines: int = 200) -> str:
        """Return the last lines of the log, but none from before the run was last taken up."""
        return self.log_tail(lines).rpartition(SITTING)[2]

    def files(self) -> list[Path]:
        """Return the files worth handing out, by name."""
        hidden = {"lock", "stop", "kill"}
        visible = (path for path in self.folder.iterdir() if not path.name.startswith("."))
        return sorted(path for path in visible if path.is_file() and path.name not in hidden)

    def sweep(self) -> None:
        """Remove what a killed trainer left half written. Only its next trainer may."""
        for folder in (self.folder, self.folder / "checkpoint"):
            for path in folder.glob(".*"):
                if path.is_file():
                    path.unlink(missing_ok=True)

    def make_room(self) -> None:
        """Let go of what the run can do without, so that a full disk has room for a few lines."""
        (self.folder / "progress.csv").unlink(missing_ok=True)
        self.checkpoints.keep(1)

    def _read(self, name: str) -> bytes:
        try:
            return read_bytes(self.folder / name)
        except OSError as error:
            raise DamagedRun(f"{self.folder / name} cannot be read: {error.strerror}.") from error
