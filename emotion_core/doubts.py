"""Labels that a model finds improbable, and the saved run that knows a data set best."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_core.dataset import Dataset
from emotion_core.emotions import EMOTIONS
from emotion_core.errors import EmotionError
from emotion_core.origins import holds_faces
from emotion_core.runs import Run, Validation


@dataclass(frozen=True, eq=False)
class Doubts:
    """Rows by how improbable a model finds their label, the most improbable first.

    Attributes:
        rows: int64 (n,).
        self_confidence: float32 (n,), 0-1, the probability that the model gives to the label; ascending.
        suggested: int64 (n,), 0-6, the emotion that the model would give.
        confidence: float32 (n,), 0-1, the probability that it gives to that one.
        is_suspect: bool (n,), whether confident learning counts the label as wrong.
    """

    rows: NDArray[np.int64]
    self_confidence: NDArray[np.float32]
    suggested: NDArray[np.int64]
    confidence: NDArray[np.float32]
    is_suspect: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Judge:
    """A run, and what it says of the validation faces of a data set."""

    run: Run
    validation: Validation


def doubt_labels(
    labels: NDArray[np.uint8], probabilities: NDArray[np.float32], rows: NDArray[np.int64] | None = None
) -> Doubts:
    """Order rows by how improbable a model finds their label: by self-confidence, and who is suspect.

    A label is suspect where the model is at least as sure of another emotion as it is, on average, of the faces that
    have that label. Source: Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
    JAIR 70, 2021 (self-confidence; off-diagonal of the confident joint). The probabilities should come from a model
    that did not train on these rows: on its own training rows it repeats the labels.

    Args:
        labels: uint8 (n,), 0-6.
        probabilities: float32 (n, 7), 0-1.
        rows: int64 (n,), what the rows are called in the data set; their numbers from 0 for None.

    Raises:
        ValueError: Labels, probabilities and rows are of different numbers of faces.
    """
    rows = np.arange(len(labels)) if rows is None else rows
    if probabilities.shape != (len(labels), len(EMOTIONS)) or len(rows) != len(labels):
        raise ValueError(
            f"{len(labels)} labels need probabilities ({len(labels)}, {len(EMOTIONS)}) and as many rows, "
            f"not {probabilities.shape} and {len(rows)}"
        )
    own = probabilities[np.arange(len(labels)), labels]
    order = np.argsort(own, kind="stable")
    return Doubts(
        rows=rows[order],
        self_confidence=own[order],
        suggested=probabilities.argmax(axis=1)[order],
        confidence=probabilities.max(axis=1)[order],
        is_suspect=_is_suspect(labels, probabilities, own)[order],
    )


def find_judge(runs: Iterable[Run], dataset: Dataset) -> Judge | None:
    """Return the first of some runs that was validated on faces of a data set under their own labels, if there is one.

    Args:
        runs: The one to be preferred first; those whose files cannot be read are passed over.
        dataset: With labels or without; without them nothing can be doubted.
    """
    for run in runs:
        with suppress(EmotionError):
            if _may_judge(run, dataset) and holds_faces(dataset, run.config, validation := run.validation()):
                return Judge(run, validation)
    return None


def _may_judge(run: Run, dataset: Dataset) -> bool:
    """Whether a run may have learnt from a data set, as its settings tell, and did not learn wrong labels."""
    return run.config.data_fingerprint in ("", dataset.fingerprint) and not run.config.data.is_misaligned


def _is_suspect(
    labels: NDArray[np.uint8], probabilities: NDArray[np.float32], confidence: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Return whose label lies off the diagonal of the confident joint, bool (n,)."""
    counts = np.bincount(labels, minlength=len(EMOTIONS))
    sums = np.bincount(labels, weights=confidence, minlength=len(EMOTIONS))
    usual = np.divide(sums, counts, out=np.full(len(EMOTIONS), np.inf), where=counts > 0)  # (7,)
    confident = np.where(probabilities >= usual, probabilities, -1.0)  # (n, 7)
    suspect: NDArray[np.bool_] = (confident.max(axis=1) >= 0) & (confident.argmax(axis=1) != labels)
    return suspect
