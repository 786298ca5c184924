"""Several models at the same faces: the mean of what they say, or what each says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_core.classifier import Classifier, Progress, load_classifier
from emotion_core.errors import BadInput, EmotionError
from emotion_core.runs import Run


class Ensemble(Classifier):
    """Classifies by the mean of its members' probabilities, each counting as much; one answers as it does alone."""

    def __init__(self, members: Sequence[Classifier]) -> None:
        self._members = tuple(members)

    def classify_inputs(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the members' mean, (n, 7), for inputs (n, 48, 48, 1)."""
        answers = np.stack([member.classify_inputs(inputs) for member in self._members])  # (members, n, 7)
        mean: NDArray[np.float32] = answers.mean(axis=0)
        return mean


def load_ensemble(runs: Sequence[Run]) -> Ensemble:
    """Return the average of some runs' models; raises BadInput for a run twice, ModelUnavailable for one without."""
    refuse_twice(runs)
    return Ensemble([load_classifier(run) for run in runs])


def refuse_twice(runs: Sequence[Run]) -> None:
    """Raise BadInput where a run stands among some runs twice."""
    ids = [run.id for run in runs]
    if twice := next((run_id for run_id in ids if ids.count(run_id) > 1), None):
        raise BadInput(f"Run {twice} is named twice; name each run once.")


@dataclass(frozen=True)
class LabelsByRun:
    """What each of several runs says to the same faces.

    Attributes:
        labels: Id of a run and the most probable label of each face, uint8 (n,), 0-6.
        refused: Id of a run that could not answer, and the sentence that says why.
    """

    labels: Mapping[str, NDArray[np.uint8]]
    refused: Mapping[str, str]


def ask_each(runs: Sequence[Run], images: NDArray[np.uint8], progress: Progress | None = None) -> LabelsByRun:
    """Let each run classify the faces, one model in memory at a time; a damaged model holds up no other.

    Args:
        runs: Saved runs.
        images: uint8 (n, 48, 48), 0-255.
        progress: Called after each batch with the faces done and those in all, each counted once for each run.
    """
    labels, refused = {}, {}
    for place, run in enumerate(runs):
        report = _after(place, len(runs), progress) if progress else None
        try:
            labels[run.id] = load_classifier(run).probabilities(images, report).argmax(axis=1).astype(np.uint8)
        except EmotionError as error:
            refused[run.id] = str(error)
    return LabelsByRun(labels, refused)


def _after(place: int, runs: int, progress: Progress) -> Progress:
    return lambda done, total: progress(place * total + done, runs * total)
