"""A folder of runs: making, listing, finding and deleting them."""

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from emotion_core.config import RunConfig
from emotion_core.errors import BadInput, EmotionError, RunNotFound
from emotion_core.files import rename_folder
from emotion_core.runs.documents import write_document
from emotion_core.runs.run import Run
from emotion_core.runs.states import State, Status
from emotion_core.runs.summary import RunSummary, forget_lines, summarise

DRAFT_SECONDS = 3_600
"""A submission takes a moment; a draft as old as this was left by a crash."""


class Runs:
    """A folder of runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def engine_folder(self) -> Path:
        """Where the engine keeps its locks and its log; made where it is missing."""
        folder = self.folder / ".engine"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def create(self, config: RunConfig, sequence: int = 0) -> Run:
        """Make the folder of a new queued run: whole, or not at all; raises EmotionError where that cannot be."""
        now = time.time()
        stem = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
        run_id = f"{stem}-{_as_path_name(config.preset)}-{secrets.token_hex(4)}"
        draft = self.folder / f".new-{run_id}"
        status = Status(state=State.QUEUED, submitted=now, sequence=sequence, epochs=config.training.epochs)
        try:
            draft.mkdir(parents=True)
            write_document(draft / "config.json", config)
            write_document(draft / "status.json", status)
            return Run(rename_folder(draft, self.folder / run_id))
        except OSError as error:
            raise EmotionError(f"No run can be made in {self.folder}: {error.strerror or error}.") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)  # it is gone where all went well

    def all(self) -> list[Run]:
        """Return every run, oldest first; raises EmotionError where the folder cannot be looked into."""
        try:
            with os.scandir(self.folder) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise EmotionError(f"The runs in {self.folder} cannot be listed: {error.strerror or error}.") from error
        return [Run(self.folder / name) for name in names]

    def summaries(self) -> list[RunSummary]:
        """Return a line per run, newest first."""
        runs = self.all()
        forget_lines(self.folder, (run.folder for run in runs))
        lines = [summarise(run) for run in runs]
        return sorted(lines, key=lambda line: (line.submitted, line.sequence), reverse=True)

    def in_hand(self, lines: Iterable[RunSummary] | None = None) -> list[RunSummary]:
        """Return a line per run that is not over: those computing first, then the queue in its order.

        `lines` are those of `summaries`, where the caller has just asked for them.
        """
        unfinished = [line for line in (self.summaries() if lines is None else lines) if not line.state.is_over]
        return sorted(unfinished, key=lambda line: (line.state is State.QUEUED, line.sequence, line.submitted, line.id))

    def in_need_of(self, run: Run) -> list[RunSummary]:
        """Return a line per run that is not over and has a run as its teacher or begins with its weights."""
        return [line for line in self.in_hand() if run.id in _learns_from(self.run_of(line))]

    def run_of(self, line: RunSummary) -> Run:
        """Return the run that a line is about."""
        return Run(self.folder / line.id)

    def find(self, reference: str, *, latest_with_model: bool = False) -> Run:
        """Return the run that an id, a unique beginning of one, or `latest` stands for; raises RunNotFound.

        `latest` is the run submitted last, whatever its state, or the last one that has a model.
        """
        if reference == "latest":
            return self._latest(latest_with_model)
        runs = self.all()
        matches = [run for run in runs if run.id == reference] or [run for run in runs if run.id.startswith(reference)]
        if len(matches) == 1 and reference:
            return matches[0]
        if not matches:
            raise RunNotFound(f"There is no run {reference!r} in {self.folder}.")
        raise RunNotFound(f"{reference!r} matches {len(matches)} runs; give more of the id.")

    def _latest(self, with_model: bool) -> Run:
        for line in self.summaries():
            if line.has_model or not with_model:
                return self.run_of(line)
        raise RunNotFound(f"There is no {'trained run' if with_model else 'run'} in {self.folder} yet.")

    def delete(self, run: Run) -> None:
        """Remove a run for good; raises BadInput while it is computing."""
        if run.is_alive():
            raise BadInput(f"Run {run.id} is computing; stop it before deleting it.")
        doomed = rename_folder(run.folder, self.folder / f".deleted-{run.id}-{secrets.token_hex(4)}")
        shutil.rmtree(doomed, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what a crash left of a deletion, or long ago of a submission."""
        for folder in self.folder.glob(".deleted-*"):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in self.folder.glob(".new-*"):
            if folder.stat().st_mtime < time.time() - DRAFT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _learns_from(run: Run) -> set[str]:
    """Return the runs that teach a run or that it begins with."""
    training = run.config.training
    return {*training.teachers, *training.start_from}


def _as_path_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "run"
