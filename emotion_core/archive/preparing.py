"""The serving copy of a network that came in without one: made in the background, by a process of its own."""

from pathlib import Path
from typing import Final

from emotion_core.engine.processes import find_started, start_detached
from emotion_core.errors import EmotionError
from emotion_core.runs import Run, Runs
from emotion_core.runs.log import last_lines

_EXPORT: Final = "emotion_core.export"

_LINES_READ: Final = 20
"""Lines of usual length: the last may be longer, since it names files."""


def prepare(run: Run) -> None:
    """Begin to make a run's serving copy, which takes about a minute and needs TensorFlow; raises EmotionError."""
    environment = {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        start_detached(_EXPORT, [str(run.folder.resolve())], _log(run), environment)
    except OSError as error:
        raise EmotionError(f"The model of run {run.id} cannot be prepared: {error}.") from error


def is_being_prepared(run: Run) -> bool:
    """Whether a process that `prepare` started makes a run's serving copy, or waits for its turn to."""
    return find_started(_EXPORT, str(run.folder.resolve())) is not None


def why_not_prepared(run: Run) -> str:
    """Return the last line that was printed by who tried to make a run's serving copy, empty where nobody did."""
    return last_lines(_log(run), _LINES_READ).rpartition("\n")[2]


def _log(run: Run) -> Path:
    return Runs(run.folder.parent).engine_folder / f"prepare-{run.id}.log"
