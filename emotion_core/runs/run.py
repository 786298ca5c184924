"""One run's folder: what lies where, who may write it, and what is so.

How each kind of file is written and read stands in the modules beside this one.
"""

from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion_core.config import RunConfig, with_settings
from emotion_core.errors import DamagedRun, EmotionError
from emotion_core.evaluation import HeldOutEvaluation, RunEvaluation
from emotion_core.files import write_text
from emotion_core.presets import title_of
from emotion_core.runs.about import About
from emotion_core.runs.checkpoints import Checkpoints
from emotion_core.runs.documents import read_document, write_document
from emotion_core.runs.lock import holding, is_held
from emotion_core.runs.log import last_lines, of_last_sitting
from emotion_core.runs.rows import HISTORY_COLUMNS, PROGRESS_COLUMNS, append_row, keep_rows, read_rows
from emotion_core.runs.states import State, Status
from emotion_core.runs.validation import Validation

if TYPE_CHECKING:
    import pandas as pd


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
        return read_document(self.folder / "config.json", RunConfig, "a run's settings")

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
        write_document(self.folder / "config.json", config)
        del self.config  # read anew

    def about(self) -> About:
        """Return what people wrote about the run; nothing where that cannot be read."""
        try:
            return read_document(self.folder / "about.json", About, "what people wrote about a run")
        except DamagedRun:
            return About()

    def write_about(self, about: About) -> None:
        """Replace what people wrote about the run."""
        write_document(self.folder / "about.json", about)

    def status(self) -> Status:
        """Return what was last recorded; raises DamagedRun. See `state` for what is so."""
        return read_document(self.folder / "status.json", Status, "a run's status")

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
        write_document(self.folder / "status.json", status)
        return status

    def alive(self) -> AbstractContextManager[None]:
        """Hold the lock that says this process is computing the run; raises EmotionError if another one is."""
        return holding(self.folder)

    def is_alive(self) -> bool:
        """Whether some process is computing the run, as the kernel knows it: by the lock, not by a process id."""
        return is_held(self.folder)

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
        validation.save(self.folder / "validation.npz")
        write_document(self.folder / "evaluation.json", evaluation)

    def save_test_scores(self, scores: HeldOutEvaluation) -> None:
        """Put scores on test faces beside those on the validation rows.

        Raises EmotionError where there are none, or where they cannot be written.
        """
        evaluation = self.evaluation()
        if evaluation is None:
            raise EmotionError(f"Run {self.id} has no evaluation to store the scores with.")
        try:
            write_document(self.folder / "evaluation.json", evaluation.model_copy(update={"test": scores}))
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
        return read_document(self.folder / "evaluation.json", RunEvaluation, "a run's scores")

    def validation(self) -> Validation:
        """Return labels and probabilities of the validation rows; raises DamagedRun."""
        return Validation.load(self.folder / "validation.npz")

    def log_tail(self, lines: int = 40) -> str:
        """Return the last lines of the trainer's log, empty where there is none."""
        return last_lines(self.log_path, lines)

    def log_of_sitting(self) -> str:
        """Return the last 200 lines of the log, but none from before the run was last taken up."""
        return of_last_sitting(self.log_tail(200))

    def files(self) -> list[Path]:
        """Return the files worth handing out, by name; raises DamagedRun."""
        hidden = {"lock", "stop", "kill"}
        try:
            visible = (path for path in self.folder.iterdir() if not path.name.startswith("."))
            return sorted(path for path in visible if path.is_file() and path.name not in hidden)
        except OSError as error:
            raise DamagedRun(f"The files in {self.folder} cannot be listed: {error.strerror}.") from error

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
