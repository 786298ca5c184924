"""Kaggle's files: predictions out, and their score where the answers are at hand."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import NUM_EMOTIONS
from emotion_core.errors import BadInput
from emotion_core.evaluation import Evaluation, Probabilities, evaluate
from emotion_core.files import write_text

HEADER = ("id", "predicted class")


def submission_csv(ids: Sequence[str] | NDArray[np.str_], labels: Iterable[int] | NDArray[np.integer[Any]]) -> str:
    """Return the competition's CSV: a header, then a row per image; no index, Unix line ends.

    Args:
        ids: (n,), as the test file writes them.
        labels: int (n,), 0-6.

    Raises ValueError where the two differ in length or a label is none of the classes.
    """
    numbers = [int(label) for label in labels]
    if wrong := [number for number in numbers if not 0 <= number < NUM_EMOTIONS]:
        raise ValueError(f"Label {wrong[0]} is none of the classes 0 to {NUM_EMOTIONS - 1}.")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(zip(map(str, ids), numbers, strict=True))
    return text.getvalue()


def write_submission(
    path: Path, ids: Sequence[str] | NDArray[np.str_], labels: Iterable[int] | NDArray[np.integer[Any]]
) -> None:
    """Write the competition's CSV in one step; raises BadInput where the folder refuses it."""
    text = submission_csv(ids, labels)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from error


def score_predictions(
    ids: Sequence[str] | NDArray[np.str_],
    probabilities: Probabilities,
    true_ids: Sequence[str] | NDArray[np.str_],
    true_labels: NDArray[np.integer[Any]],
) -> Evaluation:
    """Score predictions against answers that may stand in another order; raises BadInput where an answer is missing.

    Args:
        ids: (n,) of the predicted images.
        probabilities: float (n, 7).
        true_ids: (m,) of the answers; those of other images are passed over.
        true_labels: int (m,), 0-6.
    """
    answers = dict(zip(map(str, true_ids), true_labels, strict=True))
    missing = [name for name in map(str, ids) if name not in answers]
    if missing:
        raise BadInput(
            f"The labels answer {len(ids) - len(missing):,} of {len(ids):,} predicted images; "
            f"the first without an answer has id {missing[0]!r}."
        )
    return evaluate(np.array([answers[name] for name in map(str, ids)]), probabilities)
